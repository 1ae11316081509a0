#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace logvault::cli {
namespace {

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

TerminalSize SizeOf(int fd) {
  TerminalSize size;
  winsize stated{};
  if (ioctl(fd, TIOCGWINSZ, &stated) != 0) return size;
  if (stated.ws_col > 0) size.columns = stated.ws_col;
  if (stated.ws_row > 0) size.lines = stated.ws_row;
  return size;
}

bool TerminalIsCapable() {
  const std::string_view term = Variable("TERM");
  return !term.empty() && term != "dumb";
}

bool TerminalShowsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = Variable(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

bool ColourSuits(int fd) {
  return isatty(fd) == 1 && Variable("NO_COLOR").empty() && TerminalIsCapable();
}

}  // namespace logvault::cli
