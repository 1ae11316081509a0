#include "server/collector.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "config/service_manager.h"
#include "evidence/checkpoint.h"
#include "net/call_gate.h"
#include "net/listener.h"
#include "net/server_credentials.h"
#include "server/alerts.h"
#include "server/index_keeper.h"
#include "server/ingest_context.h"
#include "server/ingest_service.h"
#include "server/metrics.h"
#include "server/own_certificate_watch.h"
#include "server/query_context.h"
#include "server/query_service.h"
#include "server/retention_keeper.h"
#include "server/vault_keys.h"

namespace logvault::server {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr int kStopGraceMs = 2'000;
constexpr std::size_t kIngestCallsWaiting = 4096;

int IngestThreads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2u, 16u));
}

struct Files {
  net::OwnCertificate own;
  std::unique_ptr<pki::RevocationFile> revocation;
  VaultKeys keys;
};

Result<Files> LoadFiles(const config::CollectorConfig& config, const Clock& clock) {
  Result<net::OwnCertificate> own = LoadOwnCertificate(config, clock);
  if (!own.ok()) return own.status();
  Result<std::unique_ptr<pki::RevocationFile>> revocation =
      pki::RevocationFile::Open(config.tls.crl, config.tls.ca, clock);
  if (!revocation.ok()) return InvalidArgument("tls.crl: " + revocation.status().message());
  Result<VaultKeys> keys = VaultKeys::Load(config.signing_key);
  if (!keys.ok()) return keys.status();
  return Files{*std::move(own), *std::move(revocation), *std::move(keys)};
}

// A vault holds the name and the CA it was made with; configuration cannot change them.  Its keys in force must be at hand.
Status CheckVault(const storage::Vault& vault, const config::CollectorConfig& config,
                  const Files& files) {
  const evidence::GenesisBody& genesis = vault.genesis();
  if (genesis.origin.substr(0, genesis.origin.find('/')) != config.vault_name) {
    return InvalidArgument("the vault in " + config.vault_dir + " is " + genesis.origin +
                           ", the configuration asks for " + config.vault_name);
  }
  for (const evidence::VaultKey& key : vault.governance()->keys()) {
    if (!key.last_size && !files.keys.CanOpen(key.opening_public_key))
      return InvalidArgument(config.signing_key + " does not hold the vault's X25519 key");
  }
  Result<pki::Certificate> configured = pki::Certificate::FromPem(files.own.ca_pem);
  if (!configured.ok()) return configured.status();
  Result<pki::Certificate> recorded = pki::Certificate::FromPem(genesis.ca_pem);
  if (!recorded.ok()) return recorded.status();
  if (configured->ToDer() != recorded->ToDer()) {
    return InvalidArgument(config.tls.ca + " is not the CA that the vault was made with");
  }
  return Status::Ok();
}

Status KnowHosts(const storage::Reader& reader, SilenceWatch& silence) {
  Result<std::vector<storage::StreamHead>> streams = reader.Streams();
  if (!streams.ok()) return streams.status();
  for (const storage::StreamHead& stream : *streams)
    silence.Know(stream.host, stream.last_commit_time);
  Result<std::vector<storage::Silence>> silent = reader.Silences();
  if (!silent.ok()) return silent.status();
  for (const storage::Silence& host : *silent) silence.KnowSilent(host.host, host.last_seen);
  return Status::Ok();
}

// A restart gives nobody a new day's budget.
Status KnowDayUses(const storage::Reader& reader, HostBudgets& budgets) {
  Result<std::vector<storage::DayUse>> uses = reader.DayUses();
  if (!uses.ok()) return uses.status();
  for (const storage::DayUse& use : *uses) budgets.Know(use.host, use.day, use.bytes);
  return Status::Ok();
}

}  // namespace

// Everything in the order it is built; what comes later uses what comes before.
struct Collector::Parts {
  Parts(const config::CollectorConfig& config_, const Clock& clock_, Files files_,
        std::unique_ptr<storage::Vault> vault_, std::function<void()> on_halt)
      : config(config_),
        clock(clock_),
        files(std::move(files_)),
        vault(std::move(vault_)),
        halt(std::move(on_halt)) {}

  const config::CollectorConfig config;
  const Clock& clock;
  const Files files;
  const std::unique_ptr<storage::Vault> vault;

