#include "query/token_table.h"

#include <algorithm>

namespace logvault::query {
namespace {

// By `front`, digit by digit from the last (LSD radix sort): a tenth of what comparing them takes.
template <typename Item>
void SortByFront(std::vector<Item>& items) {
  constexpr int kDigitBits = 8, kDigits = 64 / kDigitBits;
  constexpr std::size_t kValues = std::size_t{1} << kDigitBits;
  const auto digit = [](const Item& item, int i) { return item.front >> (i * kDigitBits) & 0xff; };
  std::array<std::array<std::uint32_t, kValues>, kDigits> counts{};
  for (const Item& item : items) {
    for (int i = 0; i < kDigits; ++i) ++counts[i][digit(item, i)];
  }
  std::vector<Item> sorted(items.size());
  for (int i = 0; i < kDigits && !items.empty(); ++i) {
    std::array<std::uint32_t, kValues>& next = counts[i];
    if (next[digit(items.front(), i)] == items.size()) continue;  // all the same
    std::uint32_t begin = 0;
    for (std::uint32_t& count : next) begin += std::exchange(count, begin);
    for (const Item& item : items) sorted[next[digit(item, i)]++] = item;
    items.swap(sorted);
  }
}

}  // namespace

std::uint64_t TokenTable::SignatureOfLong(std::string_view token) {
  std::uint64_t signature = 0;
  for (std::size_t at = 0; at + sizeof signature < token.size(); at += sizeof signature) {
    signature = (signature ^ LoadLittleEndian<std::uint64_t>(token.data() + at)) * kMultiplier;
    signature ^= signature >> 32;
  }
  return signature ^
         LoadLittleEndian<std::uint64_t>(token.data() + token.size() - sizeof signature);
}

void TokenTable::AddPending(std::string_view token, std::uint64_t signature,
                            std::uint16_t ordinal) {
  const std::uint64_t hash = HashOf(signature, token.size());
  __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  pending_[pending_count_++] = {token, signature, hash};
  if (pending_count_ == pending_.size()) Flush(ordinal);
}

void TokenTable::Flush(std::uint16_t ordinal) {
  const std::span<const Pending> pending(pending_.data(), std::exchange(pending_count_, 0));
  for (const Pending& token : pending) {
    const std::uint32_t entry = slots_[token.hash & (slots_.size() - 1)];
    if (entry != kFree) __builtin_prefetch(&entries_[entry]);
  }
  for (const Pending& token : pending) Put(token, ordinal);
}

void TokenTable::Clear() {
  if (slots_.size() > kSlotsKept || arena_.capacity() > kArenaKept) {
    *this = TokenTable();
    return;
  }
  std::fill(slots_.begin(), slots_.end(), kFree);
  recent_.fill({});
  entries_.clear();
  arena_.clear();
  late_.clear();
}

void TokenTable::Put(const Pending& token, std::uint16_t ordinal) {
  std::size_t at = token.hash & (slots_.size() - 1);
  for (; slots_[at] != kFree; at = (at + 1) & (slots_.size() - 1)) {
    Entry& entry = entries_[slots_[at]];
    if (!IsOf(entry, token.token, token.signature)) continue;
    if (entry.last != ordinal) Mark(slots_[at], ordinal);
    return;
  }
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({token.signature, 0, static_cast<std::uint32_t>(arena_.size()),
                      static_cast<std::uint16_t>(token.token.size()), ordinal});
  arena_.append(token.token);
  Mark(slots_[at], ordinal);
  if (entries_.size() * 2 > slots_.size()) Grow();
}

void TokenTable::Mark(std::uint32_t entry, std::uint16_t ordinal) {
  entries_[entry].last = ordinal;
  if (ordinal < kEarlyBlocks)
    entries_[entry].early |= std::uint64_t{1} << ordinal;
  else
    late_.emplace_back(entry, ordinal);
}

void TokenTable::Grow() {
  std::vector<std::uint32_t> slots(slots_.size() * 4, kFree);
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = HashOf(entries_[i].signature, entries_[i].size) & (slots.size() - 1);
    while (slots[at] != kFree) at = (at + 1) & (slots.size() - 1);
    slots[at] = i;
  }
  slots_ = std::move(slots);
}

std::uint64_t TokenTable::FrontOf(const Entry& entry) const {
  const bool is_short = entry.size <= kTokenBytesRead;
  return __builtin_bswap64(is_short ? entry.signature
                                    : LoadLittleEndian<std::uint64_t>(TokenOf(entry).data()));
}

std::vector<TokenTable::Sorted> TokenTable::InOrder() const {
  std::vector<Sorted> order;
  order.reserve(entries_.size());
  for (std::uint32_t i = 0; i < entries_.size(); ++i) order.push_back({FrontOf(entries_[i]), i});
  SortByFront(order);
  // No token holds a NUL, so that only longer ones can share their first eight bytes.
  for (auto begin = order.begin(); begin != order.end();) {
    const auto end = std::find_if(begin + 1, order.end(), [begin](const Sorted& sorted) {
      return sorted.front != begin->front;
    });
    std::sort(begin, end, [this](const Sorted& a, const Sorted& b) {
      return TokenOf(entries_[a.entry]) < TokenOf(entries_[b.entry]);
    });
    begin = end;
  }
  return order;
}

TokenTable::LateBlocks TokenTable::Late() const {
  LateBlocks late;
  if (late_.empty()) return late;
  late.begins.resize(entries_.size() + 1);
  for (const auto& [entry, block] : late_) ++late.begins[entry + 1];
  for (std::size_t i = 1; i < late.begins.size(); ++i) late.begins[i] += late.begins[i - 1];
  late.blocks.resize(late_.size());
  std::vector<std::uint32_t> next(late.begins.begin(), late.begins.end() - 1);
  for (const auto& [entry, block] : late_) late.blocks[next[entry]++] = block;
  return late;
}

}  // namespace logvault::query
