// Every code of ours over gRPC's and back.
#include "net/status_map.h"

#include <gtest/gtest.h>

namespace logvault::net {
namespace {

TEST(StatusMapTest, EveryCodeComesBackAsItWas) {
  for (int i = 0; i <= static_cast<int>(StatusCode::kInternal); ++i) {
    const auto code = static_cast<StatusCode>(i);
    const Status sent = code == StatusCode::kOk ? Status::Ok() : Status(code, "why");
    EXPECT_EQ(FromGrpc(ToGrpc(sent)), sent);
  }
}

TEST(StatusMapTest, IntegrityTravelsAsDataLoss) {
  EXPECT_EQ(ToGrpc(Integrity("fork")).error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(ToGrpc(Corruption("bit")).error_code(), grpc::StatusCode::DATA_LOSS);
}

TEST(StatusMapTest, CodesWeNeverSendAreInternal) {
  EXPECT_EQ(FromGrpc({grpc::StatusCode::UNKNOWN, "x"}).code(), StatusCode::kInternal);
  EXPECT_EQ(FromGrpc({grpc::StatusCode::UNIMPLEMENTED, "x"}).code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace logvault::net
