#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.h"

namespace logvault::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuietAtFirst{500};
constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

Progress::Progress(std::string_view unit)
    : unit_(unit), shown_to_somebody_(isatty(STDERR_FILENO) == 1), next_(start_ + kQuietAtFirst) {}

Progress::~Progress() { Hide(); }

void Progress::Hide() {
  if (!on_screen_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  on_screen_ = false;
}

void Progress::Stop() {
  Hide();
  shown_to_somebody_ = false;
}

void Progress::Show(std::uint64_t done, std::uint64_t total, std::string_view more) {
  if (!shown_to_somebody_ || steady_clock::now() < next_) return;
  next_ = steady_clock::now() + kInterval;
  on_screen_ = true;
  // A line that wraps could not be rewritten in place.
  const std::string line = Clipped(ProgressLine(done, total, seconds(), unit_) + std::string(more),
                                   SizeOf(STDERR_FILENO).columns - 1);
  std::fputs(("\r" + line + "\033[K").c_str(), stderr);
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

std::string Clipped(std::string line, std::size_t columns) {
  if (line.size() > columns) line.resize(columns);
  return line;
}

}  // namespace logvault::cli
