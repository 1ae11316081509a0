#include "cli/command_tables.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace logvault::cli {
namespace {

bool IsShown(const CLI::Option* option) { return !option->get_group().empty(); }
bool IsShownCommand(const CLI::App* command) { return !command->get_group().empty(); }

Takes TakesOf(const std::string& value) {
  if (value.find('|') != std::string::npos) return Takes::kOneOf;
  if (value == "FILE" || value == "NOTE") return Takes::kFile;
  if (value.find("DIR") != std::string::npos) return Takes::kFolder;
  return Takes::kWord;
}

OptionEntry EntryOf(const CLI::Option& option) {
  OptionEntry entry;
  for (const std::string& name : option.get_snames()) entry.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) entry.names.push_back("--" + name);
  entry.text = option.get_description();
  if (option.get_type_size() == 0) return entry;
  entry.value = option.get_type_name();
  entry.takes = TakesOf(entry.value);
  if (entry.takes == Takes::kOneOf) entry.choices = SplitAt(entry.value, '|');
  return entry;
}

// `app` and everything below it.  Options of the program itself may stand anywhere.
void Collect(const CLI::App& app, const std::string& path, std::vector<CommandEntry>& commands) {
  CommandEntry entry;
  entry.path = path;
  entry.text = app.get_description();
  for (const CLI::Option* option : app.get_options(IsShown)) {
    if (option->get_positional())
      entry.operand = TakesOf(option->get_name());
    else
      entry.options.push_back(EntryOf(*option));
  }
  for (const CLI::App* nested : app.get_subcommands(IsShownCommand)) {
    entry.nested.push_back(nested->get_name());
    entry.nested_texts.push_back(nested->get_description());
  }
  commands.push_back(std::move(entry));
  for (const CLI::App* nested : app.get_subcommands(IsShownCommand))
    Collect(*nested, path.empty() ? nested->get_name() : path + " " + nested->get_name(), commands);
}

}  // namespace

std::vector<std::string> SplitAt(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string Joined(const std::vector<std::string>& words, std::string_view between) {
  std::string joined;
  for (const std::string& word : words)
    joined += (joined.empty() ? "" : std::string(between)) + word;
  return joined;
}

std::string Quotable(std::string_view text) {
  std::string quotable;
  for (char c : text) quotable += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quotable;
}

std::vector<CommandEntry> CommandsOf(const CLI::App& app) {
  std::vector<CommandEntry> commands;
  Collect(app, "", commands);
  const std::vector<OptionEntry> global = commands.front().options;
  for (CommandEntry& command : commands) {
    for (const OptionEntry& option : global) {
      if (command.path.empty() || option.names.back() == "--help") continue;
      command.options.push_back(option);
    }
  }
  return commands;
}

}  // namespace logvault::cli
