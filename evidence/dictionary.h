// Dictionary: what the small batches of a format have in common, so that zstd need not learn it anew in each.  An
// administrator says it to the chain in a directive; the frames that need it name it.  It holds pieces of the records
// that it was trained on.  Format: docs/FORMAT.md, section "Dictionary"; this file and that section change together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace logvault::evidence {

struct BlockHeader;

inline constexpr std::size_t kMaxDictionarySize = 32 * 1024;
// A batch of more raw bytes gains next to nothing (docs/adr/0017) and is compressed without.
inline constexpr std::size_t kMaxDictionaryBatch = 64 * 1024;
inline constexpr std::size_t kMaxDictionaries = 100;  // of one vault, ever: readers hold all

// Immutable; safe from several threads.
class Dictionary {
 public:
  // As `zstd --train` makes it (RFC 8878, section 5), with a number and at most kMaxDictionarySize; else kInvalidArgument.
  static Result<std::shared_ptr<const Dictionary>> Parse(std::string_view bytes);

  [[nodiscard]] std::uint32_t id() const { return id_; }  // zstd's Dictionary_ID, never 0
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] const Hash& hash() const { return hash_; }  // SHA-256 of them

  // Prepared by zstd, for evidence/payload.cc.  The first is made when it is first asked for: whoever only reads has none.
  [[nodiscard]] const ZSTD_CDict_s& for_compression() const;
  [[nodiscard]] const ZSTD_DDict_s& for_decompression() const { return *decompressing_; }

 private:
  Dictionary() = default;

  std::uint32_t id_ = 0;
  std::string bytes_;
  Hash hash_;
  std::shared_ptr<ZSTD_DDict_s> decompressing_;
  mutable std::once_flag once_;
  mutable std::shared_ptr<ZSTD_CDict_s> compressing_;  // once `once_` is through
};

// Learns one of at most `max_size` bytes from pieces of logs as long as the batches are for which it is meant.
// kFailedPrecondition where they are too few or too short to learn from.
Result<std::string> TrainDictionary(const std::vector<std::string>& samples, std::size_t max_size);

// What a block orders that brings a dictionary; an error where it is none.  To read by, not to judge by: whether an
// administrator ordered it, evidence/governance.h says.
struct OrderedDictionary {
  std::string format;
  std::shared_ptr<const Dictionary> dictionary;
};
Result<OrderedDictionary> DictionaryIn(const BlockHeader& block);

// Those that a vault has had, by id.  Copies share them.
class Dictionaries {
 public:
  // Of the block that brought it.  An id that is there stays as it is.
  void Add(std::shared_ptr<const Dictionary> dictionary, std::uint64_t block);
  // The dictionary that `block` brings, if it is such a block.  A payload that a wrong one opened would not have its root.
  void Learn(const BlockHeader& block);

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  // nullptr where it is not there.
  [[nodiscard]] const Dictionary* Find(std::uint32_t id) const;
  // Whether it is there, from a block before `block`.
  [[nodiscard]] bool HasBefore(std::uint32_t id, std::uint64_t block) const;

 private:
  struct Known {
    std::shared_ptr<const Dictionary> dictionary;
    std::uint64_t block = 0;
  };
  std::map<std::uint32_t, Known> by_id_;
};

// The dictionary that a frame names; 0: none, or no frame of zstd's.
std::uint32_t DictionaryOf(std::string_view frame);

}  // namespace logvault::evidence
