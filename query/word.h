// Bytes as numbers, for comparing several at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace logvault::query {

// The first of the bytes at `from` is the lowest of the number, on every processor.  Word: an unsigned integer of four or
// eight bytes.
template <typename Word>
Word LoadLittleEndian(const char* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::little) return word;
  return sizeof word == sizeof(std::uint64_t)
             ? static_cast<Word>(__builtin_bswap64(word))
             : static_cast<Word>(__builtin_bswap32(static_cast<std::uint32_t>(word)));
}

}  // namespace logvault::query
