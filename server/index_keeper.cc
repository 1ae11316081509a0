#include "server/index_keeper.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <utility>

namespace logvault::server {
namespace {

using storage::IndexedSegment;

// Whatever else there is to do comes first.
constexpr int kNice = 10;

// Each look is a second after the one before.
constexpr int kQuietLooks = 10;
constexpr std::size_t kQuietBytes = 256u << 10;
constexpr std::size_t kQuietSegmentBytes = 4u << 20;  // smaller ones would become too many

evidence::IndexBody BodyOf(const query::BuiltSegment& built) {
  return {built.directory.first, built.directory.end,
          evidence::Sha256(built.directory.Serialize())};
}

}  // namespace

IndexKeeper::IndexKeeper(const storage::Vault& vault, storage::Committer& committer,
                         Counters& counters)
    : vault_(vault),
      committer_(committer),
      counters_(counters),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

IndexKeeper::~IndexKeeper() {
  thread_.request_stop();
  thread_.join();
}

void IndexKeeper::Tick() {
  {
    MutexLock lock(mutex_);
    tick_ = true;
  }
  woken_.notify_one();
}

void IndexKeeper::Repair(const std::vector<std::uint64_t>& firsts) {
  MutexLock lock(mutex_);
  damaged_.insert(firsts.begin(), firsts.end());
}

void IndexKeeper::Run(const std::stop_token& stop) {
  setpriority(PRIO_PROCESS, 0, kNice);  // of this thread alone, on Linux
  for (;;) {
    std::set<std::uint64_t> damaged;
    {
      MutexLock lock(mutex_);
      if (!woken_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) { return tick_; })) return;
      tick_ = false;
      damaged = std::exchange(damaged_, {});
    }
    Report(Work(damaged, stop), stop);
  }
}

void IndexKeeper::Report(const Status& status, const std::stop_token& stop) {
  if (!status.ok() && !stop.stop_requested() && status.message() != last_error_)
    spdlog::error("the index is not being built: {}; queries read every block", status.ToString());
  last_error_ = status.message();
}

Status IndexKeeper::Work(const std::set<std::uint64_t>& damaged, const std::stop_token& stop) {
  if (!begun_) LV_RETURN_IF_ERROR(Begin(stop));
  for (const std::uint64_t first : damaged) {
    const auto known = segments_.find(first);
    if (known == segments_.end()) continue;
    spdlog::warn("the index of blocks {} to {} is damaged and is built anew", first,
                 known->second.end - 1);
    LV_RETURN_IF_ERROR(Rebuild(first, known->second.end, stop));
  }
  LV_RETURN_IF_ERROR(FollowDeletions(stop));
  for (;;) {
    Result<std::optional<query::BuiltSegment>> built = feed_->Next(vault_.head().size, stop);
    if (!built.ok()) return built.status();
    if (!built->has_value()) break;
    LV_RETURN_IF_ERROR(Store(**built));
  }
  return GrewQuiet() ? Store(feed_->Close()) : Status::Ok();
}

// Whether what is pending is worth a segment and has not grown to speak of for a while: it would be read by every query
// until the next burst.
bool IndexKeeper::GrewQuiet() {
  const std::size_t pending = feed_->pending_bytes();
  if (pending < pending_before_ || pending - pending_before_ > kQuietBytes) {
    pending_before_ = pending;
    quiet_looks_ = 0;
  }
  return ++quiet_looks_ > kQuietLooks && pending >= kQuietSegmentBytes;
}

// Finds where the stored segments end, and builds what is missing among them.
Status IndexKeeper::Begin(const std::stop_token& stop) {
  size_at_start_ = vault_.head().size;
  Result<std::vector<IndexedSegment>> stored = vault_.reader().IndexedSegments();
  if (!stored.ok()) return stored.status();
  segments_.clear();
  for (const IndexedSegment& segment : *stored) segments_[segment.first] = segment;
  std::uint64_t next = 0;
  for (;;) {
    if (const auto known = segments_.find(next); known != segments_.end()) {
      if (known->second.index_block == 0 || !vault_.reader().IndexDirectory(next).ok())
        LV_RETURN_IF_ERROR(Rebuild(next, known->second.end, stop));
      next = known->second.end;
      continue;
    }
    LV_RETURN_IF_ERROR(ReadStated());
    const auto stated = stated_->find(next);
    if (stated == stated_->end()) break;
    LV_RETURN_IF_ERROR(Rebuild(next, stated->second.body.end, stop));
    next = stated->second.body.end;
  }
  feed_ = std::make_unique<query::SegmentFeed>(vault_.reader(), next);
  stated_.reset();
  begun_ = true;
  return Status::Ok();
}

