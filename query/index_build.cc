#include "query/index_build.h"

#include <utility>

#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/payload.h"

namespace logvault::query {
namespace {

using Formats = std::map<evidence::Hash, formats::Format>;

void TakeStream(const evidence::BlockHeader& block, Formats& formats) {
  Result<evidence::StreamBody> body = evidence::StreamBody::Parse(block.body);
  if (!body.ok()) return;  // a verifier names it; its records stay unreadable to the index
  formats[evidence::StreamId(body->host, body->source)] =
      formats::FormatByName(body->format).value_or(formats::Format::kPlain);
}

// What the STREAM blocks below `below` say of each stream.
Result<Formats> FormatsBelow(const storage::Reader& reader, std::uint64_t below) {
  Formats formats;
  Result<std::vector<storage::StreamHead>> streams = reader.Streams();
  if (!streams.ok()) return streams.status();
  bool newer = false;
  for (const storage::StreamHead& stream : *streams) {
    newer = newer || stream.stream_block >= below;
    formats[evidence::StreamId(stream.host, stream.source)] =
        formats::FormatByName(stream.format).value_or(formats::Format::kPlain);
  }
  if (!newer) return formats;
  // Some were announced, or announced anew, since: only the blocks say what was so then.
  formats.clear();
  LV_RETURN_IF_ERROR(
      reader.ForEachBlock(0, below, [&formats](std::uint64_t, std::string_view bytes) {
        Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
        if (block.ok() && block->kind == evidence::BlockKind::kStream) TakeStream(*block, formats);
        return true;
      }));
  return formats;
}

// The payload of a batch, its hash compared; nullopt where there is none that is right.
std::optional<evidence::Payload> PayloadOf(const storage::Reader& reader,
                                           const evidence::BlockHeader& block,
                                           const evidence::BatchHeader& batch) {
  Result<std::string> frame = reader.Payload(block.index, block.commit_time);
  if (!frame.ok() || evidence::Sha256(*frame) != batch.payload_hash) return std::nullopt;
  Result<evidence::Payload> payload = evidence::Payload::Parse(*frame, *reader.dictionaries());
  if (!payload.ok() || payload->record_count() != batch.record_count) return std::nullopt;
  return *std::move(payload);
}

void AddTo(SegmentBuilder& builder, std::uint64_t index,
           const std::optional<evidence::Payload>& payload, const Formats& formats,
           const evidence::Hash& stream_id) {
  const auto format = formats.find(stream_id);
  if (!payload || format == formats.end()) return builder.AddUnreadable(index);
  builder.Add(index, *payload, format->second);
}

}  // namespace

SegmentFeed::SegmentFeed(const storage::Reader& reader, std::uint64_t first)
    : reader_(reader), next_(first), builder_(first) {}

Result<std::optional<BuiltSegment>> SegmentFeed::Next(std::uint64_t end,
                                                      const std::stop_token& stop) {
  if (!knows_formats_) {
    Result<Formats> formats = FormatsBelow(reader_, next_);
    if (!formats.ok()) return formats.status();
    formats_ = *std::move(formats);
    knows_formats_ = true;
  }
  Status taken;
  const Status read =
      reader_.ForEachBlock(next_, end, [&](std::uint64_t index, std::string_view bytes) {
        taken = Take(index, bytes);
        return taken.ok() && !finished_ && !stop.stop_requested();
      });
  if (!read.ok()) return read;
  if (!taken.ok()) return taken;
  if (stop.stop_requested()) return Cancelled("the index is not being built any more");
  return std::exchange(finished_, std::nullopt);
}

BuiltSegment SegmentFeed::Close() { return builder_.Finish(next_); }

Status SegmentFeed::Take(std::uint64_t index, std::string_view bytes) {
  if (index != next_) return Corruption("block " + std::to_string(next_) + " is missing");
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
  if (!block.ok()) return block.status();
  if (block->kind == evidence::BlockKind::kStream) TakeStream(*block, formats_);
  if (block->kind == evidence::BlockKind::kRecords) LV_RETURN_IF_ERROR(TakeRecords(*block));
  ++next_;
  return Status::Ok();
}

Status SegmentFeed::TakeRecords(const evidence::BlockHeader& block) {
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
  if (!batch.ok()) return batch.status();
  const std::optional<evidence::Payload> payload = PayloadOf(reader_, block, *batch);
  if (!builder_.HasRoomFor(payload ? payload->blob().size() : 0)) {
    finished_ = builder_.Finish(block.index);
  }
  AddTo(builder_, block.index, payload, formats_, batch->stream_id);
  return Status::Ok();
}

Result<BuiltSegment> BuildSegment(const storage::Reader& reader, std::uint64_t first,
                                  std::uint64_t end, const std::stop_token& stop) {
  Result<Formats> formats = FormatsBelow(reader, first);
  if (!formats.ok()) return formats.status();
  SegmentBuilder builder(first);
  Status taken;
  const Status read = reader.ForEachBlock(first, end, [&](std::uint64_t, std::string_view bytes) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) taken = block.status();
    if (taken.ok() && block->kind == evidence::BlockKind::kStream) TakeStream(*block, *formats);
    if (!taken.ok() || block->kind != evidence::BlockKind::kRecords)
      return taken.ok() && !stop.stop_requested();
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
    if (!batch.ok()) {
      taken = batch.status();
      return false;
    }
    AddTo(builder, block->index, PayloadOf(reader, *block, *batch), *formats, batch->stream_id);
    return !stop.stop_requested();
  });
  if (!read.ok()) return read;
  if (!taken.ok()) return taken;
  if (stop.stop_requested()) return Cancelled("the index is not being built any more");
  return builder.Finish(end);
}

}  // namespace logvault::query
