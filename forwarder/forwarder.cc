#include "forwarder/forwarder.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "config/service_manager.h"
#include "forwarder/make_source.h"
#include "forwarder/text_pages.h"
#include "pki/certificate.h"

namespace logvault::forwarder {

namespace {

using config::ExitCode;
using config::SourceConfig;
using config::SourceType;

// Trouble that only changes its figures is told this often.
constexpr std::int64_t kRepeatTroubleNanos = 60 * kNanosPerSecond;
// By then the first session is open, or is not to be had for a while.
constexpr std::int64_t kStartNanos = 5 * kNanosPerSecond;

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string StartRecord(const config::ForwarderConfig& config, RunMode mode) {
  nlohmann::json sources = nlohmann::json::array();
  for (const SourceConfig& source : config.sources) sources.push_back(source.name);
  return Dump({{"type", "start"},
               {"mode", mode == RunMode::kDrain ? "drain" : "follow"},
               {"sources", std::move(sources)},
               {"version", 1}});
}

ShipperOptions ShippingOf(const config::ForwarderConfig& config) {
  ShipperOptions options;
  options.addresses = config.collectors;
  v1::StreamDescriptor own;
  own.set_source(std::string(kOwnSource));
  own.set_format(std::string(kOwnFormat));
  own.set_descriptor_json(R"({"type":"logvault"})");
  options.streams.push_back(std::move(own));
  for (const SourceConfig& source : config.sources)
    options.streams.push_back(DescribeSource(source));
  return options;
}

}  // namespace

Forwarder::Forwarder(HostIdentity identity, const Clock& clock)
    : identity_(std::move(identity)), clock_(clock), handover_(to_intake_, to_shipper_) {}

Forwarder::~Forwarder() { StopShipping(); }

Result<std::unique_ptr<Forwarder>> Forwarder::Open(const config::ForwarderConfig& config,
                                                   HostIdentity identity,
                                                   const evidence::VerifierKey& vault_key,
                                                   Shipper::Connect connect, RunMode mode,
                                                   const Clock& clock) {
  std::unique_ptr<Forwarder> self(new Forwarder(std::move(identity), clock));
  SpoolOptions spool_options;
  spool_options.dir = config.spool.dir;
  spool_options.max_bytes = config.spool.max_bytes;
  spool_options.drop_oldest = config.spool.when_full == config::WhenFull::kDropOldest;
  spool_options.keep_acked_bytes = config.spool.keep_acked_bytes;
  spool_options.vault_key = vault_key;
  Result<std::unique_ptr<Spool>> spool = Spool::Open(spool_options, self->identity_.host);
  if (!spool.ok()) return spool.status();
  self->spool_ = *std::move(spool);
  if (self->spool_->salvaged().has_value())
    spdlog::error("{}", self->spool_->salvaged()->Sentence());
  Result<std::string> note = self->spool_->Note();
  if (!note.ok()) return note.status();
  Result<std::unique_ptr<Witness>> witness = Witness::Open(*note, vault_key);
  if (!witness.ok()) return witness.status();
  self->witness_ = *std::move(witness);
  IntakeOptions intake_options;
  intake_options.heartbeat_nanos = config.heartbeat_ns;
  intake_options.start_record = StartRecord(config, mode);
  Result<std::unique_ptr<Intake>> intake =
      Intake::Open(std::move(intake_options), self->identity_, *self->spool_, *self->witness_,
                   self->handover_, self->to_shipper_, clock);
  if (!intake.ok()) return intake.status();
  self->intake_ = *std::move(intake);
  LV_RETURN_IF_ERROR(self->AddSources(config, mode));
  LV_RETURN_IF_ERROR(self->intake_->LoadHeads());
  self->shipper_ = std::make_unique<Shipper>(ShippingOf(config), std::move(connect), *self->spool_,
                                             *self->witness_, self->handover_, clock);
  LV_RETURN_IF_ERROR(self->StartWatching(config, mode));
  return self;
}

Status Forwarder::AddSources(const config::ForwarderConfig& config, RunMode mode) {
  for (const SourceConfig& source : config.sources) {
    // Network sources have no end to drain to.
    if (mode == RunMode::kDrain && source.type != SourceType::kFile) continue;
    LV_RETURN_IF_ERROR(CheckSource(source));
    Result<std::unique_ptr<Source>> made =
        MakeSource(source, config.tls, mode == RunMode::kDrain, clock_);
    if (!made.ok()) return made.status();
    sources_.push_back({source.name, made->get()});
    intake_->AddSource(source.name, DescribeSource(source).format(), *std::move(made));
  }
  return Status::Ok();
}

// A drain is too short to be watched.
Status Forwarder::StartWatching(const config::ForwarderConfig& config, RunMode mode) {
  Result<pki::Certificate> certificate = pki::Certificate::FromDer(identity_.certificate_der);
  const UnixNanos not_after = certificate.ok() ? certificate->not_after() : 0;
  certificate_ = std::make_unique<CertificateWatch>(config.tls.cert, not_after, clock_);
  figures_ = std::make_unique<FigureKeeper>(*intake_, *spool_, *shipper_, clock_);
  if (mode == RunMode::kDrain) return Status::Ok();
  Result<std::unique_ptr<StateSocket>> socket = StateSocket::Open(config.spool.dir);
  if (!socket.ok()) spdlog::warn("status will not show this run: {}", socket.status().message());
  if (socket.ok()) state_socket_ = *std::move(socket);
  if (!config.metrics.has_value()) return Status::Ok();
  Result<std::unique_ptr<MetricsEndpoint>> endpoint = MetricsEndpoint::Start(*config.metrics);
  if (!endpoint.ok()) return InvalidArgument(endpoint.status().message());
  metrics_ = *std::move(endpoint);
  return Status::Ok();
}

void Forwarder::StartShipping() {
  shipping_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::int64_t wait = shipper_->Step();
      if (wait > 0) to_shipper_.Wait(wait);
      to_intake_.Ring();  // Room, a session, or a reason why not.
    }
    shipper_->Close();
  });
}

