// OutputStream: standard output for results, buffered; a long answer on a terminal goes through the user's pager; and
// what a reader that left means.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/pager.h"
#include "common/status.h"

namespace logvault::cli {

// Not for several threads.
class OutputStream {
 public:
  OutputStream();
  ~OutputStream() { (void)Finish(); }
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  // Append results here, then call Settle.
  std::string& buffer() { return buffer_; }
  // Writes where enough has gathered, or at once to a terminal.  False: nobody reads any more, or the write failed.
  bool Settle();
  bool Flush();
  // The end of the answer: returns when everything is written, and the user has left the pager.
  bool Finish();

  // On a terminal: what does not fit on the screen goes through the pager, from its first line on.  What is found in the
  // first moments is held back until it is known whether it fits; `started` is called when the pager takes the screen.
  void PageLongAnswer(std::function<void()> started);
  // Called before anything is written to the terminal itself.
  void set_before_write(std::function<void()> before) { before_write_ = std::move(before); }

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }
  [[nodiscard]] bool paging() const { return pager_ != nullptr; }
  // Nobody reads any more: `| head` has enough, or the user left the pager.
  [[nodiscard]] bool reader_left() const { return broken_ && status_.ok(); }
  // Why a write failed; OK where the reader merely left (`| head`).
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool Write(int fd, std::string_view bytes);
  bool WriteShown();
  bool SettleOnScreen();
  bool StartPager();

  std::string buffer_;
  const bool is_terminal_;
  bool broken_ = false;
  Status status_;
  std::function<void()> before_write_;

  // PageLongAnswer: then buffer_ keeps what is already on the screen, until the pager has taken it.
  std::string pager_command_;  // empty: no pager, or none any more
  std::function<void()> pager_started_;
  std::chrono::steady_clock::time_point hold_until_;
  std::size_t shown_bytes_ = 0;    // of buffer_: on the screen
  std::size_t counted_bytes_ = 0;  // of buffer_: in lines_
  std::size_t lines_ = 0;          // of the screen
  std::size_t column_ = 0;         // in the last of them
  std::unique_ptr<Pager> pager_;
};

// One line to standard error, safe for a terminal: "logvault: ...".
void Tell(std::string_view message);

}  // namespace logvault::cli
