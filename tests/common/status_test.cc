// Status and Result: what a failure keeps, and what using one wrongly does.
#include "common/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <sstream>

namespace logvault {
namespace {

using ::testing::HasSubstr;

TEST(StatusTest, ADefaultStatusIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status(), Status::Ok());
  EXPECT_EQ(Status().ToString(), "OK");
}

TEST(StatusTest, AFailureKeepsCodeAndMessage) {
  const Status status = Corruption("block 7: wrong hash");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(status.message(), "block 7: wrong hash");
  std::ostringstream out;
  out << status;
  EXPECT_EQ(out.str(), "CORRUPTION: block 7: wrong hash");
}

TEST(StatusTest, ContextComesBeforeTheMessageAndLeavesOkAlone) {
  EXPECT_EQ(NotFound("no such file").WithContext("crl.pem"), NotFound("crl.pem: no such file"));
  EXPECT_EQ(Status::Ok().WithContext("crl.pem"), Status::Ok());
}

TEST(StatusTest, EveryMakerHasItsOwnCodeAndEveryCodeItsOwnName) {
  const Status all[] = {Status::Ok(),         Cancelled("x"),         InvalidArgument("x"),
                        NotFound("x"),        AlreadyExists("x"),     PermissionDenied("x"),
                        Unauthenticated("x"), ResourceExhausted("x"), FailedPrecondition("x"),
                        Aborted("x"),         OutOfRange("x"),        DeadlineExceeded("x"),
                        Unavailable("x"),     Corruption("x"),        Integrity("x"),
                        Internal("x")};
  std::set<std::string_view> names;
  int expected = 0;
  for (const Status& status : all) {
    EXPECT_EQ(static_cast<int>(status.code()), expected++);
    names.insert(ToString(status.code()));
  }
  EXPECT_EQ(names.size(), std::size(all));
  EXPECT_EQ(names.count("UNKNOWN"), 0u);
}

TEST(ResultTest, HoldsAValueOrAFailure) {
  Result<std::unique_ptr<int>> value(std::make_unique<int>(7));
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(**value, 7);
  EXPECT_EQ(*std::move(value).operator*(), 7);

  Result<std::string> failure(Unavailable("later"));
  EXPECT_FALSE(failure.ok());
  EXPECT_EQ(failure.status(), Unavailable("later"));
}

TEST(ResultDeathTest, TakingTheValueOfAFailureIsOurBug) {
  Result<std::string> failure(Unavailable("later"));
  EXPECT_DEATH((void)failure->size(), HasSubstr("check failed"));
}

TEST(ResultDeathTest, AResultMadeFromOkIsOurBug) {
  EXPECT_DEATH(Result<int>(Status::Ok()), HasSubstr("check failed"));
}

Status ReturnsEarly(const Status& status, bool* reached) {
  LV_RETURN_IF_ERROR(status);
  *reached = true;
  return Status::Ok();
}

TEST(StatusTest, ReturnIfErrorReturnsOnlyErrors) {
  bool reached = false;
  EXPECT_EQ(ReturnsEarly(Aborted("x"), &reached), Aborted("x"));
  EXPECT_FALSE(reached);
  EXPECT_TRUE(ReturnsEarly(Status::Ok(), &reached).ok());
  EXPECT_TRUE(reached);
}

}  // namespace
}  // namespace logvault
