#include "query/scan.h"

#include <algorithm>

#include "evidence/block.h"

namespace logvault::query {
namespace {

// While an index lags far behind, filters of all that is missing would take the place of what the index has.
constexpr std::size_t kFilteredBlocksMax = 2048;

// The next place at which one of several literals stands, going once over a text from left to
// right.
class LiteralHits {
 public:
  LiteralHits(const std::vector<Literal>& literals, std::string_view text)
      : literals_(literals),
        text_(text),
        next_(literals.size(), 0),
        stale_(literals.size(), true) {}

  // The first hit at or after `from`; npos for none.  REQUIRES: `from` never goes back.
  std::size_t NextFrom(std::size_t from) {
    std::size_t nearest = std::string_view::npos;
    for (std::size_t i = 0; i < literals_.size(); ++i) {
      if (stale_[i] || next_[i] < from) {
        next_[i] = literals_[i].Find(text_, from);
        stale_[i] = false;
      }
      nearest = std::min(nearest, next_[i]);
    }
    return nearest;
  }

 private:
  const std::vector<Literal>& literals_;
  const std::string_view text_;
  std::vector<std::size_t> next_;
  std::vector<bool> stale_;
};

// The record that byte `offset` of the blob belongs to.
std::uint32_t RecordAt(const evidence::Payload& payload, std::size_t offset) {
  std::uint32_t low = 0, high = payload.record_count();
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    (payload.offset(middle) <= offset ? low : high) = middle;
  }
  return low;
}

UnixNanos TimeBy(TimeField by, const Row& row) {
  switch (by) {
    case TimeField::kEvent:
      return row.time();
    case TimeField::kRead:
      return row.read_time;
    case TimeField::kCommit:
      return row.commit_time;
  }
  return row.time();
}

}  // namespace

bool IsWanted(const Request& request, const Row& row) {
  const Scope& scope = request.scope;
  if (!InWindow(scope, TimeBy(scope.by, row)) &&
      !(row.outside_window && InWindow(scope, row.commit_time)))
    return false;
  if (!scope.origin_glob.empty() && !GlobMatches(scope.origin_glob, row.origin, false))
    return false;
  Subject subject(row);
  return Matches(request.expression, subject);
}

// Gone, or not what its hash says.
bool IsTampering(const Status& why) {
  return why.code() == StatusCode::kIntegrity || why.code() == StatusCode::kNotFound;
}

BlockScanner::BlockScanner(const storage::Reader& reader, const Request& request, const Plan& plan,
                           IndexCache* cache)
    : reader_(reader),
      request_(request),
      plan_(plan),
      cache_(request.no_index || request.strict ? nullptr : cache),
      required_(RequiredLiterals(request.expression)),
      tokens_(TokenFilter::For(request.expression)) {}

Row BlockScanner::RowOf(const PlannedBlock& block, const evidence::Payload& payload,
                        std::uint32_t i) const {
  const PlannedStream& stream = plan_.streams[block.stream];
  const evidence::RecordView record = payload.record(i);
  Row row;
  row.host = stream.host;
  row.source = stream.source;
  row.format = stream.format;
  row.seq = block.first_seq + i;
  row.event_time = record.event_time;
  row.read_time = record.read_time;
  row.commit_time = block.commit_time;
  row.block = block.index;
  row.flags = record.flags;
  row.origin = record.origin;
  row.bytes = record.bytes;
  row.outside_window =
      request_.scope.by == TimeField::kEvent && !InWindow(request_.scope, row.time());
  return row;
}

UnixNanos BlockScanner::TimeOf(const Row& row) const { return TimeBy(request_.scope.by, row); }

