#include "cli/command.h"

#include <CLI/CLI.hpp>

namespace logvault::cli {

ExitCode Fail(const Status& status) {
  Tell(status.message());
  return config::ExitCodeFor(status);
}

std::string NotNegative(const std::string& number) {
  return number.starts_with('-') ? number + ": less than 0" : "";
}

void AddOutputOption(CLI::App& command, bool& json) {
  command
      .add_option_function<std::string>(
          "-o,--output", [&json](const std::string& format) { json = format == "json"; },
          "text (default) or json")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}).description(""));
}

}  // namespace logvault::cli
