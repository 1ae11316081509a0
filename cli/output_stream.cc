#include "cli/output_stream.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "query/output.h"

namespace logvault::cli {
namespace {

constexpr std::size_t kGatheredBytes = 64 * 1024;

}  // namespace

OutputStream::OutputStream() : is_terminal_(isatty(STDOUT_FILENO) == 1) {
  // A reader that left is seen at the write, and ends the command quietly.
  signal(SIGPIPE, SIG_IGN);
}

bool OutputStream::Settle() {
  if (!is_terminal_ && buffer_.size() < kGatheredBytes) return !broken_;
  return Flush();
}

bool OutputStream::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !broken_) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      broken_ = true;
      if (errno != EPIPE)
        status_ = Internal(std::string("standard output: ") + std::strerror(errno));
    }
  }
  buffer_.clear();
  return !broken_;
}

void Tell(std::string_view message) {
  const std::string line = "logvault: " + query::EscapeForTerminal(message) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace logvault::cli
