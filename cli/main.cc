// logvault: the investigator's tool.  main is the table of commands and the wiring between the command line and
// them; each command is in a file of its name.
#include <CLI/CLI.hpp>

#include <array>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/mistake.h"

namespace logvault::cli {
namespace {

struct CommandEntry {
  const char* name;
  const char* summary;
  Action (*define)(CLI::App& command);
};

constexpr std::array<CommandEntry, 22> kCommands = {{
    {"status", "is the vault there, and where does it stand", DefineStatus},
    {"query", "search the records", DefineQuery},
    {"tail", "what the vault takes in, as it arrives", DefineTail},
    {"timeline", "matches counted by stretches of time", DefineTimeline},
    {"hosts", "hosts and sources: first, last, records, gaps, silence", DefineHosts},
    {"show", "one record: its bytes, fields and block", DefineShow},
    {"verify", "recompute the history and name every bad block", DefineVerify},
    {"proof", "one record with its proof, and the check of one", DefineProof},
    {"receipt", "check what a search was answered: ask it again at that tree size", DefineReceipt},
    {"alerts", "what the vault raised, and who reviewed it: list, review", DefineAlerts},
    {"audit", "who asked what, when, and how it ended", DefineAudit},
    {"export", "records with their proof as one signed file, and the check of one", DefineExport},
    {"checkpoint", "the newest signed checkpoint, to keep elsewhere", DefineCheckpoint},
    {"hold", "protect records from deletion, and end that: add, list, release", DefineHold},
    {"retention", "how long records are kept: set, list", DefineRetention},
    {"dictionary", "what small batches are compressed with: train, set, remove, list",
     DefineDictionary},
    {"accept-rollback", "sign that a vault may go on from an older copy", DefineAcceptRollback},
    {"trust", "go on with a vault that was set back, as an administrator signed it", DefineTrust},
    {"vault-key", "change the vault's key: change, retire, list, save", DefineVaultKey},
    {"pki", "the certificate authority: init, issue, revoke; rotate, retire", DefinePki},
    {"completion", "what a shell offers while a command line is typed", DefineCompletion},
    {"man-page", "this program's man page", DefineManPage},
}};

constexpr const char* kFooter =
    R"(The vault and the credentials are taken from the flags, else from LOGVAULT_VAULT and LOGVAULT_CREDENTIALS, else from
$XDG_CONFIG_HOME/logvault/config.yaml (keys vault and credentials).  The newest checkpoint of each vault is kept under
$XDG_STATE_HOME/logvault and compared on every connection.

Exit codes: 0 found, fine   1 nothing matches, search complete   2 usage, query or configuration   3 incomplete
            4 integrity failure   5 not permitted   6 cannot connect   7 attention needed   130 interrupted

Examples:
  logvault --vault 10.0.0.5:7444 --credentials ./alice status
  logvault query 'source=geoserver "exec("' --since 7d
  logvault --offline /mnt/copy/vault query xp_cmdshell
  logvault COMMAND --help)";

// Help of a command also names the options that may stand anywhere.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_footer(const CLI::App* app) const override {
    const std::string own = CLI::Formatter::make_footer(app);
    if (app->get_parent() == nullptr) return own;
    return own +
           "\nEverywhere: --vault HOST:PORT  --credentials DIR  --offline VAULT_DIR (`logvault "
           "--help`)\n";
  }
};

void AddGlobalOptions(CLI::App& app, Settings& settings) {
  app.add_option("--vault", settings.vault, "the collector's query address")
      ->type_name("HOST:PORT");
  app.add_option("--credentials", settings.credentials,
                 "folder with ca.pem cert.pem key.pem vault.pub")
      ->type_name("DIR");
  app.add_option("--offline", settings.offline,
                 "read a vault's folder instead, without any certificate")
      ->type_name("VAULT_DIR");
}

// The options of `command` and of its subcommands may be mixed with the global ones.
void LetGlobalOptionsThrough(CLI::App& command) {
  command.fallthrough();
  for (CLI::App* nested : command.get_subcommands([](CLI::App*) { return true; }))
    LetGlobalOptionsThrough(*nested);
}

bool IsCommand(const CLI::App& app, std::string_view name) {
  return !app.get_subcommands(
                 [name](const CLI::App* command) { return command->get_name() == name; })
              .empty();
}

// What stands where a command must, and is none.
std::string UnknownCommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-' || IsCommand(app, argv[1])) return {};
  return argv[1];
}

// The arguments as CLI11 takes them: the last first.  It reads a list into "[a,b]", which to us is a term: a
// blank behind the bracket keeps it one (cli/query_options.cc takes it off names again).
std::vector<std::string> Protected(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    arguments.emplace_back(argv[i]);
    std::string& argument = arguments.back();
    if (argument.starts_with('[') && argument.ends_with(']')) argument += ' ';
  }
  return arguments;
}

ExitCode RunAction(const Action& action, const Settings& flags, Interrupt& interrupt,
                   std::vector<std::string> words) {
  Result<Settings> settings = CompleteSettings(flags);
  if (!settings.ok()) return Fail(settings.status());
  SystemClock clock;
  OutputStream out;
  Environment env{*std::move(settings), clock, interrupt, out, std::move(words)};
  const ExitCode code = action(env);
  out.Finish();
  if (out.status().ok()) return code;
  // What was found did not arrive whole.
  Tell(out.status().message());
  return config::Worse(code, ExitCode::kIncomplete);
}

ExitCode Main(int argc, char** argv) {
  Interrupt interrupt;
  CLI::App app("search and verify an out-of-band log vault", "logvault");
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.footer(kFooter);
  Settings settings;
  AddGlobalOptions(app, settings);
  std::map<const CLI::App*, Action> actions;
  for (const CommandEntry& entry : kCommands) {
    CLI::App* command = app.add_subcommand(entry.name, entry.summary);
    command->footer("");  // not the program's
    actions[command] = entry.define(*command);
    LetGlobalOptionsThrough(*command);
  }
  if (std::string unknown = UnknownCommand(app, argc, argv); !unknown.empty()) {
    Tell(UnknownCommandText(app, unknown));
    return ExitCode::kUsage;
  }
  try {
    app.parse(Protected(argc, argv));
  } catch (const CLI::ParseError& error) {  // CLI11's way to end; also of --help
    if (error.get_exit_code() != 0) {
      Tell(Explain(app, error));
      return ExitCode::kUsage;
    }
    app.exit(error, std::cout, std::cerr);
    return ExitCode::kOk;
  }
  return RunAction(actions.at(app.get_subcommands().front()), settings, interrupt,
                   {argv + 1, argv + argc});
}

}  // namespace
}  // namespace logvault::cli

int main(int argc, char** argv) { return static_cast<int>(logvault::cli::Main(argc, argv)); }
