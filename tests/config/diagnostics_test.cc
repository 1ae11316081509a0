// Diagnostics: one line a message on stderr, with the time in UTC; nothing in a message can forge a
// line.
#include "config/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace logvault::config {
namespace {

constexpr const char* kTime = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z";

// What StartDiagnostics and then `log` write to stderr, with LOGVAULT_LOG_LEVEL set to `level`.
template <typename F>
std::string Stderr(const char* level, F log) {
  ::setenv("LOGVAULT_LOG_LEVEL", level, 1);
  testing::internal::CaptureStderr();
  StartDiagnostics("logvault-test");
  log();
  return testing::internal::GetCapturedStderr();
}

TEST(DiagnosticsTest, ALineHasTimeLevelProgramAndText) {
  EXPECT_THAT(Stderr("", [] { spdlog::warn("late by {} s", 3); }),
              testing::MatchesRegex(std::string(kTime) + " warning logvault-test: late by 3 s\n"));
}

TEST(DiagnosticsTest, TheLevelComesFromTheEnvironment) {
  auto log = [] {
    spdlog::debug("d");
    spdlog::info("i");
    spdlog::error("e");
  };
  EXPECT_THAT(Stderr("", log), testing::AllOf(testing::HasSubstr("info"),
                                              testing::Not(testing::HasSubstr("debug"))));
  EXPECT_THAT(Stderr("debug", log), testing::HasSubstr("debug logvault-test: d"));
  EXPECT_THAT(Stderr("error", log),
              testing::MatchesRegex(std::string(kTime) + " error logvault-test: e\n"));
}

TEST(DiagnosticsTest, AnUnknownLevelIsSaidAndInfoIsTaken) {
  EXPECT_THAT(Stderr("loud", [] { spdlog::info("i"); }),
              testing::AllOf(testing::HasSubstr("LOGVAULT_LOG_LEVEL=loud is none of"),
                             testing::HasSubstr(": i\n")));
}

TEST(DiagnosticsTest, ControlBytesAreEscaped) {
  EXPECT_THAT(Stderr("", [] { spdlog::info("a\nb\x1b[31m\x7f"); }),
              testing::EndsWith("logvault-test: a\\x0ab\\x1b[31m\\x7f\n"));
}

TEST(DiagnosticsTest, AFloodIsCutAndToldAndErrorsAreNot) {
  const std::string text = Stderr("", [] {
    for (int i = 0; i < 3 * kLinesPerWindow; ++i) spdlog::warn("flood");
    spdlog::error("and this matters");
  });
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_LE(lines, 2 * (kLinesPerWindow + 1) + 1) << "two windows at most";
  EXPECT_GE(lines, kLinesPerWindow + 2);
  EXPECT_THAT(text, testing::HasSubstr("the rest, below error, is left out"));
  EXPECT_THAT(text, testing::EndsWith("and this matters\n"));
}

TEST(DiagnosticsTest, NothingGoesToStdout) {
  testing::internal::CaptureStdout();
  Stderr("", [] { spdlog::error("e"); });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace logvault::config