  Counters counters;
  Halt halt;
  AlertLimiter alerts{clock};
  FlushPace pace;
  SessionTable sessions{clock};
  SilenceWatch silence{config.silence_after_ns, clock};
  HostFigures figures;
  HostBudgets budgets{config.host_bytes_per_day, clock};
  SealKeys seal_keys{vault->reader()};

  const net::CallGate ingest_gate{
      {"ingest", config.vault_name, {pki::Role::kForwarder}, net::WhenCrlExpired::kGoOn},
      *files.revocation,
      clock};
  const net::CallGate query_gate{{"query",
                                  config.vault_name,
                                  {pki::Role::kInvestigator, pki::Role::kAdmin},
                                  net::WhenCrlExpired::kRefuse},
                                 *files.revocation,
                                 clock};

  WorkPool ingest_pool{IngestThreads(), kIngestCallsWaiting};
  WorkPool query_pool{kQueriesRunning, kQueriesWaiting};
  WorkPool tail_pool{kTailsRunning, kTailsWaiting};
  storage::Committer committer{*vault};

  IngestContext ingest_context{clock,
                               *vault,
                               committer,
                               files.keys.opening,
                               *files.revocation,
                               ingest_gate,
                               sessions,
                               silence,
                               seal_keys,
                               budgets,
                               alerts,
                               counters,
                               figures,
                               pace,
                               halt,
                               config.host_bytes_per_day,
                               ingest_pool};
  AccessLog access_log{*vault, committer};
  CallLimiter limiter{clock};
  query::IndexCache index_cache;
  IndexKeeper index{*vault, committer, counters};
  QueryContext query_context{clock,   *vault,     files.keys, query_gate, sessions,
                             silence, access_log, limiter,    counters,   index_cache,
                             index,   query_pool, tail_pool};
  RetentionKeeper retention{*vault, committer, counters, clock};
  IngestService ingest_service{ingest_context};
  QueryService query_service{query_context};

  std::unique_ptr<net::PresentedCertificate> presented;
  std::unique_ptr<OwnCertificateWatch> own_certificate;
  std::unique_ptr<net::Listener> ingest_listener;
  std::unique_ptr<net::Listener> query_listener;
  std::unique_ptr<MetricsEndpoint> metrics;

  Status Listen();
};

Status Collector::Parts::Listen() {
  Result<std::unique_ptr<net::PresentedCertificate>> made =
      net::PresentedCertificate::Make(files.own);
  if (!made.ok()) return made.status();
  presented = *std::move(made);
  own_certificate = std::make_unique<OwnCertificateWatch>(config, files.own, *presented, clock);
  const auto credentials = net::MakeServerCredentials(
      *presented, files.own.ca_pem, clock, [this](const std::string& reason) {
        ++counters.refused_handshakes;
        spdlog::warn("refused a TLS handshake: {}", reason);
      });
  net::ListenerOptions options;
  options.name = "query";
  options.address = config.listen_query;
  Result<std::unique_ptr<net::Listener>> query =
      net::Listener::Start(options, credentials, query_service, query_gate);
  if (!query.ok()) return InvalidArgument("listen.query: " + query.status().message());
  query_listener = *std::move(query);

  if (config.metrics.has_value()) {
    Result<std::unique_ptr<MetricsEndpoint>> endpoint =
        MetricsEndpoint::Start(*config.metrics, {counters, figures, sessions, committer, *vault});
    if (!endpoint.ok()) return InvalidArgument(endpoint.status().message());
    metrics = *std::move(endpoint);
  }

  options.name = "ingest";
  options.address = config.listen_ingest;
  Result<std::unique_ptr<net::Listener>> ingest =
      net::Listener::Start(options, credentials, ingest_service, ingest_gate);
  if (!ingest.ok()) return InvalidArgument("listen.ingest: " + ingest.status().message());
  ingest_listener = *std::move(ingest);
  silence.ListenerUp();
  return Status::Ok();
}

Result<std::unique_ptr<Collector>> Collector::Start(const config::CollectorConfig& config,
                                                    const Clock& clock,
                                                    std::function<void()> on_halt) {
  Result<Files> files = LoadFiles(config, clock);
  if (!files.ok()) return files.status();
  storage::VaultOptions options;
  options.dir = config.vault_dir;
  options.anchor = config.anchor;
  options.certificate_check = pki::CheckCertificateOf;
  Result<std::unique_ptr<storage::Vault>> vault =
      storage::Vault::Open(options, files->keys.signing, clock);
  if (!vault.ok()) return vault.status();
  LV_RETURN_IF_ERROR(CheckVault(**vault, config, *files));

  auto parts = std::make_unique<Parts>(config, clock, *std::move(files), *std::move(vault),
                                       std::move(on_halt));
  LV_RETURN_IF_ERROR(KnowHosts(parts->vault->reader(), parts->silence));
  LV_RETURN_IF_ERROR(KnowDayUses(parts->vault->reader(), parts->budgets));
  LV_RETURN_IF_ERROR(parts->Listen());
  return std::unique_ptr<Collector>(new Collector(std::move(parts)));
}

