#include "config/manual.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

namespace logvault::config {
namespace {

// As text that roff takes for itself.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if ((c == '.' || c == '\'') && (escaped.empty() || escaped.back() == '\n')) escaped += "\\&";
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else
      escaped += c;
  }
  return escaped;
}

bool IsShown(const CLI::Option* option) { return !option->get_group().empty(); }
bool IsShownCommand(const CLI::App* command) { return !command->get_group().empty(); }

// "-s, --since" in bold, and what it takes in italics.
std::string Heading(const CLI::Option& option) {
  std::string heading;
  auto name = [&heading](const std::string& text) {
    heading += (heading.empty() ? "\\fB" : ", \\fB") + Escaped(text) + "\\fR";
  };
  if (option.get_positional()) return "\\fI" + Escaped(option.get_name()) + "\\fR";
  for (const std::string& brief : option.get_snames()) name("-" + brief);
  for (const std::string& whole : option.get_lnames()) name("--" + whole);
  if (option.get_type_size() != 0) heading += " \\fI" + Escaped(option.get_type_name()) + "\\fR";
  return heading;
}

// A paragraph for each option of `app`, those without a dash first.
void AppendOptions(const CLI::App& app, std::string& page) {
  for (const bool positional : {true, false}) {
    for (const CLI::Option* option : app.get_options(IsShown)) {
      if (option->get_positional() != positional) continue;
      page += ".TP\n" + Heading(*option) + "\n" + Escaped(option->get_description());
      page += option->get_required() ? " (required)\n" : "\n";
    }
  }
}

// As it stands in --help: its lines and columns are meant.
void AppendVerbatim(const std::string& text, std::string& page) {
  if (text.empty()) return;
  page += ".PP\n.nf\n" + Escaped(text);
  if (!page.ends_with('\n')) page += '\n';
  page += ".fi\n";
}

std::string Usage(const CLI::App& app, const std::string& path) {
  std::string usage = "\\fB" + Escaped(path) + "\\fR [\\fIoptions\\fR]";
  for (const CLI::Option* option : app.get_options(IsShown)) {
    if (!option->get_positional()) continue;
    const std::string name = "\\fI" + Escaped(option->get_name()) + "\\fR";
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  if (!app.get_subcommands(IsShownCommand).empty()) usage += " \\fIcommand\\fR";
  return usage + "\n";
}

void AppendCommand(const CLI::App& command, const std::string& path, std::string& page) {
  page += ".SS " + Escaped(path) + "\n" + Escaped(command.get_description()) + ".\n.PP\n" +
          Usage(command, path);
  AppendOptions(command, page);
  AppendVerbatim(command.get_footer(), page);
  for (const CLI::App* nested : command.get_subcommands(IsShownCommand))
    AppendCommand(*nested, path + " " + nested->get_name(), page);
}

}  // namespace

std::string ManPage(const CLI::App& app, int section) {
  const std::string& name = app.get_name();
  std::string page = ".TH " + Escaped(name) + " " + std::to_string(section) + " \"\" logvault\n";
  page += ".SH NAME\n" + Escaped(name) + " \\- " + Escaped(app.get_description()) + "\n";
  page += ".SH SYNOPSIS\n" + Usage(app, name);
  page += ".SH OPTIONS\n";
  AppendOptions(app, page);
  const auto commands = app.get_subcommands(IsShownCommand);
  if (!commands.empty()) page += ".SH COMMANDS\n";
  for (const CLI::App* command : commands)
    AppendCommand(*command, name + " " + command->get_name(), page);
  page += ".SH NOTES\n";
  AppendVerbatim(app.get_footer(), page);
  return page;
}

void AddManPageFlag(CLI::App& app, int section) {
  app.set_version_flag(
         "--man-page", [&app, section] { return ManPage(app, section); }, "")
      ->group("");
}

}  // namespace logvault::config
