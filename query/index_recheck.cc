#include "query/index_recheck.h"

#include <algorithm>
#include <utility>

#include "evidence/batch.h"
#include "evidence/bodies.h"

namespace logvault::query {

IndexRecheck::IndexRecheck(StatedIndex foreseen, std::uint64_t tree_size)
    : foreseen_(std::move(foreseen)), tree_size_(tree_size) {}

void IndexRecheck::Take(const evidence::BlockHeader& block, const evidence::Payload* payload,
                        std::uint64_t deleted_by) {
  Close();
  if (block.kind == evidence::BlockKind::kStream) TakeStream(block);
  if (block.kind == evidence::BlockKind::kIndex && next_ < tree_size_) NoteStated(block, stated_);
  if (block.kind == evidence::BlockKind::kRecords) TakeRecords(block, payload, deleted_by);
  ++next_;
}

void IndexRecheck::TakeMissing() {
  Close();
  open_.whole = false;
  ++next_;
}

// Ends the segment that ends before the next block, and begins the one that begins with it.
void IndexRecheck::Close() {
  if (builder_ != nullptr && next_ >= open_.end) {
    open_.directory_hash = evidence::Sha256(builder_->Finish(open_.end).directory.Serialize());
    built_[first_] = open_;
    builder_ = nullptr;
  }
  const auto begins = foreseen_.find(next_);
  if (builder_ != nullptr || begins == foreseen_.end()) return;
  first_ = next_;
  open_ = {};
  open_.end = begins->second.body.end;
  builder_ = std::make_unique<SegmentBuilder>(first_);
}

void IndexRecheck::TakeStream(const evidence::BlockHeader& block) {
  Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block.body);
  if (!body.ok()) return;  // whoever verifies the blocks names it
  formats_[evidence::StreamId(body->host, body->source)] =
      formats::FormatByName(body->format).value_or(formats::Format::kPlain);
}

void IndexRecheck::TakeRecords(const evidence::BlockHeader& block, const evidence::Payload* payload,
                               std::uint64_t deleted_by) {
  if (builder_ == nullptr || open_.too_large) return;
  if (!builder_->HasRoomFor(payload != nullptr ? payload->blob().size() : 0)) {
    open_.too_large = true;
    builder_ = std::make_unique<SegmentBuilder>(first_);
    return;
  }
  open_.deleted_by = std::max(open_.deleted_by, deleted_by);
  if (payload == nullptr && deleted_by == 0) open_.whole = false;
  const Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
  const auto format = batch.ok() ? formats_.find(batch->stream_id) : formats_.end();
  if (payload == nullptr || format == formats_.end())
    builder_->AddUnreadable(next_);
  else
    builder_->Add(next_, *payload, format->second);
}

IndexReport IndexRecheck::Finish() {
  Close();
  IndexReport report;
  std::uint64_t next = 0;
  for (const auto& [first, segment] : stated_) {
    if (first != next) report.findings.push_back(NotBehindTheOneBefore(segment));
    next = segment.body.end;
    Compare(segment, report);
  }
  report.unindexed_blocks = tree_size_ - std::min(next, tree_size_);
  return report;
}

void IndexRecheck::Compare(const StatedSegment& stated, IndexReport& report) const {
  const auto built = built_.find(stated.body.first);
  if (built == built_.end() || built->second.end != stated.body.end) {
    report.findings.push_back(
        {stated.block, NameOf(stated.body) + "the vault did not show this block beforehand"});
  } else if (built->second.too_large) {
    report.findings.push_back(
        {stated.block, NameOf(stated.body) + "it has more records than a segment may have"});
  } else if (built->second.deleted_by > stated.block) {
    ++report.outdated;
  } else if (!built->second.whole) {
    ++report.unreadable;
  } else if (built->second.directory_hash != stated.body.directory_hash) {
    report.findings.push_back(
        {stated.block, NameOf(stated.body) + "the blocks give another than this block states"});
  } else {
    ++report.segments;
  }
}

}  // namespace logvault::query
