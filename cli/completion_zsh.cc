// What zsh is given: a function with _arguments for each command.
#include "cli/command_tables.h"
#include "cli/completion.h"

namespace logvault::cli {
namespace {

// Of _arguments: "(-s --since)"{-s,--since}"[text]:T:".
std::string ZshSpec(const OptionEntry& option) {
  auto escaped = [](std::string_view text) {
    std::string out;
    for (char c : text) {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
    return Quotable(out);
  };
  std::string names = option.names.size() == 1 ? option.names[0] : "";
  std::string spec = "'";
  if (names.empty()) spec = "'(" + Joined(option.names) + ")'{" + Joined(option.names, ",") + "}'";
  spec += names + "[" + escaped(option.text) + "]";
  switch (option.takes) {
    case Takes::kNothing:
      return spec + "'";
    case Takes::kWord:
      return spec + ":" + escaped(option.value) + ": '";
    case Takes::kFile:
      return spec + ":" + escaped(option.value) + ":_files'";
    case Takes::kFolder:
      return spec + ":" + escaped(option.value) + ":_files -/'";
    case Takes::kOneOf:
      return spec + ":value:(" + Joined(option.choices) + ")'";
  }
  return spec + "'";
}

std::string ZshFunctionOf(const std::string& path) {
  std::string name = "_logvault";
  for (const std::string& word : SplitAt(path, ' ')) {
    if (!word.empty()) name += "_" + word;
  }
  return name;
}

std::string ZshFunction(const CommandEntry& command) {
  std::string text = ZshFunctionOf(command.path) + "() {\n";
  if (!command.nested.empty()) {
    text += "  local context state line\n  local -a commands=(\n";
    for (std::size_t i = 0; i < command.nested.size(); ++i) {
      std::string says;
      for (char c : command.nested_texts[i])
        says += c == ':' ? std::string("\\:") : std::string(1, c);
      text += "    '" + command.nested[i] + ":" + Quotable(says) + "'\n";
    }
    text += "  )\n";
  }
  text += "  _arguments -s -S" + std::string(command.nested.empty() ? "" : " -C");
  for (const OptionEntry& option : command.options) text += " \\\n    " + ZshSpec(option);
  if (command.nested.empty()) return text + " \\\n    '*: :_files'\n}\n\n";
  text +=
      " \\\n    '1:command:->command' \\\n    '*::arguments:->arguments'\n  case $state in\n"
      "    command) _describe command commands ;;\n    arguments)\n      case $line[1] in\n";
  for (const std::string& nested : command.nested) {
    const std::string path = command.path.empty() ? nested : command.path + " " + nested;
    text += "        " + nested + ") " + ZshFunctionOf(path) + " ;;\n";
  }
  return text + "      esac ;;\n  esac\n}\n\n";
}

}  // namespace

std::string ZshCompletion(const CLI::App& app) {
  std::string script =
      "#compdef logvault\n# zsh completion for logvault, made of the tables that its --help "
      "prints.\n\n";
  for (const CommandEntry& command : CommandsOf(app)) script += ZshFunction(command);
  return script +
         "if [[ $funcstack[1] == _logvault ]]; then\n  _logvault \"$@\"\nelse\n"
         "  compdef _logvault logvault\nfi\n";
}

}  // namespace logvault::cli
