// What fish is given: a `complete` line for each command and option.
#include "cli/command_tables.h"
#include "cli/completion.h"

namespace logvault::cli {
namespace {

// The condition under which fish offers what stands behind `path`.
std::string FishCondition(const CommandEntry& command) {
  if (command.path.empty()) return "";
  std::string condition;
  for (const std::string& word : SplitAt(command.path, ' '))
    condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
  return condition;
}

std::string FishOption(const OptionEntry& option, const std::string& condition) {
  std::string line = "complete -c logvault";
  if (!condition.empty()) line += " -n '" + condition + "'";
  for (const std::string& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  switch (option.takes) {
    case Takes::kNothing:
      break;
    case Takes::kWord:
      line += " -x";
      break;
    case Takes::kFile:
      line += " -r -F";
      break;
    case Takes::kFolder:
      line += " -x -a '(__fish_complete_directories)'";
      break;
    case Takes::kOneOf:
      line += " -x -a '" + Joined(option.choices) + "'";
      break;
  }
  std::string text;
  for (char c : option.text)
    text += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return line + " -d '" + text + "'\n";
}

}  // namespace

std::string FishCompletion(const CLI::App& app) {
  std::string script =
      "# fish completion for logvault, made of the tables that its --help prints.\n";
  const std::vector<CommandEntry> commands = CommandsOf(app);
  for (const CommandEntry& command : commands) {
    const std::string condition = FishCondition(command);
    if (!command.nested.empty()) {
      const std::string names = Joined(command.nested);
      const std::string here = "not __fish_seen_subcommand_from " + names;
      for (std::size_t i = 0; i < command.nested.size(); ++i) {
        script += "complete -c logvault -f -n '" +
                  (condition.empty() ? here : condition + "; and " + here) + "' -a " +
                  command.nested[i] + " -d '" + Quotable(command.nested_texts[i]) + "'\n";
      }
    }
    const std::size_t own = command.path.empty()
                                ? command.options.size()
                                : command.options.size() - (commands.front().options.size() - 1);
    for (std::size_t i = 0; i < own; ++i) script += FishOption(command.options[i], condition);
  }
  return script;
}

}  // namespace logvault::cli
