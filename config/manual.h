// Manual: a program's man page, made of the tables that its --help prints, so that the two cannot differ.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace logvault::config {

// The page in roff's man macros: NAME, SYNOPSIS, OPTIONS, COMMANDS with each command's and its subcommands' usage, options
// and notes, and the notes of the program itself.  `section`: 1 for a tool, 8 for a daemon.  What is hidden from --help is
// left out.
std::string ManPage(const CLI::App& app, int section);

// Gives `app`, which is a program without commands of its own kind, the hidden flag --man-page: prints ManPage and ends.
void AddManPageFlag(CLI::App& app, int section);

}  // namespace logvault::config
