// Progress: how far a long command is, on a terminal's standard error and nowhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace logvault::cli {

// For one thread.  The line is rewritten in place and is gone when this is.
class Progress {
 public:
  // `unit` is what is counted: "blocks".
  explicit Progress(std::string_view unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows nothing in the first half second, and then four times a second.  `more` stands behind the figures.
  void Show(std::uint64_t done, std::uint64_t total, std::string_view more = {});
  // Takes the line off the screen, for what is written there; it comes back with the next Show.
  void Hide();
  // No more of it: something else has the screen.
  void Stop();

  [[nodiscard]] double seconds() const;

 private:
  const std::string unit_;
  bool shown_to_somebody_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_;
  bool on_screen_ = false;
};

// "12 % (1200 of 10000 blocks, 400 a second, 22 s left)".
std::string ProgressLine(std::uint64_t done, std::uint64_t total, double seconds,
                         std::string_view unit);
// `line` as wide as `columns` at most.
std::string Clipped(std::string line, std::size_t columns);

}  // namespace logvault::cli