void Forwarder::StopShipping() {
  if (!shipping_.joinable()) return;
  shipping_.request_stop();
  shipper_->Cancel();
  to_shipper_.Ring();
  shipping_.join();
}

void Forwarder::WaitForNews(int stop_fd, std::int64_t nanos, bool* stop) {
  std::vector<pollfd> waiting = {{to_intake_.fd(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
  for (const FileOrNetwork& source : sources_) {
    if (int fd = source.source->poll_fd(); fd >= 0 && !intake_->blocked())
      waiting.push_back({fd, POLLIN, 0});
  }
  if (state_socket_ != nullptr) waiting.push_back({state_socket_->fd(), POLLIN, 0});
  (void)::poll(waiting.data(), waiting.size(), static_cast<int>(nanos / 1'000'000));
  to_intake_.Clear();
  *stop = (waiting[1].revents & POLLIN) != 0;
  if (state_socket_ != nullptr && waiting.back().revents != 0)
    state_socket_->Answer(figures_->Describe(certificate_->not_after()));
}

void Forwarder::Report() {
  ShipperState state = shipper_->state();
  TellTrouble(intake_->trouble().ok() ? state.trouble : intake_->trouble());
  if (state.connected && !reported_connected_)
    spdlog::info("session with the vault opened: {}", state.address);
  reported_connected_ = state.connected;
  WatchCertificate();
  ShowFigures();
  std::int64_t wished = static_cast<std::int64_t>(state.flush_interval_ms) * 1'000'000;
  intake_->set_flush_interval(std::clamp(wished, kFlushIntervalNanos, kFlushIntervalMaxNanos));
}

// What changes, at most once in a while: a message with a figure in it changes at each try.
void Forwarder::TellTrouble(const Status& trouble) {
  if (trouble.ok()) return reported_.clear();
  const std::string text = trouble.ToString();
  if (text == reported_) return;
  const bool another = reported_.empty() || text.substr(0, 40) != reported_.substr(0, 40);
  if (!another && clock_.Monotonic() < next_report_) return;
  next_report_ = clock_.Monotonic() + kRepeatTroubleNanos;
  reported_ = text;
  spdlog::warn("{}", text);
}

void Forwarder::WatchCertificate() {
  const std::string warning = certificate_->Tick();
  if (warning.empty()) return;
  spdlog::warn("{}", warning);
  intake_->Say(Dump({{"type", "warning"}, {"reason", warning}}));
}

void Forwarder::ShowFigures() {
  if (clock_.Monotonic() < next_figures_) return;
  next_figures_ = clock_.Monotonic() + kNanosPerSecond;
  // Without metrics, too: since when a source lags is only known to who looks all the time, and `status` says it.
  ForwarderFigures figures = figures_->Now(certificate_->not_after());
  if (metrics_ != nullptr) metrics_->Show(std::move(figures));
}

ExitCode Forwarder::Follow(int stop_fd) {
  StartShipping();
  std::int64_t release_text_at = clock_.Monotonic() + kStartNanos;
  bool stop = false;
  while (!stop) {
    bool more = intake_->Step();
    config::TellAlive();
    Report();
    if (intake_->trouble().code() == StatusCode::kCorruption) return ExitCode::kAttention;
    if (clock_.Monotonic() >= release_text_at) {
      ReleaseTextPages();
      release_text_at = INT64_MAX;
    }
    WaitForNews(stop_fd, more ? 0 : kTickNanos, &stop);
  }
  config::TellStopping();
  intake_->Stop(Dump({{"type", "stop"}}));
  const std::int64_t until = clock_.Monotonic() + kStopShipNanos;
  while (clock_.Monotonic() < until && spool_->figures().pending_items > 0) {
    intake_->Step();
    to_intake_.Wait(kTickNanos);
  }
  StopShipping();
  return ExitCode::kOk;
}

ExitCode Forwarder::Drain(std::int64_t timeout_nanos) {
  StartShipping();
  std::int64_t last_progress = clock_.Monotonic();
  std::tuple<std::uint64_t, std::uint64_t, std::uint64_t> mark;
  while (true) {
    bool more = intake_->Step();
    Report();
    ShipperState state = shipper_->state();
    if (state.trouble.code() == StatusCode::kIntegrity ||
        state.trouble.code() == StatusCode::kCorruption) {
      return ExitCode::kIntegrity;
    }
    if (state.trouble.code() == StatusCode::kPermissionDenied) return ExitCode::kNotPermitted;
    if (!more && !intake_->Stopped()) intake_->Flush();
    if (!intake_->Stopped() && intake_->ReadOut()) intake_->Stop(Dump({{"type", "stop"}}));
    if (intake_->Stopped() && spool_->figures().pending_items == 0) break;
    std::tuple now_mark(state.items_shipped, intake_->commits(), state.sessions);
    if (now_mark != mark) last_progress = clock_.Monotonic();
    mark = now_mark;
    if (clock_.Monotonic() - last_progress >= timeout_nanos) {
      spdlog::error("no progress for {} s", timeout_nanos / kNanosPerSecond);
      return ExitCode::kCannotConnect;
    }
    if (!more) to_intake_.Wait(kTickNanos);
  }
  StopShipping();
  return SourcesExitCode();
}

ExitCode Forwarder::SourcesExitCode() const {
  ExitCode code = ExitCode::kOk;
  for (const FileOrNetwork& source : sources_) {
    SourceState state = source.source->state();
    if (!state.detail.empty()) spdlog::warn("source {}: {}", source.name, state.detail);
    if (state.state != "ok") code = config::Worse(code, ExitCode::kAttention);
  }
  if (spool_->salvaged().has_value()) code = config::Worse(code, ExitCode::kAttention);
  if (shipper_->state().set_aside > 0) {
    spdlog::warn("the vault refused {} batches; they were set aside", shipper_->state().set_aside);
    code = config::Worse(code, ExitCode::kAttention);
  }
  return code;
}

}  // namespace logvault::forwarder
