#include "query/index_builder.h"

#include <span>
#include <utility>

#include "formats/fields.h"
#include "query/address.h"
#include "query/index_kept.h"
#include "query/index_token.h"
#include "query/index_views.h"
#include "query/literal.h"
#include "query/token_scan.h"
#include "query/token_table.h"

namespace logvault::query {
namespace {

constexpr std::string_view kSaltMagic = "logvault/index-salt/v1\n";

}  // namespace

SegmentBuilder::SegmentBuilder(std::uint64_t first_block)
    : tokens_(std::make_unique<TokenTable>()) {
  directory_.first = first_block;
  salt_.Add(kSaltMagic);
}

SegmentBuilder::~SegmentBuilder() = default;

bool SegmentBuilder::HasRoomFor(std::size_t raw_bytes) const {
  return empty() || (directory_.blocks.size() < kSegmentBlocksMax &&
                     raw_bytes_ + raw_bytes <= kSegmentRawBytes);
}

void SegmentBuilder::Add(std::uint64_t block, const evidence::Payload& payload,
                         formats::Format format) {
  const auto ordinal = static_cast<std::uint16_t>(directory_.blocks.size());
  directory_.blocks.push_back(block);
  salt_.Add(payload.batch_key());
  raw_bytes_ += payload.blob().size();
  too_long_ = false;
  bool sure = true;
  FoldAscii(payload.blob(), folded_);
  folded_.append(kScanBytes, '\0');
  for (std::uint32_t i = 0; i < payload.record_count(); ++i) {
    const evidence::RecordView record = payload.record(i);
    const std::string_view text =
        std::string_view(folded_).substr(payload.offset(i), record.bytes.size());
    sure = AddRecord(record, text, format) && sure;
  }
  // A huge record's memory is given back.
  for (std::string* room : {&folded_, &other_}) {
    if (room->capacity() > 4 * evidence::kTargetBatchSize) std::string().swap(*room);
  }
  if (too_long_) directory_.always.push_back(ordinal);
  if (!sure) directory_.unsure.push_back(ordinal);
}

void SegmentBuilder::AddUnreadable(std::uint64_t block) {
  directory_.always.push_back(static_cast<std::uint16_t>(directory_.blocks.size()));
  directory_.blocks.push_back(block);
}

bool SegmentBuilder::AddRecord(const evidence::RecordView& record, std::string_view folded,
                               formats::Format format) {
  ViewVisitor visitor;
  visitor.on_text = [this](std::string_view text) { AddOther(text); };
  visitor.on_address = [this](const Network& address) { AddAddress(address); };
  if ((record.flags & evidence::kRecordUtf16Le) != 0) {
    const std::string text = formats::RecordText(record.bytes, true);
    visitor.on_text(text);
    return ForEachView(format, text, visitor);
  }
  AddText(folded);
  return ForEachView(format, record.bytes, visitor);
}

void SegmentBuilder::AddOther(std::string_view text) {
  FoldAscii(text, other_);
  other_.append(kScanBytes, '\0');
  AddText(std::string_view(other_).substr(0, text.size()));
}

void SegmentBuilder::AddText(std::string_view folded) {
  const std::uint16_t ordinal = NewestOrdinal();
  const bool all_kept = ForEachKept(
      folded, [this, ordinal](std::string_view token) { tokens_->Add(token, ordinal); },
      [this](const Network& address) { AddAddress(address); });
  tokens_->Flush(ordinal);
  if (!all_kept) too_long_ = true;
}

void SegmentBuilder::AddAddress(const Network& address) {
  std::string token = AddressToken(address);
  const std::size_t size = token.size();
  token.append(kTokenBytesRead, '\0');
  tokens_->Add(std::string_view(token).substr(0, size), NewestOrdinal());
  tokens_->Flush(NewestOrdinal());
}

std::uint16_t SegmentBuilder::NewestOrdinal() const {
  return static_cast<std::uint16_t>(directory_.blocks.size() - 1);
}

BuiltSegment SegmentBuilder::Finish(std::uint64_t end) {
  directory_.end = end;
  directory_.salt = salt_.Finish();
  BuiltSegment built;
  ChunkWriter chunk(directory_.blocks.size());
  const auto finish = [&] {
    built.chunks.push_back(chunk.Finish(directory_.chunks.emplace_back()));
  };
  tokens_->ForEachSorted([&](std::string_view token, std::span<const std::uint16_t> list) {
    chunk.Add(token, list);
    if (chunk.size() >= kChunkBytes) finish();
  });
  if (!chunk.empty()) finish();
  built.directory = std::exchange(directory_, {});
  directory_.first = end;
  salt_.Add(kSaltMagic);
  raw_bytes_ = 0;
  tokens_->Clear();
  return built;
}

}  // namespace logvault::query
