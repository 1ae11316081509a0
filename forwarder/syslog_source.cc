#include "forwarder/syslog_source.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::forwarder {

Result<std::unique_ptr<SyslogSource>> SyslogSource::Open(std::string name,
                                                         SyslogListenerOptions options,
                                                         formats::TimeZone zone,
                                                         const Clock& clock) {
  std::unique_ptr<SyslogSource> source(new SyslogSource(std::move(name), std::move(zone), clock));
  Result<std::unique_ptr<SyslogListener>> listener =
      SyslogListener::Open(std::move(options), source->queue_, clock);
  if (!listener.ok()) return listener.status();
  source->listener_ = *std::move(listener);
  return source;
}

Source::Outcome SyslogSource::Read(OpenBatch& batch) {
  const bool emptied = queue_.MoveTo(batch, [this](const Message& message) {
    times_.not_after = message.read_time;
    return formats::EventTime(formats::Format::kSyslog, message.bytes, times_);
  });
  return emptied ? Outcome::kIdle : Outcome::kFull;
}

void SyslogSource::Finish() {
  queue_.Widen();
  listener_->Stop();
  next_notices_ = INT64_MIN;
}

OwnRecords SyslogSource::TakeOwnRecords() {
  if (clock_.Monotonic() < next_notices_) return {};
  OwnRecords records = listener_->notices().Take(name_);
  if (const Dropped dropped = queue_.TakeDropped(); dropped.messages > 0) {
    records.push_back(nlohmann::json{
        {"type", "gap"},
        {"source", name_},
        {"records", dropped.messages},
        {"bytes", dropped.bytes},
        {"exact", true},
        {"reason", "messages dropped: there was no room for them, and no sender waits for long"}}
                          .dump());
  }
  if (!records.empty()) next_notices_ = clock_.Monotonic() + kNoticePauseNanos;
  return records;
}

SourceState SyslogSource::state() const {
  SourceState state;
  state.lag_bytes = queue_.bytes();
  state.over_rate = listener_->notices().over_rate();
  state.dropped = queue_.dropped() + state.over_rate + listener_->notices().kernel_drops();
  return state;
}

}  // namespace logvault::forwarder
