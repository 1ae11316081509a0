#include "query/index_segment.h"

#include <algorithm>

#include "common/bytes.h"
#include "query/index_token.h"

namespace logvault::query {
namespace {

constexpr std::string_view kMagic = "logvault/idx/v1\n";

// Rising numbers: how many, then each less the one before.
template <typename Number>
void WriteRising(const std::vector<Number>& numbers, std::uint64_t base, ByteWriter& out) {
  out.Varint(numbers.size());
  std::uint64_t before = base;
  for (const Number number : numbers) {
    out.Varint(number - before);
    before = number;
  }
}

// Fails the reader where a number is not more than the one before, or not less than `end`.
template <typename Number>
std::vector<Number> ReadRising(ByteReader& in, std::uint64_t base, std::uint64_t end) {
  std::vector<Number> numbers;
  const std::uint64_t count = in.Varint();
  if (count > kSegmentBlocksMax) in.Fail();
  std::uint64_t before = base;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::uint64_t step = in.Varint();
    if ((i > 0 && step == 0) || before >= end || step >= end - before) in.Fail();
    before += step;
    numbers.push_back(static_cast<Number>(before));
  }
  return numbers;
}

std::size_t SharedPrefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + size, b.begin()).first -
                                  a.begin());
}

// Passes over a list in `in`; false where it is none.
bool SkipList(ByteReader& in, std::size_t block_count) {
  const std::uint64_t count = in.Varint();
  if (count > block_count) return false;
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t step = in.Varint();
    if ((i > 0 && step == 0) || step >= block_count || (before += step) >= block_count)
      return false;
  }
  return in.ok();
}

}  // namespace

std::string Directory::Serialize() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.Bytes(kMagic);
  out.Bytes(salt.view());
  out.U64(first);
  out.U64(end);
  WriteRising(blocks, first, out);
  WriteRising(always, 0, out);
  WriteRising(unsure, 0, out);
  out.Varint(chunks.size());
  for (const ChunkEntry& chunk : chunks) {
    out.VarString(chunk.first_token);
    out.Varint(chunk.token_count);
    out.Bytes(chunk.hash.view());
  }
  return bytes;
}

Result<Directory> Directory::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  Directory directory;
  if (in.Bytes(kMagic.size()) != kMagic) return Corruption("no index directory of this version");
  const std::string_view salt = in.Bytes(evidence::kHashSize);
  if (in.ok()) directory.salt = *evidence::Hash::FromBytes(salt);
  directory.first = in.U64();
  directory.end = in.U64();
  directory.blocks = ReadRising<std::uint64_t>(in, directory.first, directory.end);
  directory.always = ReadRising<std::uint16_t>(in, 0, directory.blocks.size());
  directory.unsure = ReadRising<std::uint16_t>(in, 0, directory.blocks.size());
  const std::uint64_t count = in.Varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    ChunkEntry& chunk = directory.chunks.emplace_back();
    chunk.first_token = in.VarString();
    const std::uint64_t tokens = in.Varint();
    const std::string_view hash = in.Bytes(evidence::kHashSize);
    if (!in.ok() || tokens == 0 || tokens > UINT32_MAX ||
        (i > 0 && directory.chunks[i - 1].first_token >= chunk.first_token)) {
      return Corruption("an index directory's chunks are not in order");
    }
    chunk.token_count = static_cast<std::uint32_t>(tokens);
    chunk.hash = *evidence::Hash::FromBytes(hash);
  }
  if (!in.Done()) return Corruption("an index directory is cut or has bytes behind its end");
  return directory;
}

void ChunkWriter::Add(std::string_view token, const Ordinals& list) {
  if (entry_.token_count++ == 0) entry_.first_token = token;
  const std::size_t shared = SharedPrefix(last_, token);
  ByteWriter tokens(tokens_);
  tokens.Varint(shared);
  tokens.VarString(token.substr(shared));
  last_ = token;
  ByteWriter lists(lists_);
  if (list.size() == block_count_) return lists.Varint(0);
  WriteRising(list, 0, lists);
}

std::string ChunkWriter::Finish(ChunkEntry& entry) {
  std::string bytes = std::move(tokens_) + lists_;
  entry = std::move(entry_);
  entry.hash = evidence::Sha256(bytes);
  entry_ = {};
  tokens_.clear();
  lists_.clear();
  last_.clear();
  return bytes;
}

Result<Chunk> Chunk::Parse(std::string_view bytes, const ChunkEntry& entry,
                           std::size_t block_count) {
  if (evidence::Sha256(bytes) != entry.hash) {
    return Corruption("a chunk of the index does not have the hash that its directory states");
  }
  const Status malformed = Corruption("a chunk of the index is not in order");
  if (entry.token_count > bytes.size() / 2) return malformed;
  Chunk chunk;
  ByteReader in(bytes);
  chunk.text_.assign(1, '\0');
  chunk.text_.reserve(2 * bytes.size());
  chunk.begins_.reserve(entry.token_count);
  std::string last, token;
  for (std::uint32_t i = 0; i < entry.token_count; ++i) {
    const std::uint64_t shared = in.Varint();
    const std::string_view suffix = in.VarString();
    if (!in.ok() || shared > last.size() || shared + suffix.size() > kMaxTokenBytes)
      return malformed;
    token.assign(last, 0, shared).append(suffix);
    if (token.find('\0') != std::string::npos || token <= last) return malformed;
    chunk.begins_.push_back(static_cast<std::uint32_t>(chunk.text_.size()));
    chunk.text_.append(token).push_back('\0');
    std::swap(last, token);
  }
  if (chunk.begins_.empty() || chunk.token(0) != entry.first_token) return malformed;
  chunk.lists_ = in.rest();
  chunk.list_begins_.reserve(entry.token_count);
  for (std::uint32_t i = 0; i < entry.token_count; ++i) {
    chunk.list_begins_.push_back(
        static_cast<std::uint32_t>(chunk.lists_.size() - in.rest().size()));
    if (!SkipList(in, block_count)) return malformed;
  }
  if (!in.Done()) return malformed;
  return chunk;
}

std::string_view Chunk::token(std::size_t i) const {
  const std::size_t end = i + 1 < begins_.size() ? begins_[i + 1] : text_.size();
  return std::string_view(text_).substr(begins_[i], end - 1 - begins_[i]);
}

std::size_t Chunk::TokenAt(std::size_t offset) const {
  const auto behind = std::upper_bound(begins_.begin(), begins_.end(), offset);
  return static_cast<std::size_t>(behind - begins_.begin()) - (behind == begins_.begin() ? 0 : 1);
}

std::size_t Chunk::LowerBound(std::string_view token) const {
  std::size_t low = 0, high = token_count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (this->token(middle) < token)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void Chunk::MarkBlocks(std::size_t i, std::vector<bool>& set) const {
  ByteReader in(std::string_view(lists_).substr(list_begins_[i]));
  const std::uint64_t count = in.Varint();
  if (count == 0) set.assign(set.size(), true);
  std::uint64_t ordinal = 0;
  for (std::uint64_t n = 0; n < count; ++n) {
    ordinal += in.Varint();
    if (ordinal < set.size()) set[ordinal] = true;  // Parse has checked it
  }
}

std::size_t Chunk::memory_bytes() const {
  return sizeof *this + text_.capacity() + lists_.capacity() +
         (begins_.capacity() + list_begins_.capacity()) * sizeof(std::uint32_t);
}

}  // namespace logvault::query