Status IndexKeeper::ReadStated() {
  if (stated_) return Status::Ok();
  std::map<std::uint64_t, Stated> stated;
  LV_RETURN_IF_ERROR(vault_.reader().ForEachBlock(
      0, size_at_start_, [&stated](std::uint64_t index, std::string_view bytes) {
        Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
        if (!block.ok() || block->kind != evidence::BlockKind::kIndex) return true;
        Result<evidence::IndexBody> body = evidence::IndexBody::Parse(block->body);
        if (body.ok()) stated[body->first] = {index, *body};
        return true;
      }));
  stated_ = std::move(stated);
  return Status::Ok();
}

// A segment that lost payloads since it was built still tells what was in them.
Status IndexKeeper::FollowDeletions(const std::stop_token& stop) {
  const std::uint64_t deleted_now = counters_.deleted_payloads;
  if (seen_deleted_ == deleted_now) return Status::Ok();
  const std::map<std::uint64_t, IndexedSegment> segments = segments_;
  for (const auto& [first, segment] : segments) {
    Result<std::map<std::uint64_t, std::uint64_t>> deleted =
        vault_.reader().DeletedPayloads(first, segment.end);
    if (!deleted.ok()) return deleted.status();
    if (deleted->size() != segment.deleted_payloads)
      LV_RETURN_IF_ERROR(Rebuild(first, segment.end, stop));
  }
  seen_deleted_ = deleted_now;
  return Status::Ok();
}

Status IndexKeeper::Rebuild(std::uint64_t first, std::uint64_t end, const std::stop_token& stop) {
  Result<query::BuiltSegment> built = query::BuildSegment(vault_.reader(), first, end, stop);
  if (!built.ok()) return built.status();
  return Store(*built);
}

// The rows first, so that an INDEX block always speaks of something that was there.
Status IndexKeeper::Store(const query::BuiltSegment& built) {
  const query::Directory& directory = built.directory;
  // Counted before the rows are written and after the payloads were read: what is deleted meanwhile is found later.
  Result<std::map<std::uint64_t, std::uint64_t>> deleted =
      vault_.reader().DeletedPayloads(directory.first, directory.end);
  if (!deleted.ok()) return deleted.status();
  IndexedSegment segment;
  segment.first = directory.first;
  segment.end = directory.end;
  segment.chunks = static_cast<std::uint32_t>(built.chunks.size());
  for (const std::uint16_t ordinal : directory.always)
    segment.deleted_payloads += deleted->contains(directory.blocks[ordinal]) ? 1 : 0;
  if (const auto known = segments_.find(segment.first); known != segments_.end())
    segment.index_block = known->second.index_block;
  LV_RETURN_IF_ERROR(vault_.WriteIndex(segment, directory.Serialize(), built.chunks));
  counters_.indexed_segments += 1;
  return State(segment, BodyOf(built));
}

// Says the segment's hash in the chain, unless the chain says it already.
Status IndexKeeper::State(IndexedSegment& segment, const evidence::IndexBody& body) {
  if (stated_ && segment.index_block == 0) {
    if (const auto stated = stated_->find(segment.first); stated != stated_->end())
      segment.index_block = stated->second.block;
  }
  bool is_stated = false;
  if (segment.index_block != 0) {
    Result<evidence::BlockHeader> block = vault_.reader().Block(segment.index_block);
    if (!block.ok()) return block.status();
    Result<evidence::IndexBody> before = evidence::IndexBody::Parse(block->body);
    is_stated = before.ok() && *before == body;
  }
  if (!is_stated) {
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kIndex;
    entry.body = body.Serialize();
    Result<storage::Commit> commit = committer_.SubmitAndWait({std::move(entry)});
    if (!commit.ok()) return commit.status();
    segment.index_block = commit->entries.front().index;
  }
  LV_RETURN_IF_ERROR(vault_.WriteIndexBlock(segment));
  segments_[segment.first] = segment;
  return Status::Ok();
}

}  // namespace logvault::server
