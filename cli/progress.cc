#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace logvault::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuietAtFirst{500};
constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

Progress::Progress(std::string_view unit)
    : unit_(unit), shown_to_somebody_(isatty(STDERR_FILENO) == 1), next_(start_ + kQuietAtFirst) {}

Progress::~Progress() {
  if (on_screen_) std::fputs("\r\033[K", stderr);
}

void Progress::Show(std::uint64_t done, std::uint64_t total) {
  if (!shown_to_somebody_ || steady_clock::now() < next_) return;
  next_ = steady_clock::now() + kInterval;
  on_screen_ = true;
  std::fputs(("\r" + ProgressLine(done, total, seconds(), unit_) + "\033[K").c_str(), stderr);
  std::fflush(stderr);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(steady_clock::now() - start_).count();
}

std::string ProgressLine(std::uint64_t done, std::uint64_t total, double seconds,
                         std::string_view unit) {
  if (done == 0 || seconds <= 0) return fmt::format("{} of {} {}", done, total, unit);
  const double rate = static_cast<double>(done) / seconds;
  const double left = total > done ? static_cast<double>(total - done) / rate : 0;
  const std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
  return fmt::format("{} % ({} of {} {}, {:.0f} a second, {:.0f} s left)", percent, done, total,
                     unit, rate, left);
}

}  // namespace logvault::cli
