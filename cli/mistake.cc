#include "cli/mistake.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "config/yaml_reader.h"

namespace logvault::cli {
namespace {

// The command that was typed: "logvault pki issue" and its table.
struct Typed {
  std::string path;
  const CLI::App* command = nullptr;
};

Typed TypedCommand(const CLI::App& app) {
  Typed typed{app.get_name(), &app};
  while (!typed.command->get_subcommands().empty()) {
    typed.command = typed.command->get_subcommands().front();
    typed.path += " " + typed.command->get_name();
  }
  return typed;
}

std::string NearestOf(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  return std::string(config::Nearest(word, views));
}

// Every option that may stand behind the command.
std::vector<std::string> OptionsOf(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent()) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string UnexpectedText(const CLI::App& app, const Typed& typed) {
  for (const std::string& word : app.remaining(true)) {
    if (!word.starts_with('-')) continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string near = NearestOf(name, OptionsOf(typed.command));
    return "there is no option " + name + (near.empty() ? "" : "; did you mean " + near + "?");
  }
  const std::vector<std::string> left = app.remaining(true);
  return "'" + (left.empty() ? std::string() : left.front()) + "' is one argument too many";
}

// "Could not convert: --limit = many".
std::string ConversionText(const std::string& what) {
  const std::size_t name = what.find("--");
  const std::size_t equals = what.find(" = ");
  if (name == std::string::npos || equals == std::string::npos || equals < name) return what;
  return what.substr(name, equals - name) + ": '" + what.substr(equals + 3) + "' is no number";
}

// "--output: csv not in {text,json}".
std::string ValidationText(const std::string& what) {
  const std::size_t colon = what.find(": ");
  const std::size_t set = what.find(" not in {");
  if (colon == std::string::npos || set == std::string::npos || !what.ends_with('}')) return what;
  std::string known = what.substr(set + 9, what.size() - set - 10);
  for (std::size_t comma = known.find(','); comma != std::string::npos;
       comma = known.find(',', comma + 2))
    known.replace(comma, 1, ", ");
  return what.substr(0, colon) + ": '" + what.substr(colon + 2, set - colon - 2) + "' is none of " +
         known;
}

// "--limit: 1 required N missing".
std::string MissingText(const std::string& what) {
  const std::size_t required = what.find(": 1 required ");
  if (required == std::string::npos || !what.ends_with(" missing")) return what;
  const std::string value = what.substr(required + 13, what.size() - required - 13 - 8);
  return what.substr(0, required) + ": its value (" + value + ") is missing";
}

}  // namespace

std::string Explain(const CLI::App& app, const CLI::ParseError& error) {
  const Typed typed = TypedCommand(app);
  const std::string& name = error.get_name();
  std::string text = error.what();
  if (error.get_exit_code() ==
      static_cast<int>(CLI::ExitCodes::ExtrasError))  // named after the command
    text = UnexpectedText(app, typed);
  if (name == "ConversionError") text = ConversionText(text);
  if (name == "ValidationError") text = ValidationText(text);
  if (name == "ArgumentMismatch") text = MissingText(text);
  return text + (text.ends_with('?') ? " `" : "; `") + typed.path + " --help` has the rest";
}

std::string UnknownCommandText(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); }))
    names.push_back(command->get_name());
  const std::string near = NearestOf(word, names);
  return "there is no command '" + word + "'" +
         (near.empty() ? "; " : "; did you mean '" + near + "'? ") + "`" + app.get_name() +
         " --help` lists them";
}

}  // namespace logvault::cli
