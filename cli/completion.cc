// `logvault completion SHELL` and `logvault man-page`: what is made of the tables that --help prints.
#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "config/manual.h"

namespace logvault::cli {

Action DefineCompletion(CLI::App& command) {
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command.footer(
      R"(Prints a script for the shell to source; `cmake --install` puts each where its shell looks.

Example:
  source <(logvault completion bash)
)");
  return [shell, &command](Environment& env) {
    const CLI::App& app = *command.get_parent();
    env.out.buffer() += *shell == "bash"  ? BashCompletion(app)
                        : *shell == "zsh" ? ZshCompletion(app)
                                          : FishCompletion(app);
    return ExitCode::kOk;
  };
}

Action DefineManPage(CLI::App& command) {
  command.group("");
  return [&command](Environment& env) {
    env.out.buffer() += config::ManPage(*command.get_parent(), 1);
    return ExitCode::kOk;
  };
}

}  // namespace logvault::cli
