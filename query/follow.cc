#include "query/follow.h"

#include <utility>

#include "evidence/block.h"
#include "evidence/bodies.h"

namespace logvault::query {

Result<std::unique_ptr<Follower>> Follower::Open(const storage::Reader& reader,
                                                 const Request& request, std::uint64_t first) {
  Request open = request;
  open.scope.since = open.scope.until = std::nullopt;
  open.scope.by = TimeField::kCommit;
  open.tree_size = 0;
  Result<std::vector<storage::StreamHead>> streams = reader.Streams();
  if (!streams.ok()) return streams.status();
  std::unique_ptr<Follower> follower(new Follower(reader, open, first));
  for (storage::StreamHead& stream : *streams)
    follower->Describe(std::move(stream.host), std::move(stream.source), stream.format);
  return follower;
}

void Follower::Describe(std::string host, std::string source, std::string_view format) {
  newest_[evidence::StreamId(host, source)] = static_cast<std::uint32_t>(plan_.streams.size());
  plan_.streams.push_back(PlanStream(request_, std::move(host), std::move(source), format));
}

Status Follower::GoTo(std::uint64_t end, const FollowObserver& observer,
                      const std::stop_token& stop) {
  std::vector<PlannedBlock> pending;
  Status taken;
  Status read = reader_.ForEachBlock(next_, end, [&](std::uint64_t index, std::string_view bytes) {
    taken = Take(index, bytes, pending);
    return taken.ok() && !stop.stop_requested();
  });
  LV_RETURN_IF_ERROR(read);
  LV_RETURN_IF_ERROR(taken);
  const Status enough = Cancelled("no more is wanted");
  if (stop.stop_requested() || !SkipOldest(pending, observer)) return enough;
  for (const PlannedBlock& block : pending) {
    if (stop.stop_requested() || !Scan(block, observer)) return enough;
  }
  next_ = end;
  return Status::Ok();
}

Status Follower::Take(std::uint64_t index, std::string_view bytes,
                      std::vector<PlannedBlock>& pending) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
  if (!block.ok()) return block.status();
  if (block->kind == evidence::BlockKind::kStream) {
    Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block->body);
    if (!body.ok()) return body.status();
    Describe(std::move(body->host), std::move(body->source), body->format);
  }
  if (block->kind != evidence::BlockKind::kRecords) return Status::Ok();
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
  if (!batch.ok()) return batch.status();
  const auto known = newest_.find(batch->stream_id);
  if (known == newest_.end())
    return Integrity("no STREAM block before block " + std::to_string(index) + " names its stream");
  const PlannedStream& stream = plan_.streams[known->second];
  if (!stream.in_scope || stream.verdict == Verdict::kNever) return Status::Ok();
  PlannedBlock planned;
  planned.index = index;
  planned.stream = known->second;
  planned.record_count = batch->record_count;
  planned.first_seq = batch->first_seq;
  planned.commit_time = block->commit_time;
  planned.payload_hash = batch->payload_hash;
  pending.push_back(planned);
  return Status::Ok();
}

bool Follower::SkipOldest(std::vector<PlannedBlock>& pending,
                          const FollowObserver& observer) const {
  if (pending.size() <= kFollowBlocksMax) return true;
  const auto kept = pending.end() - static_cast<std::ptrdiff_t>(kFollowBlocksMax);
  Skipped skipped;
  skipped.first_commit_time = pending.front().commit_time;
  for (auto block = pending.begin(); block != kept; ++block) {
    ++skipped.blocks;
    skipped.records += block->record_count;
    skipped.last_commit_time = block->commit_time;
  }
  pending.erase(pending.begin(), kept);
  return !observer.on_skipped || observer.on_skipped(skipped);
}

bool Follower::Scan(const PlannedBlock& block, const FollowObserver& observer) {
  const ScannedBlock scanned = scanner_.Scan(block);
  if (scanned.unreadable) unreadable_.push_back(*scanned.unreadable);
  for (std::uint32_t i : scanned.matches) {
    ++matches_;
    if (observer.on_row && !observer.on_row(scanner_.RowOf(block, *scanned.payload, i)))
      return false;
  }
  next_ = block.index + 1;
  return true;
}

}  // namespace logvault::query
