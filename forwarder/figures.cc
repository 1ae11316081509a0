#include "forwarder/figures.h"

#include <algorithm>

namespace logvault::forwarder {

namespace {

std::string Age(UnixNanos then, UnixNanos now) {
  return std::to_string(std::max<std::int64_t>(now - then, 0) / kNanosPerSecond) + " s ago";
}

}  // namespace

double FigureKeeper::LagSeconds(const Intake::SourceReport& report) {
  const std::int64_t now = clock_.Monotonic();
  Result<std::optional<StreamHead>> head = spool_.Head(report.name);
  const bool known = head.ok() && head->has_value();
  const bool complete =
      known && (*head)->acked_seq >= report.last_seq && report.state.lag_bytes == 0;
  const auto since = complete_at_.try_emplace(report.name, now).first;
  if (complete) since->second = now;
  return static_cast<double>(now - since->second) / static_cast<double>(kNanosPerSecond);
}

ForwarderFigures FigureKeeper::Now(UnixNanos certificate_not_after) {
  ForwarderFigures figures;
  for (const Intake::SourceReport& report : intake_.Sources()) {
    const SourceState& state = report.state;
    figures.sources.push_back({report.name, report.last_seq, report.bytes, state.lag_bytes,
                               LagSeconds(report), state.dropped, state.over_rate,
                               std::string(state.state), state.detail});
  }
  const SpoolFigures spool = spool_.figures();
  figures.pending_bytes = spool.pending_bytes;
  figures.pending_items = spool.pending_items;
  figures.kept_bytes = spool.kept_bytes;
  const ShipperState state = shipper_.state();
  figures.connected = state.connected;
  figures.integrity_failure = state.trouble.code() == StatusCode::kIntegrity;
  figures.sessions = state.sessions;
  figures.items_shipped = state.items_shipped;
  figures.bytes_shipped = state.bytes_shipped;
  figures.set_aside = state.set_aside;
  figures.last_receipt = state.last_receipt;
  figures.gaps = intake_.gaps();
  figures.certificate_not_after = certificate_not_after;
  return figures;
}

std::string FigureKeeper::Describe(UnixNanos certificate_not_after) {
  const ForwarderFigures figures = Now(certificate_not_after);
  const ShipperState state = shipper_.state();
  const UnixNanos now = clock_.Now();
  std::string text =
      state.connected ? "running, session open with " + state.address : "running, no session";
  const Status& trouble = intake_.trouble().ok() ? state.trouble : intake_.trouble();
  if (!trouble.ok()) text += ": " + trouble.message();
  text += "\nlast receipt: " +
          (figures.last_receipt == 0 ? "none since the start" : Age(figures.last_receipt, now)) +
          "\n";
  text += "certificate ends in " +
          std::to_string((certificate_not_after - now) / (3600 * kNanosPerSecond)) + " h\n";
  for (const ForwarderFigures::Source& source : figures.sources) {
    text += "source " + source.name + ": " + source.state + ", " +
            std::to_string(source.lag_bytes) + " bytes not read, behind for " +
            std::to_string(static_cast<std::int64_t>(source.lag_seconds)) + " s";
    if (source.dropped > 0) text += ", " + std::to_string(source.dropped) + " messages dropped";
    text += source.detail.empty() ? "\n" : " (" + source.detail + ")\n";
  }
  return text;
}

}  // namespace logvault::forwarder
