// Completion: what a shell offers while a command line is typed, made of the tables that --help prints.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace logvault::cli {

// Scripts for the shell to source.  What is hidden from --help is left out.
std::string BashCompletion(const CLI::App& app);
std::string ZshCompletion(const CLI::App& app);
std::string FishCompletion(const CLI::App& app);

}  // namespace logvault::cli
