#include "cli/output_stream.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "cli/terminal.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kGatheredBytes = 64 * 1024;
constexpr std::chrono::milliseconds kHold{200};  // first rows are seen within half a second

}  // namespace

OutputStream::OutputStream() : is_terminal_(isatty(STDOUT_FILENO) == 1) {
  // A reader that left is seen at the write, and ends the command quietly.
  signal(SIGPIPE, SIG_IGN);
}

void OutputStream::PageLongAnswer(std::function<void()> started) {
  if (!is_terminal_ || !TerminalIsCapable()) return;
  pager_command_ = PagerCommand();
  pager_started_ = std::move(started);
  hold_until_ = steady_clock::now() + kHold;
}

bool OutputStream::Settle() {
  if (!pager_command_.empty()) return SettleOnScreen();
  if (!is_terminal_ && buffer_.size() < kGatheredBytes) return !broken_;
  return Flush();
}

bool OutputStream::SettleOnScreen() {
  if (pager_ != nullptr) return Flush();
  const TerminalSize screen = SizeOf(STDOUT_FILENO);
  for (; counted_bytes_ < buffer_.size(); ++counted_bytes_) {
    const bool ends = buffer_[counted_bytes_] == '\n';
    column_ = ends ? 0 : column_ + 1;
    if (!ends && column_ <= screen.columns) continue;
    ++lines_;
    if (!ends) column_ = 1;
  }
  if (lines_ >= screen.lines) return StartPager();
  return steady_clock::now() < hold_until_ || WriteShown();
}

bool OutputStream::StartPager() {
  Result<std::unique_ptr<Pager>> pager = Pager::Start(pager_command_);
  if (!pager.ok()) {
    Tell(pager.status().message());
    pager_command_.clear();
    return WriteShown();
  }
  if (before_write_) before_write_();
  if (pager_started_) pager_started_();
  pager_ = *std::move(pager);
  return Flush();
}

// To the terminal itself, and keeps it: the pager may have to begin with it.
bool OutputStream::WriteShown() {
  if (shown_bytes_ == buffer_.size()) return !broken_;
  if (before_write_) before_write_();
  const std::string_view rest = std::string_view(buffer_).substr(shown_bytes_);
  shown_bytes_ = buffer_.size();
  return Write(STDOUT_FILENO, rest);
}

bool OutputStream::Flush() {
  if (pager_ != nullptr) {
    Write(pager_->fd(), buffer_);
  } else {
    WriteShown();
  }
  buffer_.clear();
  shown_bytes_ = counted_bytes_ = 0;
  return !broken_;
}

bool OutputStream::Finish() {
  if (!pager_command_.empty() && pager_ == nullptr) SettleOnScreen();
  Flush();
  if (pager_ == nullptr) return !broken_;
  if (!pager_->Wait()) {
    broken_ = true;
    status_ = InvalidArgument("the pager `" + pager_command_ +
                              "` could not be run; set PAGER to another, or to `cat` for none");
  }
  pager_.reset();
  pager_command_.clear();
  return !broken_;
}

bool OutputStream::Write(int fd, std::string_view rest) {
  while (!rest.empty() && !broken_) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      broken_ = true;
      if (errno != EPIPE)
        status_ = Internal(std::string("standard output: ") + std::strerror(errno));
    }
  }
  return !broken_;
}

void Tell(std::string_view message) {
  const std::string line = "logvault: " + query::EscapeForTerminal(message) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace logvault::cli
