// TokenTable: the tokens of a segment and the blocks that hold them, while its index is being built.
#pragma once

#include <array>
#include <bit>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/index_segment.h"
#include "query/word.h"

namespace logvault::query {

inline constexpr std::size_t kTokenBytesRead = 8;

// An open-addressing table over one arena.  Not for several threads.
class TokenTable {
 public:
  TokenTable() : slots_(kSlotsAtFirst, kFree) {}

  // To be added by the next Flush() or before, so that the memory it needs is fetched while others are found.
  // REQUIRES: 0 < token.size() <= kMaxTokenBytes; kTokenBytesRead bytes can be read at token.data(), however short it is;
  // ordinals come in ascending order.
  void Add(std::string_view token, std::uint16_t ordinal) {
    if (token.size() > kTokenBytesRead) return AddPending(token, SignatureOfLong(token), ordinal);
    const std::uint64_t signature = LoadShort(token);
    Recent& recent = recent_[HashOf(signature, token.size()) >> kRecentShift];
    const Recent now{signature, static_cast<std::uint16_t>(token.size()), ordinal};
    if (recent == now) return;
    recent = now;
    AddPending(token, signature, ordinal);
  }
  // REQUIRES: the bytes of the tokens are still where they were.
  void Flush(std::uint16_t ordinal);
  // Keeps the memory, since the next segment needs as much; after a huge one gives it back.
  void Clear();

  // Calls `visit(token, list)` in the tokens' order, with the blocks that hold it.  The token's bytes stay where they are
  // until the table changes, the list's until `visit` returns.
  template <typename Visit>
  void ForEachSorted(const Visit& visit) const;

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;
  static constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  static constexpr std::size_t kSlotsAtFirst = 1u << 15;
  static constexpr std::size_t kSlotsKept = 1u << 20;
  static constexpr std::size_t kArenaKept = 8u << 20;
  static constexpr std::uint16_t kEarlyBlocks = 64;
  static constexpr std::size_t kFetchAhead = 8;  // tokens

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
    std::uint64_t early;  // bit i: block i holds it; a segment of large batches has no others
    std::uint32_t begin;  // in arena_
    std::uint16_t size;
    std::uint16_t last;  // the newest block that holds it
  };
  // An entry by the first eight bytes of its token, as a number that orders as they do; bytes that are not there are 0.
  struct Sorted {
    std::uint64_t front;
    std::uint32_t entry;
  };
  // The blocks from kEarlyBlocks on: those of entry i are from begins[i] up to before begins[i + 1].
  struct LateBlocks {
    std::vector<std::uint32_t> begins;
    Ordinals blocks;
  };

  [[nodiscard]] std::string_view TokenOf(const Entry& entry) const {
    return {arena_.data() + entry.begin, entry.size};
  }
  [[nodiscard]] bool IsOf(const Entry& entry, std::string_view token,
                          std::uint64_t signature) const {
    return entry.signature == signature && entry.size == token.size() &&
           (token.size() <= kTokenBytesRead || TokenOf(entry) == token);
  }
  // As a number that two tokens of one size share only where they are the same.
  static std::uint64_t LoadShort(std::string_view token) {
    const std::uint64_t bytes = LoadLittleEndian<std::uint64_t>(token.data());
    return bytes & ~std::uint64_t{0} >> (CHAR_BIT * (kTokenBytesRead - token.size()));
  }
  // One that longer tokens hardly ever share.
  static std::uint64_t SignatureOfLong(std::string_view token);
  // Fast and good enough for a table that only this process sees.
  static std::uint64_t HashOf(std::uint64_t signature, std::size_t size) {
    const std::uint64_t hash = (signature ^ size) * kMultiplier;
    return hash ^ hash >> 29;
  }
  void AddPending(std::string_view token, std::uint64_t signature, std::uint16_t ordinal);
  void Put(const Pending& token, std::uint16_t ordinal);
  void Mark(std::uint32_t entry, std::uint16_t ordinal);
  void Grow();
  [[nodiscard]] std::uint64_t FrontOf(const Entry& entry) const;
  [[nodiscard]] std::vector<Sorted> InOrder() const;
  [[nodiscard]] LateBlocks Late() const;

  std::array<Recent, 1u << kRecentBits> recent_{};
  std::array<Pending, 32> pending_;
  std::size_t pending_count_ = 0;
  std::vector<std::uint32_t> slots_;  // a power of two of them
  std::vector<Entry> entries_;
  std::string arena_;
  std::vector<std::pair<std::uint32_t, std::uint16_t>> late_;  // entry, block; in the blocks' order
};

template <typename Visit>
void TokenTable::ForEachSorted(const Visit& visit) const {
  const std::vector<Sorted> order = InOrder();
  const LateBlocks late = Late();
  Ordinals list;
  for (std::size_t i = 0; i < order.size(); ++i) {
    // In this order each entry and its bytes are somewhere else.
    if (i + 2 * kFetchAhead < order.size())
      __builtin_prefetch(&entries_[order[i + 2 * kFetchAhead].entry]);
    if (i + kFetchAhead < order.size())
      __builtin_prefetch(arena_.data() + entries_[order[i + kFetchAhead].entry].begin);
    const Entry& entry = entries_[order[i].entry];
    list.clear();
    for (std::uint64_t bits = entry.early; bits != 0; bits &= bits - 1)
      list.push_back(static_cast<std::uint16_t>(std::countr_zero(bits)));
    if (!late.blocks.empty()) {
      const auto begin = late.blocks.begin() + late.begins[order[i].entry];
      list.insert(list.end(), begin, late.blocks.begin() + late.begins[order[i].entry + 1]);
    }
    visit(TokenOf(entry), std::span<const std::uint16_t>(list));
  }
}

}  // namespace logvault::query
