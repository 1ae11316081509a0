#include "query/context.h"

#include <algorithm>
#include <iterator>

#include "evidence/block.h"

namespace logvault::query {
namespace {

constexpr std::size_t kBlocksKept = 4;

}  // namespace

bool NumberSet::Contains(std::uint64_t number) const {
  const auto next = ranges_.upper_bound(number);
  return next != ranges_.begin() && std::prev(next)->second >= number;
}

void NumberSet::Add(std::uint64_t number) {
  if (Contains(number)) return;
  auto next = ranges_.upper_bound(number);
  std::uint64_t last = number;
  if (next != ranges_.end() && next->first == number + 1) {
    last = next->second;
    next = ranges_.erase(next);
  }
  if (next != ranges_.begin() && std::prev(next)->second + 1 == number)
    std::prev(next)->second = last;
  else
    ranges_.emplace_hint(next, number, last);
}

ContextRows::ContextRows(const storage::Reader& reader, const BlockScanner& scanner,
                         const Request& request, const std::function<bool(const Row&)>& on_row,
                         Completeness& completeness)
    : reader_(reader),
      scanner_(scanner),
      request_(request),
      on_row_(on_row),
      completeness_(completeness) {}

bool ContextRows::Add(const Row& match) {
  const evidence::Hash stream_id = evidence::StreamId(match.host, match.source);
  NumberSet& shown = shown_[{std::string(match.host), std::string(match.source)}];
  const std::uint64_t first = match.seq > request_.context ? match.seq - request_.context : 1;
  const std::uint64_t last = match.seq + request_.context;
  const bool descends = request_.order == Request::Order::kNewestFirst;
  for (std::uint64_t i = 0; i <= last - first; ++i) {
    const std::uint64_t seq = descends ? last - i : first + i;
    if (shown.Contains(seq)) continue;
    std::optional<Row> row = seq == match.seq ? match : RowAt(stream_id, match, seq);
    if (!row) continue;
    shown.Add(seq);
    if (!on_row_(*row)) return false;
  }
  return true;
}

std::optional<Row> ContextRows::RowAt(const evidence::Hash& stream_id, const Row& match,
                                      std::uint64_t seq) {
  const Block* block = Find(stream_id, match, seq);
  if (block == nullptr) return std::nullopt;
  const evidence::RecordView record =
      block->payload->record(static_cast<std::uint32_t>(seq - block->batch.first_seq));
  Row row;
  row.host = match.host;
  row.source = match.source;
  row.format = match.format;
  row.seq = seq;
  row.event_time = record.event_time;
  row.read_time = record.read_time;
  row.commit_time = block->commit_time;
  row.block = block->index;
  row.flags = record.flags;
  row.origin = record.origin;
  row.bytes = record.bytes;
  row.outside_window =
      request_.scope.by == TimeField::kEvent && !InWindow(request_.scope, row.time());
  row.context = !IsWanted(request_, row);
  return row;
}

const ContextRows::Block* ContextRows::Find(const evidence::Hash& stream_id, const Row& match,
                                            std::uint64_t seq) {
  auto holds = [&](const Block& block) {
    return block.batch.stream_id == stream_id && block.batch.first_seq <= seq &&
           seq <= block.batch.last_seq();
  };
  auto known = std::find_if(blocks_.begin(), blocks_.end(), holds);
  if (known == blocks_.end()) {
    Result<std::optional<std::uint64_t>> index = reader_.Locate(stream_id, seq);
    if (!index.ok() || !index->has_value() || !InTree(**index)) return nullptr;
    std::optional<Block> block = Load(**index, match);
    if (!block || !holds(*block)) return nullptr;
    blocks_.push_front(*std::move(block));
    known = blocks_.begin();
    if (blocks_.size() > kBlocksKept) blocks_.pop_back();
  }
  blocks_.splice(blocks_.begin(), blocks_, known);
  return blocks_.front().payload == nullptr ? nullptr : &blocks_.front();
}

std::optional<ContextRows::Block> ContextRows::Load(std::uint64_t index, const Row& match) {
  // A header that cannot be read is named by the plan.
  Result<evidence::BlockHeader> header = reader_.Block(index);
  if (!header.ok()) return std::nullopt;
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(header->body);
  if (!batch.ok()) return std::nullopt;
  PlannedBlock planned;
  planned.index = index;
  planned.record_count = batch->record_count;
  planned.first_seq = batch->first_seq;
  planned.commit_time = header->commit_time;
  planned.payload_hash = batch->payload_hash;
  Block block{index, header->commit_time, *std::move(batch), nullptr};
  Result<std::shared_ptr<const evidence::Payload>> payload = scanner_.Load(planned);
  if (payload.ok())
    block.payload = *std::move(payload);
  else if (payload.status().code() != StatusCode::kOutOfRange)  // else: deleted by the rules
    Report(block, match, payload.status());
  return block;
}

// Once for each block, however the search itself came upon it.
void ContextRows::Report(const Block& block, const Row& match, const Status& why) {
  for (const Unreadable& known : completeness_.unreadable) {
    if (known.block == block.index) return;
  }
  completeness_.unreadable.push_back({block.index, std::string(match.host),
                                      std::string(match.source), block.batch.first_seq,
                                      block.batch.last_seq(), why.message(), IsTampering(why)});
}

}  // namespace logvault::query
