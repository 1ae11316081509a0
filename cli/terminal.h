// Terminal: what is known of the one in front of the user.
#pragma once

#include <cstddef>

namespace logvault::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t lines = 24;
};
// Of the terminal on `fd`; the default where there is none, or it does not say.
TerminalSize SizeOf(int fd);

// Whether colour suits `fd`: a terminal that can, and NO_COLOR (https://no-color.org) is not set to anything.
bool ColourSuits(int fd);

// Whether the user's locale has more characters than ASCII.
bool TerminalShowsUtf8();

// Whether the terminal can do more than print lines: TERM is set, and not to "dumb".
bool TerminalIsCapable();

}  // namespace logvault::cli
