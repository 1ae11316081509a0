#include "forwarder/audit_source.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "formats/event_time.h"

namespace logvault::forwarder {

namespace {

constexpr const char* kSerialKey = "serial";
constexpr std::uint64_t kInterleaved = 1000;

std::optional<std::uint64_t> Number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// Of `msg=audit(1720703655.123:4711):`.
std::optional<std::uint64_t> SerialOf(std::string_view line) {
  const std::size_t stamp = line.find("audit(");
  if (stamp == std::string_view::npos) return std::nullopt;
  const std::size_t colon = line.find(':', stamp);
  if (colon == std::string_view::npos) return std::nullopt;
  return Number(line.substr(colon + 1));
}

}  // namespace

AuditSource::AuditSource(std::string name, const std::string& socket_path, const Clock& clock)
    : name_(std::move(name)), client_(std::make_unique<AuditClient>(socket_path, queue_, clock)) {}

bool AuditSource::Resume(const std::vector<evidence::PositionEntry>& position, bool /*known*/) {
  for (const evidence::PositionEntry& entry : position) {
    if (entry.key == kSerialKey && !last_.has_value()) last_ = Number(entry.value);
  }
  return false;
}

Source::Outcome AuditSource::Read(OpenBatch& batch) {
  const bool emptied = queue_.MoveTo(
      batch, [this](const Message& message) { return Look(message); },
      [this](const Message& message) { Pass(message); });
  return emptied ? Outcome::kIdle : Outcome::kFull;
}

void AuditSource::Finish() {
  queue_.Widen();
  client_->Stop();
}

// May see a message twice, where the batch had no room for it.
UnixNanos AuditSource::Look(const Message& message) {
  if (message.connection != connection_) {
    connection_ = message.connection;
    after_break_ = true;
  }
  if (after_break_) LookForBreak(message);
  formats::TimeContext times;
  times.not_after = message.read_time;
  return formats::EventTime(formats::Format::kAuditd, message.bytes, times);
}

void AuditSource::Pass(const Message& message) {
  const std::optional<std::uint64_t> serial = SerialOf(message.bytes);
  if (!serial.has_value()) return;
  // Records of several events interleave; after a restart of the host the numbers begin anew.
  const bool interleaved = last_.has_value() && *serial < *last_ && *last_ - *serial < kInterleaved;
  if (!interleaved) last_ = serial;
  moved_ = true;
}

void AuditSource::LookForBreak(const Message& message) {
  const std::optional<std::uint64_t> found = SerialOf(message.bytes);
  if (!found.has_value()) return;
  after_break_ = false;
  const std::uint64_t serial = *found;
  if (!last_.has_value() || serial == *last_ || serial == *last_ + 1) return;
  nlohmann::json gap = {{"type", "gap"},
                        {"source", name_},
                        {"exact", false},
                        {"last_serial_before", *last_},
                        {"first_serial_after", serial}};
  if (serial > *last_) {
    gap["records"] = serial - *last_ - 1;
    gap["reason"] = "audit events that came while not connected; at most so many";
  } else {
    gap["reason"] = "audit events that came while not connected; their numbers began anew since";
  }
  own_.push_back(gap.dump());
}

std::vector<evidence::PositionEntry> AuditSource::TakePosition() {
  if (!std::exchange(moved_, false)) return {};
  return {{kSerialKey, std::to_string(*last_)}};
}

OwnRecords AuditSource::TakeOwnRecords() {
  OwnRecords records = std::exchange(own_, {});
  if (const Dropped dropped = queue_.TakeDropped(); dropped.messages > 0) {
    records.push_back(
        nlohmann::json{{"type", "gap"},
                       {"source", name_},
                       {"records", dropped.messages},
                       {"bytes", dropped.bytes},
                       {"exact", true},
                       {"reason", "audit records that came while there was no room for them"}}
            .dump());
  }
  return records;
}

SourceState AuditSource::state() const {
  SourceState state;
  state.dropped = queue_.dropped();
  state.lag_bytes = queue_.bytes();
  const Status connection = client_->state();
  if (connection.ok()) return state;
  state.state = connection.code() == StatusCode::kPermissionDenied ? "unreadable" : "missing";
  state.detail = connection.message();
  return state;
}

}  // namespace logvault::forwarder
