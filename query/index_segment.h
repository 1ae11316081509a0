// The bytes of a segment's index: a directory and the chunks of its sorted dictionary, each token with the list of blocks that
// hold it.  Layout: docs/FORMAT.md, "Index"; this file and that section change together.  Bytes read back are input:
// whatever is not exactly as it must be is refused, and its blocks are visited.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::query {

inline constexpr std::size_t kSegmentRawBytes = 16u << 20;  // of the records in one segment
inline constexpr std::size_t kSegmentBlocksMax = 8192;      // RECORDS blocks of one segment
inline constexpr std::size_t kChunkBytes = 48u << 10;       // about, of a chunk's tokens and lists

// Block numbers within a segment: positions in Directory::blocks, ascending.
using Ordinals = std::vector<std::uint16_t>;

struct ChunkEntry {
  std::string first_token;
  std::uint32_t token_count = 0;
  evidence::Hash hash;  // SHA-256 of the chunk
  bool operator==(const ChunkEntry&) const = default;
};

struct Directory {
  // SHA-256 over the batch keys of the payloads: keeps the directory's own hash from telling anything about records that are
  // deleted, since their batch keys are deleted with them.
  evidence::Hash salt;
  std::uint64_t first = 0, end = 0;   // the blocks from `first` up to before `end`
  std::vector<std::uint64_t> blocks;  // the RECORDS blocks among them
  Ordinals always;  // hold what is not kept: unreadable, deleted, or tokens over kMaxTokenBytes
  Ordinals unsure;  // a field may say what stands in no view
  std::vector<ChunkEntry> chunks;

  [[nodiscard]] std::string Serialize() const;
  static Result<Directory> Parse(std::string_view bytes);
  bool operator==(const Directory&) const = default;
};

// Collects one chunk.  REQUIRES: tokens come in ascending order, and the bytes of each stay where they are until Finish().
class ChunkWriter {
 public:
  // `block_count` of the segment: a token of all blocks is written shorter.
  explicit ChunkWriter(std::size_t block_count) : block_count_(block_count) {}

  void Add(std::string_view token, std::span<const std::uint16_t> list);
  [[nodiscard]] std::size_t size() const { return tokens_.size() + lists_.size(); }
  [[nodiscard]] bool empty() const { return entry_.token_count == 0; }
  // The chunk's bytes, and what the directory says of it; afterwards the writer begins anew.
  std::string Finish(ChunkEntry& entry);

 private:
  const std::size_t block_count_;
  std::string tokens_, lists_;
  std::string_view last_;
  ChunkEntry entry_;
};

// A chunk as it is searched: its tokens as one text, each with a NUL before and behind it.  Little more than that text is kept
// of it, since those of a large vault should all fit in memory.
class Chunk {
 public:
  static Result<Chunk> Parse(std::string_view bytes, const ChunkEntry& entry,
                             std::size_t block_count);

  [[nodiscard]] std::size_t token_count() const { return token_count_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view token(std::size_t i) const;
  // The token that byte `offset` of text() belongs to.
  [[nodiscard]] std::size_t TokenAt(std::size_t offset) const;
  // The first token that is not less.
  [[nodiscard]] std::size_t LowerBound(std::string_view token) const;
  // The blocks that hold token `i`, into `set`, which has a place for each block of the segment.
  void MarkBlocks(std::size_t i, std::vector<bool>& set) const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t kTokensAMark = 16;
  // Where every kTokensAMark-th token and its list begin; those between are counted from there.
  struct Mark {
    std::uint32_t token = 0;
    std::uint32_t list = 0;
  };

  Chunk() = default;
  bool ParseTokens(ByteReader& in, std::uint32_t count);
  bool ParseLists(ByteReader& in, std::size_t block_count);
  [[nodiscard]] std::size_t EndOfToken(std::size_t begin) const { return text_.find('\0', begin); }

  std::size_t token_count_ = 0;
  std::string text_;
  std::string lists_;
  std::vector<Mark> marks_;
};

}  // namespace logvault::query
