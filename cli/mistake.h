// Mistake: what is wrong with a command line, in words that name the flag and say what to do.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace logvault::cli {

// One line for Tell.  `error` is what parsing `app` ended with; not for --help.
std::string Explain(const CLI::App& app, const CLI::ParseError& error);

// Of a word that stands where a command must.
std::string UnknownCommandText(const CLI::App& app, const std::string& word);

}  // namespace logvault::cli
