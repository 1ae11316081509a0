// logvault-forwarder: command line, configuration, signals; the rest is forwarder.h's.
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <optional>

#include "common/clock.h"
#include "common/heap.h"
#include "config/diagnostics.h"
#include "config/exit_code.h"
#include "config/forwarder_config.h"
#include "config/manual.h"
#include "config/service_manager.h"
#include "config/small_file.h"
#include "config/units.h"
#include "forwarder/check.h"
#include "forwarder/forwarder.h"
#include "forwarder/identity.h"
#include "forwarder/spool_command.h"
#include "forwarder/spool_status.h"
#include "forwarder/state_socket.h"
#include "forwarder/trust.h"
#include "net/ingest_client.h"
#include "net/transport.h"

namespace {

using logvault::Result;
using logvault::Status;
using logvault::config::ExitCode;
using logvault::config::ForwarderConfig;
namespace forwarder = logvault::forwarder;

// Each arena keeps what its threads left free: with two, the peak is the lowest.
constexpr int kArenas = 2;
constexpr std::size_t kFreeKept = 8u << 20;

struct CommandLine {
  std::string config;
  bool check = false;
  bool drain = false;
  std::string timeout = "60s";
  bool status = false;
  bool all_notes = false;
  std::string trust;  // the directive's file
  bool inspect_spool = false;
  bool verify_spool = false;
};

int Exit(ExitCode code) { return static_cast<int>(code); }

// What fails before anything was read or shipped is the configuration's fault; a damaged spool needs a person.
int Fail(const Status& failure) {
  spdlog::error("{}", failure.message());
  return Exit(failure.code() == logvault::StatusCode::kCorruption ? ExitCode::kAttention
                                                                  : ExitCode::kUsage);
}

forwarder::Shipper::Connect ConnectWith(const ForwarderConfig& config,
                                        const std::string& vault_name) {
  auto kept = std::make_shared<logvault::net::KeptCertificate>();
  return [&config, vault_name, kept](const std::string& address) {
    logvault::net::IngestClientOptions options;
    options.address = address;
    options.ca_file = config.tls.ca;
    options.cert_file = config.tls.cert;
    options.key_file = config.tls.key;
    options.vault_name = vault_name;
    options.kept = kept;
    return logvault::net::ConnectIngest(options);
  };
}

// Blocks the signals that end us in every thread to come, and makes them readable.
int OpenStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Needs no certificate of this host, only the vault's public key.
int TellStatus(const CommandLine& command, const ForwarderConfig& config) {
  Result<logvault::pki::VaultPublic> vault = logvault::pki::LoadVaultPublic(config.vault_key);
  if (!vault.ok()) return Fail(vault.status());
  Result<forwarder::SpoolStatus> status = forwarder::ReadSpoolStatus(config.spool.dir);
  if (!status.ok()) return Fail(status.status());
  // The running forwarder's own words first: who compares checkpoints reads the end.
  Result<std::string> running = forwarder::AskState(config.spool.dir);
  std::fputs(running.ok() ? running->c_str() : "not running\n", stdout);
  const std::string text = forwarder::Describe(*status, vault->verifier, command.all_notes);
  std::fputs(text.c_str(), stdout);
  if (forwarder::HasProofOfFork(*status, vault->verifier)) return Exit(ExitCode::kIntegrity);
  const bool refused = forwarder::HasRefused(*status, vault->verifier);
  return Exit(refused ? ExitCode::kAttention : ExitCode::kOk);
}

int TellSpool(const CommandLine& command, const ForwarderConfig& config) {
  const forwarder::SpoolAnswer answer = command.verify_spool
                                            ? forwarder::VerifySpool(config.spool.dir)
                                            : forwarder::InspectSpool(config.spool.dir);
  std::fputs(answer.text.c_str(), stdout);
  if (!answer.trouble.empty()) spdlog::error("{}", answer.trouble);
  return Exit(answer.code);
}

int Trust(const CommandLine& command, const ForwarderConfig& config) {
  Result<std::string> said = forwarder::TrustRollback(config, command.trust);
  if (!said.ok()) {
    spdlog::error("{}", said.status().message());
    return Exit(logvault::config::ExitCodeFor(said.status()));
  }
  spdlog::warn("{}", *said);
  return Exit(ExitCode::kOk);
}

int Run(const CommandLine& command, const ForwarderConfig& config, std::int64_t timeout) {
  Result<forwarder::LoadedIdentity> identity = forwarder::LoadIdentity(config);
  if (!identity.ok()) return Fail(identity.status());
  if (command.check) return Exit(forwarder::CheckSources(config));
  logvault::SystemClock clock;
  const forwarder::RunMode mode =
      command.drain ? forwarder::RunMode::kDrain : forwarder::RunMode::kFollow;
  const int stop_fd = command.drain ? -1 : OpenStopSignals();
  Result<std::unique_ptr<forwarder::Forwarder>> opened =
      forwarder::Forwarder::Open(config, identity->host, identity->vault.verifier,
                                 ConnectWith(config, identity->vault.vault_name()), mode, clock);
  if (!opened.ok()) return Fail(opened.status());
  if (command.drain) return Exit((*opened)->Drain(timeout));
  std::fputs("ready\n", stderr);
  logvault::config::TellReady();
  return Exit((*opened)->Follow(stop_fd));
}

void AddSubcommands(CLI::App& app, CommandLine& command) {
  auto* status = app.add_subcommand(
      "status", "what waits in the spool, and the newest checkpoint that this host verified");
  status->fallthrough();
  status->add_flag("--all", command.all_notes, "the older checkpoints too");
  status->callback([&command] { command.status = true; });
  auto* trust = app.add_subcommand(
      "trust", "go on with a vault that was set back, as an administrator signed it");
  trust->fallthrough();
  trust->add_option("FILE", command.trust, "from `logvault accept-rollback`")
      ->required()
      ->type_name("");
  auto* spool = app.add_subcommand("spool", "the queue on this host's disk");
  spool->fallthrough();
  spool->require_subcommand(1);
  auto* inspect = spool->add_subcommand("inspect", "what the spool holds");
  inspect->fallthrough();
  inspect->callback([&command] { command.inspect_spool = true; });
  auto* verify = spool->add_subcommand("verify", "whether all of it is what was written");
  verify->fallthrough();
  verify->callback([&command] { command.verify_spool = true; });
  app.require_subcommand(0, 1);
}

// The command line, or the exit code of what it ends with.
std::optional<int> ParseCommandLine(int argc, char** argv, CommandLine& command) {
  CLI::App app{
      "Reads this host's logs, seals them, and ships them to the vault for as long as it takes.",
      "logvault-forwarder"};
  logvault::config::AddManPageFlag(app, 8);
  app.add_option("--config", command.config, "forwarder.yaml")->required()->type_name("FILE");
  auto* check =
      app.add_flag("--check", command.check, "say whether the configuration can work, and end");
  auto* drain =
      app.add_flag("--drain", command.drain, "ship every file to its present end, and end");
  app.add_option("--timeout", command.timeout,
                 "with --drain: give up after this long without progress")
      ->needs(drain)
      ->capture_default_str();
  check->excludes(drain);
  AddSubcommands(app, command);
  app.footer(
      "Exit codes: 0 done; 2 configuration, or the spool is in use; 4 the vault contradicts what "
      "it signed, or the\nspool is damaged (spool verify); 5 not permitted; 6 no progress; 7 done, "
      "but a source needs attention.");
  try {
    app.parse(argc, argv);
    if (!app.get_subcommands().empty() && (command.check || command.drain)) {
      throw CLI::ValidationError(app.get_subcommands().front()->get_name() +
                                 " goes with neither --check nor --drain");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : Exit(ExitCode::kUsage);
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine command;
  if (std::optional<int> ended = ParseCommandLine(argc, argv, command); ended.has_value())
    return *ended;
  logvault::KeepFreedMemory(kFreeKept, kArenas);
  logvault::config::StartDiagnostics("logvault-forwarder");
  logvault::net::StartTransport(nullptr);
  // No core dump may hold K_0 or the epoch's key.
  (void)prctl(PR_SET_DUMPABLE, 0);
  if (!logvault::evidence::LockKeyMemory())
    spdlog::warn("key memory cannot be locked: it may be swapped out");
  Result<std::int64_t> timeout = logvault::config::ParseDuration(command.timeout);
  if (timeout.ok() && *timeout <= 0) timeout = logvault::InvalidArgument("must be more than 0");
  if (!timeout.ok()) return Fail(timeout.status().WithContext("--timeout"));
  Result<ForwarderConfig> config = logvault::config::LoadForwarderConfig(command.config);
  if (!config.ok()) return Fail(config.status());
  if (!command.trust.empty()) return Trust(command, *config);
  if (command.inspect_spool || command.verify_spool) return TellSpool(command, *config);
  return command.status ? TellStatus(command, *config) : Run(command, *config, *timeout);
}
