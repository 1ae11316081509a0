#include "query/index_builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "formats/fields.h"
#include "query/address.h"
#include "query/index_kept.h"
#include "query/index_token.h"
#include "query/index_views.h"
#include "query/literal.h"

namespace logvault::query {
namespace {

constexpr std::string_view kSaltMagic = "logvault/index-salt/v1\n";

template <typename Word>
std::uint64_t Load(const char* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Up to eight bytes as a number; two of one size are the same number only where they are the same.
std::uint64_t LoadShort(std::string_view bytes) {
  const std::size_t size = bytes.size();
  if (size >= 4)
    return Load<std::uint32_t>(bytes.data()) | Load<std::uint32_t>(bytes.data() + size - 4) << 32;
  if (size == 0) return 0;
  return static_cast<std::uint8_t>(bytes[0]) |
         static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[size / 2])) << 8 |
         static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[size - 1])) << 16;
}

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;

// A number that short tokens of one size do not share, and longer ones hardly ever.
std::uint64_t SignatureOf(std::string_view token) {
  if (token.size() <= sizeof(std::uint64_t)) return LoadShort(token);
  std::uint64_t signature = 0;
  for (std::size_t at = 0; at + sizeof signature < token.size(); at += sizeof signature) {
    signature = (signature ^ Load<std::uint64_t>(token.data() + at)) * kMultiplier;
    signature ^= signature >> 32;
  }
  return signature ^ Load<std::uint64_t>(token.data() + token.size() - sizeof signature);
}

// Fast and good enough for a table that only this process sees.
std::uint64_t HashOf(std::uint64_t signature, std::size_t size) {
  const std::uint64_t hash = (signature ^ size) * kMultiplier;
  return hash ^ hash >> 29;
}

// The first eight bytes as a number that orders as they do; bytes that are not there are 0.
std::uint64_t OrderOf(std::string_view token) {
  std::array<char, sizeof(std::uint64_t)> front{};
  std::copy_n(token.begin(), std::min(token.size(), front.size()), front.begin());
  return __builtin_bswap64(Load<std::uint64_t>(front.data()));
}

}  // namespace

// Tokens and the blocks that hold them: an open-addressing table over one arena.
class SegmentBuilder::Dictionary {
 public:
  Dictionary() : slots_(kSlotsAtFirst, kFree) {}

  // To be added by the next Flush() or before, so that the memory it needs is fetched while others are found.
  // REQUIRES: token.size() <= kMaxTokenBytes; ordinals come in ascending order.
  void Add(std::string_view token, std::uint16_t ordinal) {
    const std::uint64_t signature = SignatureOf(token);
    const std::uint64_t hash = HashOf(signature, token.size());
    if (token.size() <= sizeof signature) {
      Recent& recent = recent_[hash >> kRecentShift];
      if (recent == Recent{signature, static_cast<std::uint16_t>(token.size()), ordinal}) return;
      recent = {signature, static_cast<std::uint16_t>(token.size()), ordinal};
    }
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
    pending_[pending_count_++] = {token, signature, hash};
    if (pending_count_ == pending_.size()) Flush(ordinal);
  }

  // REQUIRES: the bytes of the tokens are still where they were.
  void Flush(std::uint16_t ordinal) {
    const std::span<const Pending> pending(pending_.data(), std::exchange(pending_count_, 0));
    for (const Pending& token : pending) {
      const std::uint32_t entry = slots_[token.hash & (slots_.size() - 1)];
      if (entry != kFree) __builtin_prefetch(&entries_[entry]);
    }
    for (const Pending& token : pending) Put(token, ordinal);
  }

  // Keeps the memory, since the next segment needs as much; after a huge one gives it back.
  void Clear() {
    if (slots_.size() > kSlotsKept || arena_.capacity() > kArenaKept) {
      *this = Dictionary();
      return;
    }
    std::fill(slots_.begin(), slots_.end(), kFree);
    recent_.fill({});
    entries_.clear();
    arena_.clear();
    places_.clear();
  }