Collector::Collector(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)),
      ticker_([this](const std::stop_token& stop) { TickEachSecond(stop); }) {}

Collector::~Collector() {
  ticker_.request_stop();
  ticker_.join();
  const Status why = halted();
  parts_->sessions.CutAll(why.ok() ? Unavailable("the collector is stopping") : why);
  parts_->access_log.stopping = true;
  parts_->ingest_listener->Stop(kStopGraceMs);
  parts_->query_listener->Stop(kStopGraceMs);
  // A session that was cut may still be opening; it uses the committer, which goes before the pool.
  parts_->ingest_pool.Drain();
  parts_->query_pool.Drain();
  parts_->tail_pool.Drain();
}

const std::string& Collector::ingest_address() const { return parts_->ingest_listener->address(); }
const std::string& Collector::query_address() const { return parts_->query_listener->address(); }
const storage::Vault& Collector::vault() const { return *parts_->vault; }
const Counters& Collector::counters() const { return parts_->counters; }
Status Collector::halted() const { return parts_->halt.status(); }

void Collector::TickEachSecond(const std::stop_token& stop) {
  Mutex mutex;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    Tick();
    MutexLock lock(mutex);
    never.wait_for(mutex, stop, kTick, [] { return false; });
  }
}

void Collector::Tick() {
  MutexLock lock(tick_mutex_);
  config::TellAlive();
  parts_->own_certificate->Tick();
  parts_->counters.certificate_not_after = parts_->own_certificate->not_after();
  WatchRevocation();
  WatchSessions();
  WatchSilence();
  WatchDisk();
  parts_->pace.Tick();
  parts_->counters.flush_interval_ms = parts_->ingest_context.FlushIntervalMs();
  parts_->retention.Tick();
  parts_->index.Tick();
}

void Collector::WatchRevocation() {
  const Status refreshed = parts_->files.revocation->Refresh();
  if (!refreshed.ok() && refreshed.message() != last_revocation_error_) {
    spdlog::error("the revocation list was not taken, the one before stays in force: {}",
                  refreshed.message());
  }
  last_revocation_error_ = refreshed.message();
  parts_->counters.crl_next_update = parts_->files.revocation->next_update();
  if (parts_->files.revocation->IsExpired() && parts_->alerts.Allow("crl_expired")) {
    parts_->ingest_context.Raise(CrlExpiredAlert());
  }
}

// A disk that cannot be looked at limits nobody: the vault's own reserve does.
void Collector::WatchDisk() {
  std::error_code error;
  const std::filesystem::space_info disk = std::filesystem::space(parts_->config.vault_dir, error);
  if (error) return;
  parts_->budgets.SetShare(EvenShare(disk.capacity, disk.available, parts_->budgets.hosts()));
}

void Collector::WatchSessions() {
  for (const SessionTable::Clone& clone : parts_->sessions.Sweep()) {
    parts_->ingest_context.Raise(CloneAlert(clone.host, clone.address, clone.first_address));
  }
}

void Collector::WatchSilence() {
  const SilenceWatch::Changes changes = parts_->silence.Tick();
  std::vector<storage::Entry> entries = SilenceEntries(changes);
  if (entries.empty()) return;
  for (const storage::Entry& entry : entries) spdlog::warn("silence: {}", entry.body);
  const auto not_recorded = [&silence = parts_->silence, changes](const Status& why) {
    spdlog::error("a silence was not recorded, and will be tried again: {}", why.ToString());
    silence.NotRecorded(changes);
  };
  const Status queued = parts_->committer.Submit(
      std::move(entries), [not_recorded](const Result<storage::Commit>& commit) {
        if (!commit.ok()) not_recorded(commit.status());
      });
  if (!queued.ok()) not_recorded(queued);
}

Status CheckFiles(const config::CollectorConfig& config, const Clock& clock) {
  return LoadFiles(config, clock).status();
}

}  // namespace logvault::server
