// logvault-collector: receives, verifies, chains, signs and stores; answers investigators.
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "common/clock.h"
#include "common/heap.h"
#include "config/collector_config.h"
#include "config/diagnostics.h"
#include "config/exit_code.h"
#include "config/manual.h"
#include "config/service_manager.h"
#include "net/transport.h"
#include "server/collector.h"
#include "server/vault_keys.h"

namespace logvault {
namespace {

int Exit(config::ExitCode code) { return static_cast<int>(code); }

int Fail(const Status& status) {
  spdlog::error("{}", status.message());
  return Exit(config::ExitCodeFor(status));
}

// A handshake that OpenSSL refuses before our verifier is asked: no certificate, another protocol or version.
constexpr std::string_view kOpensslReason = "SSL routines::";

void LogTransport(bool is_error, const char* text) {
  const std::string_view line(text);
  const std::size_t reason = line.find(kOpensslReason);
  if (is_error && reason != line.npos) {
    spdlog::warn("refused a TLS handshake: {}", line.substr(reason + kOpensslReason.size()));
    return;
  }
  spdlog::log(is_error ? spdlog::level::warn : spdlog::level::debug, "grpc: {}", line);
}

// Blocked before any thread starts, so that only Wait ever sees them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Each search has threads of its own: what one leaves in the cache of the index would hold a whole arena.
constexpr int kArenas = 4;
constexpr std::size_t kFreeKept = 32u << 20;

int Init(const config::CollectorConfig& config, const Clock& clock) {
  Result<std::string> verifier_key = server::CreateVault(config, clock);
  if (verifier_key.ok()) {
    std::printf("%s\n", verifier_key->c_str());
    return Exit(config::ExitCode::kOk);
  }
  spdlog::error("{}", verifier_key.status().message());
  if (verifier_key.status().code() == StatusCode::kAlreadyExists)
    return Exit(config::ExitCode::kUsage);
  return Exit(config::ExitCodeFor(verifier_key.status()));
}

int Check(const config::CollectorConfig& config, const Clock& clock) {
  const Status checked = server::CheckFiles(config, clock);
  if (!checked.ok()) return Fail(checked);
  spdlog::info("the configuration and the files it names are fine");
  return Exit(config::ExitCode::kOk);
}

int AcceptRollback(const config::CollectorConfig& config, const std::string& file,
                   const Clock& clock) {
  Result<std::uint64_t> restored = server::AcceptRollback(config, file, clock);
  if (!restored.ok()) {
    if (restored.status().code() != StatusCode::kNotFound) return Fail(restored.status());
    spdlog::error("{}", restored.status().message());
    return Exit(config::ExitCode::kUsage);
  }
  spdlog::warn(
      "the vault goes on from block {}; forwarders and people who saw more need `trust {}`",
      *restored, file);
  return Exit(config::ExitCode::kOk);
}

int Run(const config::CollectorConfig& config, const Clock& clock) {
  const sigset_t stop_signals = BlockStopSignals();
  KeepFreedMemory(kFreeKept, kArenas);
  net::StartTransport(LogTransport);
  Result<std::unique_ptr<server::Collector>> collector =
      server::Collector::Start(config, clock, [] { kill(getpid(), SIGTERM); });
  if (!collector.ok()) {
    if (collector.status().code() == StatusCode::kNotFound) {
      spdlog::error("{}; a new vault is made with --init", collector.status().message());
      return Exit(config::ExitCode::kUsage);
    }
    return Fail(collector.status());
  }
  std::fprintf(stderr, "ready ingest=%s query=%s\n", (*collector)->ingest_address().c_str(),
               (*collector)->query_address().c_str());
  std::fflush(stderr);
  config::TellReady();

  int signal = 0;
  sigwait(&stop_signals, &signal);
  config::TellStopping();
  spdlog::info("stopping");
  const Status halted = (*collector)->halted();
  return halted.ok() ? Exit(config::ExitCode::kOk) : Fail(halted);
}

constexpr const char* kNotes =
    R"(deploy/collector.yaml shows every key of the configuration; what it names by a relative path lies beside it.  When both
listeners answer, standard error has one line: ready ingest=ADDR query=ADDR.  SIGTERM: flush, close, end.

Exit codes: 0 done   2 configuration; the vault is missing, or with --init is there   4 integrity: the vault contradicts its anchor

Examples:
  logvault-collector --config /etc/logvault/collector.yaml --check
  logvault-collector --config /etc/logvault/collector.yaml --init
  logvault-collector --config /etc/logvault/collector.yaml)";

int Main(int argc, char** argv) {
  config::StartDiagnostics("logvault-collector");
  CLI::App app{"Receives, verifies, chains, signs and stores logs; answers investigators.",
               "logvault-collector"};
  config::AddManPageFlag(app, 8);
  std::string config_file;
  bool check = false;
  bool init = false;
  app.add_option("--config", config_file, "The configuration (YAML)")
      ->required()
      ->type_name("FILE");
  CLI::Option* check_flag =
      app.add_flag("--check", check, "Check the configuration and its files, then exit");
  app.add_flag("--init", init, "Make the vault, print its public key, then exit")
      ->excludes(check_flag);
  std::string rollback;
  CLI::Option* rollback_option =
      app.add_option("--accept-rollback", rollback,
                     "Go on from an older copy, as an administrator signed it "
                     "(`logvault accept-rollback`), then exit")
          ->type_name("FILE");
  for (const char* other : {"--check", "--init"}) rollback_option->excludes(app.get_option(other));
  app.footer(kNotes);
  try {  // CLI11 reports by exceptions
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? Exit(config::ExitCode::kOk) : Exit(config::ExitCode::kUsage);
  }

  Result<config::CollectorConfig> config = config::LoadCollectorConfig(config_file);
  if (!config.ok()) {
    spdlog::error("{}", config.status().message());
    return Exit(config::ExitCode::kUsage);
  }
  const SystemClock clock;
  if (check) return Check(*config, clock);
  if (init) return Init(*config, clock);
  if (!rollback.empty()) return AcceptRollback(*config, rollback, clock);
  return Run(*config, clock);
}

}  // namespace
}  // namespace logvault

int main(int argc, char** argv) { return logvault::Main(argc, argv); }