  // Calls `visit(token, list)` in the tokens' order.
  template <typename Visit>
  void ForEachSorted(const Visit& visit) const {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    order.reserve(entries_.size());
    for (std::uint32_t i = 0; i < entries_.size(); ++i)
      order.emplace_back(OrderOf(TokenOf(entries_[i])), i);
    std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first < b.first;
      return TokenOf(entries_[a.second]) < TokenOf(entries_[b.second]);
    });
    // The places were added block by block, so each token's own are in order.
    std::vector<std::uint32_t> begins(entries_.size() + 1, 0);
    for (const auto& [entry, ordinal] : places_) ++begins[entry + 1];
    for (std::size_t i = 1; i < begins.size(); ++i) begins[i] += begins[i - 1];
    Ordinals sorted(places_.size());
    std::vector<std::uint32_t> next(begins.begin(), begins.end() - 1);
    for (const auto& [entry, ordinal] : places_) sorted[next[entry]++] = ordinal;
    for (const auto& [front, i] : order) {
      visit(TokenOf(entries_[i]), std::span(sorted).subspan(begins[i], begins[i + 1] - begins[i]));
    }
  }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;
  static constexpr std::size_t kSlotsAtFirst = 1u << 15;
  static constexpr std::size_t kSlotsKept = 1u << 20;
  static constexpr std::size_t kArenaKept = 8u << 20;
  struct Pending {
    std::string_view token;
    std::uint64_t signature, hash;
  };
  // A short token that was added, of whose signature and size it is the only one; size 0: none.  Nine in ten tokens of a log are
  // of a thousand, for which this is enough, and stays in the processor's nearest cache.
  struct Recent {
    std::uint64_t signature;
    std::uint16_t size, ordinal;
    bool operator==(const Recent&) const = default;
  };
  static constexpr int kRecentBits = 11;
  static constexpr int kRecentShift = 64 - kRecentBits;
  struct Entry {
    std::uint64_t signature;
    std::uint32_t begin;  // in arena_
    std::uint16_t size;
    std::uint16_t last;  // the newest block that holds it
  };

  [[nodiscard]] std::string_view TokenOf(const Entry& entry) const {
    return {arena_.data() + entry.begin, entry.size};
  }

  [[nodiscard]] bool IsOf(const Entry& entry, std::string_view token,
                          std::uint64_t signature) const {
    return entry.signature == signature && entry.size == token.size() &&
           (token.size() <= sizeof signature || TokenOf(entry) == token);
  }

  void Put(const Pending& token, std::uint16_t ordinal) {
    std::size_t at = token.hash & (slots_.size() - 1);
    for (; slots_[at] != kFree; at = (at + 1) & (slots_.size() - 1)) {
      Entry& entry = entries_[slots_[at]];
      if (!IsOf(entry, token.token, token.signature)) continue;
      if (entry.last == ordinal) return;
      entry.last = ordinal;
      places_.emplace_back(slots_[at], ordinal);
      return;
    }
    slots_[at] = static_cast<std::uint32_t>(entries_.size());
    places_.emplace_back(slots_[at], ordinal);
    entries_.push_back({token.signature, static_cast<std::uint32_t>(arena_.size()),
                        static_cast<std::uint16_t>(token.token.size()), ordinal});
    arena_.append(token.token);
    if (entries_.size() * 2 > slots_.size()) Grow();
  }

  void Grow() {
    std::vector<std::uint32_t> slots(slots_.size() * 4, kFree);
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
      std::size_t at = HashOf(entries_[i].signature, entries_[i].size) & (slots.size() - 1);
      while (slots[at] != kFree) at = (at + 1) & (slots.size() - 1);
      slots[at] = i;
    }
    slots_ = std::move(slots);
  }

  std::array<Recent, 1u << kRecentBits> recent_{};
  std::array<Pending, 32> pending_;
  std::size_t pending_count_ = 0;
  std::vector<std::uint32_t> slots_;  // a power of two of them
  std::vector<Entry> entries_;
  std::string arena_;
  std::vector<std::pair<std::uint32_t, std::uint16_t>> places_;  // entry, block
};

SegmentBuilder::SegmentBuilder(std::uint64_t first_block)
    : dictionary_(std::make_unique<Dictionary>()) {
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
  for (std::uint32_t i = 0; i < payload.record_count(); ++i) {
    const evidence::RecordView record = payload.record(i);
    const std::string_view text =
        std::string_view(folded_).substr(payload.offset(i), record.bytes.size());
    sure = AddRecord(record, text, format) && sure;
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
  visitor.on_text = [this](std::string_view text) { AddText(FoldAscii(text)); };
  visitor.on_address = [this](const Network& address) { AddAddress(address); };
  if ((record.flags & evidence::kRecordUtf16Le) != 0) {
    const std::string text = formats::RecordText(record.bytes, true);
    visitor.on_text(text);
    return ForEachView(format, text, visitor);
  }
  AddText(folded);
  return ForEachView(format, record.bytes, visitor);
}

void SegmentBuilder::AddText(std::string_view folded) {
  const std::uint16_t ordinal = NewestOrdinal();
  const bool all_kept = ForEachKept(
      folded, [this, ordinal](std::string_view token) { dictionary_->Add(token, ordinal); },
      [this](const Network& address) { AddAddress(address); });
  dictionary_->Flush(ordinal);
  if (!all_kept) too_long_ = true;
}

void SegmentBuilder::AddAddress(const Network& address) {
  const std::string token = AddressToken(address);
  dictionary_->Add(token, NewestOrdinal());
  dictionary_->Flush(NewestOrdinal());
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
  dictionary_->ForEachSorted([&](std::string_view token, std::span<const std::uint16_t> list) {
    chunk.Add(token, list);
    if (chunk.size() >= kChunkBytes) finish();
  });
  if (!chunk.empty()) finish();
  built.directory = std::exchange(directory_, {});
  directory_.first = end;
  salt_.Add(kSaltMagic);
  raw_bytes_ = 0;
  dictionary_->Clear();
  return built;
}

}  // namespace logvault::query
