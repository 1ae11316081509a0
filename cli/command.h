// Command: what main's table holds, and what every command is given.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/interrupt.h"
#include "cli/output_stream.h"
#include "cli/settings.h"
#include "common/clock.h"
#include "config/exit_code.h"

namespace CLI {
class App;
}

namespace logvault::cli {

using config::ExitCode;

// What a command works with; everything outlives it.
struct Environment {
  Settings settings;  // complete
  const Clock& clock;
  Interrupt& interrupt;
  OutputStream& out;
  std::vector<std::string> words;  // the command line as typed, without the program's name
};

// What runs once the command line is parsed.
using Action = std::function<ExitCode(Environment&)>;

// Each adds its options to `command` and returns its action; the options live as long as the action.
Action DefineStatus(CLI::App& command);
Action DefineCheckpoint(CLI::App& command);
Action DefineQuery(CLI::App& command);
Action DefineTail(CLI::App& command);
Action DefineTimeline(CLI::App& command);
Action DefineHosts(CLI::App& command);
Action DefineShow(CLI::App& command);
Action DefineVerify(CLI::App& command);
Action DefineProof(CLI::App& command);
Action DefineReceipt(CLI::App& command);
Action DefineAlerts(CLI::App& command);
Action DefineAudit(CLI::App& command);
Action DefineExport(CLI::App& command);
Action DefineHold(CLI::App& command);
Action DefineRetention(CLI::App& command);
Action DefineDictionary(CLI::App& command);
Action DefineAcceptRollback(CLI::App& command);
Action DefineTrust(CLI::App& command);
Action DefineVaultKey(CLI::App& command);
Action DefinePki(CLI::App& command);
Action DefineCompletion(CLI::App& command);
Action DefineManPage(CLI::App& command);  // hidden

// Tells what went wrong; returns the exit code of a command that ends with it.
ExitCode Fail(const Status& status);

// A check of options that count something: a minus is a mistake, and no very great number.
std::string NotNegative(const std::string& number);

// -o of commands that answer in text or json.
void AddOutputOption(CLI::App& command, bool& json);

}  // namespace logvault::cli
