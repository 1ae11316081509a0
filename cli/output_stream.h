// OutputStream: standard output for results, buffered, and what a reader that left means.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::cli {

// Not for several threads.
class OutputStream {
 public:
  OutputStream();
  ~OutputStream() { (void)Flush(); }
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  // Append results here, then call Settle.
  std::string& buffer() { return buffer_; }
  // Writes where enough has gathered, or at once to a terminal.  False: nobody reads any more, or the write failed.
  bool Settle();
  bool Flush();

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }
  // Why a write failed; OK where the reader merely left (`| head`).
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  std::string buffer_;
  const bool is_terminal_;
  bool broken_ = false;
  Status status_;
};

// One line to standard error, safe for a terminal: "logvault: ...".
void Tell(std::string_view message);

}  // namespace logvault::cli