Result<std::shared_ptr<const evidence::Payload>> BlockScanner::Load(
    const PlannedBlock& block) const {
  Result<std::string> frame = reader_.Payload(block.index, block.commit_time);
  if (!frame.ok()) return frame.status();
  if (request_.strict) {
    Result<evidence::BlockHeader> header = reader_.Block(block.index);
    if (!header.ok()) return header.status();
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(header->body);
    if (!batch.ok()) return batch.status();
    Result<evidence::Payload> payload =
        evidence::OpenPayload(*batch, *frame, *reader_.dictionaries());
    if (!payload.ok()) return Integrity(payload.status().message());
    return std::make_shared<const evidence::Payload>(*std::move(payload));
  }
  if (evidence::Sha256(*frame) != block.payload_hash) {
    return Integrity("the stored payload does not have the hash that its header states");
  }
  Result<evidence::Payload> payload = evidence::Payload::Parse(*frame, *reader_.dictionaries());
  if (!payload.ok()) return Integrity(payload.status().message());
  if (payload->record_count() != block.record_count)
    return Integrity("the payload holds another number of records than its header states");
  return std::make_shared<const evidence::Payload>(*std::move(payload));
}

ScannedBlock BlockScanner::Scan(const PlannedBlock& block) const {
  ScannedBlock scanned;
  Result<std::shared_ptr<const evidence::Payload>> payload = Load(block);
  if (payload.ok()) {
    scanned.payload = *std::move(payload);
    FindMatches(block, scanned);
    return scanned;
  }
  scanned.deleted = payload.status().code() == StatusCode::kOutOfRange;
  if (!scanned.deleted) scanned.unreadable = Describe(block, payload.status());
  return scanned;
}

Unreadable BlockScanner::Describe(const PlannedBlock& block, const Status& why) const {
  const PlannedStream& stream = plan_.streams[block.stream];
  Unreadable unreadable;
  unreadable.block = block.index;
  unreadable.host = stream.host;
  unreadable.source = stream.source;
  unreadable.first_seq = block.first_seq;
  unreadable.last_seq = block.first_seq + block.record_count - 1;
  unreadable.integrity = IsTampering(why);
  unreadable.reason = why.message();
  return unreadable;
}

void BlockScanner::FindMatches(const PlannedBlock& block, ScannedBlock& scanned) const {
  const evidence::Payload& payload = *scanned.payload;
  auto consider = [&](std::uint32_t i) {
    if (IsWanted(request_, RowOf(block, payload, i))) scanned.matches.push_back(i);
  };
  bool as_bytes = true;  // all of them: then the literals can be looked for in the blob
  for (std::uint32_t i = 0; i < payload.record_count(); ++i) {
    const std::uint32_t flags = payload.record(i).flags;
    if ((flags & evidence::kRecordUtf16Le) != 0) as_bytes = false;
    if ((flags & evidence::kRecordContinues) != 0) ++scanned.split_records;
  }
  if (required_.empty() || !as_bytes) {
    const bool filtered = tokens_ && as_bytes;
    const formats::Format format = plan_.streams[block.stream].format;
    for (std::uint32_t i = 0; i < payload.record_count(); ++i) {
      if (!filtered || tokens_->MayMatch(payload.record(i).bytes, format)) consider(i);
    }
    return;
  }
  LiteralHits hits(required_, payload.blob());
  std::size_t hit = hits.NextFrom(0);
  if (hit == std::string_view::npos) KeepFilter(block, payload);
  while (hit != std::string_view::npos) {
    const std::uint32_t i = RecordAt(payload, hit);
    consider(i);
    if (i + 1 == payload.record_count()) break;
    hit = hits.NextFrom(payload.offset(i + 1));
  }
}

// Whoever looks for what is nowhere, or seldom, need not read the block again before the index has it.
void BlockScanner::KeepFilter(const PlannedBlock& block, const evidence::Payload& payload) const {
  if (cache_ == nullptr || block.index < plan_.first_unindexed ||
      plan_.blocks.size() > kFilteredBlocksMax || cache_->FindFilter(block.payload_hash) != nullptr)
    return;
  cache_->Keep(block.payload_hash, std::make_shared<const TextFilter>(payload.blob()));
}

}  // namespace logvault::query
