// CommandTables: what --help prints of a program, as plain tables for the scripts that complete its command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace logvault::cli {

// What follows an option.
enum class Takes { kNothing, kWord, kFile, kFolder, kOneOf };

struct OptionEntry {
  std::vector<std::string> names;  // with their dashes, the brief ones first
  std::string text;
  Takes takes = Takes::kNothing;
  std::string value;                 // how --help calls it
  std::vector<std::string> choices;  // kOneOf
};

struct CommandEntry {
  std::string path;  // "pki issue"; empty: the program itself
  std::string text;
  std::vector<OptionEntry> options;
  std::vector<std::string> nested;  // names of subcommands
  std::vector<std::string> nested_texts;
  Takes operand = Takes::kNothing;
};

// `app` itself first, then its commands, each before its subcommands.  Options of the program stand behind those of each
// command: they may be typed anywhere.  What is hidden from --help is left out.
std::vector<CommandEntry> CommandsOf(const CLI::App& app);

std::vector<std::string> SplitAt(std::string_view text, char separator);
std::string Joined(const std::vector<std::string>& words, std::string_view between = " ");
// Inside '...' of any of the shells.
std::string Quotable(std::string_view text);

}  // namespace logvault::cli
