// Exit codes: which failure ends a program how, and which of two outcomes wins.
#include "config/exit_code.h"

#include <gtest/gtest.h>

namespace logvault::config {
namespace {

TEST(ExitCodeTest, EachFailureHasTheCodeOfTheContract) {
  struct Case {
    Status status;
    int code;
  };
  const Case cases[] = {
      {Status::Ok(), 0},
      {InvalidArgument("x"), 2},
      {NotFound("x"), 2},
      {AlreadyExists("x"), 2},
      {FailedPrecondition("x"), 2},
      {OutOfRange("x"), 2},
      {ResourceExhausted("x"), 3},
      {Aborted("x"), 3},
      {Internal("x"), 3},
      {Corruption("x"), 4},
      {Integrity("x"), 4},
      {PermissionDenied("x"), 5},
      {Unauthenticated("x"), 6},
      {Unavailable("x"), 6},
      {DeadlineExceeded("x"), 6},
      {Cancelled("x"), 130},
  };
  for (const Case& c : cases)
    EXPECT_EQ(static_cast<int>(ExitCodeFor(c.status)), c.code) << c.status;
}

TEST(ExitCodeTest, TheWorseOutcomeWinsWhateverTheOrder) {
  const int order[] = {2, 5, 6, 4, 130, 3, 7, 1, 0};
  for (std::size_t i = 0; i < std::size(order); ++i) {
    for (std::size_t j = i; j < std::size(order); ++j) {
      const auto worse = static_cast<ExitCode>(order[i]);
      const auto better = static_cast<ExitCode>(order[j]);
      EXPECT_EQ(Worse(worse, better), worse);
      EXPECT_EQ(Worse(better, worse), worse);
    }
  }
}

}  // namespace
}  // namespace logvault::config
