#include "query/index_segment.h"

#include <algorithm>
#include <bit>
#include <climits>
#include <optional>

#include "common/bytes.h"
#include "query/index_token.h"
#include "query/word.h"

namespace logvault::query {
namespace {

constexpr std::string_view kMagic = "logvault/idx/v1\n";

// Rising numbers: how many, then each less the one before.
void WriteRising(const auto& numbers, std::uint64_t base, ByteWriter& out) {
  out.Varint(numbers.size());
  std::uint64_t before = base;
  for (const auto number : numbers) {
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

// Eight bytes at a time, since it stands on the path of every token.
std::size_t SharedPrefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t shared = 0;
  for (; shared + sizeof(std::uint64_t) <= size; shared += sizeof(std::uint64_t)) {
    const std::uint64_t differing = LoadLittleEndian<std::uint64_t>(a.data() + shared) ^
                                    LoadLittleEndian<std::uint64_t>(b.data() + shared);
    if (differing != 0)
      return shared + static_cast<std::size_t>(std::countr_zero(differing)) / CHAR_BIT;
  }
  while (shared < size && a[shared] == b[shared]) ++shared;
  return shared;
}

// How long the tokens at `in` are, each with a NUL behind it; nullopt where they are none.  Known beforehand, their text is not
// copied while it grows, which took longer than all else.
std::optional<std::size_t> SizeOfTokens(ByteReader in, std::uint32_t count) {
  std::size_t all = 0;
  std::uint64_t last = 0;  // size of the token before
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t shared = in.Varint();
    const std::uint64_t size = shared + in.VarString().size();
    if (!in.ok() || shared > last || size > kMaxTokenBytes) return std::nullopt;
    all += size + 1;
    last = size;
  }
  return all;
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

void ChunkWriter::Add(std::string_view token, std::span<const std::uint16_t> list) {
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
  last_ = {};
  return bytes;
}

Result<Chunk> Chunk::Parse(std::string_view bytes, const ChunkEntry& entry,
                           std::size_t block_count) {
  if (evidence::Sha256(bytes) != entry.hash) {
    return Corruption("a chunk of the index does not have the hash that its directory states");
  }
  const Status malformed = Corruption("a chunk of the index is not in order");
  if (entry.token_count == 0 || entry.token_count > bytes.size() / 2) return malformed;
  Chunk chunk;
  ByteReader in(bytes);
  if (!chunk.ParseTokens(in, entry.token_count)) return malformed;
  if (chunk.token(0) != entry.first_token) return malformed;
  if (!chunk.ParseLists(in, block_count)) return malformed;
  return chunk;
}

bool Chunk::ParseTokens(ByteReader& in, std::uint32_t count) {
  const std::optional<std::size_t> size = SizeOfTokens(in, count);
  if (!size) return false;
  text_.reserve(1 + *size);
  text_.assign(1, '\0');
  marks_.reserve(count / kTokensAMark + 1);
  std::size_t last_begin = 0, last_size = 0;  // the token before
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t shared = in.Varint();
    const std::string_view suffix = in.VarString();
    if (suffix.find('\0') != std::string_view::npos) return false;
    const std::size_t begin = text_.size();
    text_.append(text_, last_begin, shared).append(suffix);
    const std::string_view token = std::string_view(text_).substr(begin);
    if (token <= std::string_view(text_).substr(last_begin, last_size)) return false;
    if (i % kTokensAMark == 0) marks_.push_back({static_cast<std::uint32_t>(begin), 0});
    last_begin = begin;
    last_size = token.size();
    text_.push_back('\0');
  }
  token_count_ = count;
  return true;
}

bool Chunk::ParseLists(ByteReader& in, std::size_t block_count) {
  lists_ = in.rest();
  for (std::size_t i = 0; i < token_count_; ++i) {
    if (i % kTokensAMark == 0)
      marks_[i / kTokensAMark].list = static_cast<std::uint32_t>(lists_.size() - in.rest().size());
    if (!SkipList(in, block_count)) return false;
  }
  return in.Done();
}

std::string_view Chunk::token(std::size_t i) const {
  std::size_t begin = marks_[i / kTokensAMark].token;
  for (std::size_t skip = i % kTokensAMark; skip > 0; --skip) begin = EndOfToken(begin) + 1;
  return std::string_view(text_).substr(begin, EndOfToken(begin) - begin);
}

std::size_t Chunk::TokenAt(std::size_t offset) const {
  const auto behind =
      std::upper_bound(marks_.begin(), marks_.end(), offset,
                       [](std::size_t at, const Mark& mark) { return at < mark.token; });
  if (behind == marks_.begin()) return 0;
  const auto mark = static_cast<std::size_t>(behind - marks_.begin()) - 1;
  std::size_t i = mark * kTokensAMark;
  for (std::size_t end = EndOfToken(marks_[mark].token); end < offset; end = EndOfToken(end + 1))
    ++i;
  return i;
}

std::size_t Chunk::LowerBound(std::string_view token) const {
  // The last marked token that is less; the one looked for is behind it, and not behind the next.
  std::size_t low = 0, high = marks_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (this->token(middle * kTokensAMark) < token)
      low = middle + 1;
    else
      high = middle;
  }
  std::size_t i = low == 0 ? 0 : (low - 1) * kTokensAMark;
  for (std::size_t begin = marks_[i / kTokensAMark].token; i < token_count_; ++i) {
    const std::size_t end = EndOfToken(begin);
    if (std::string_view(text_).substr(begin, end - begin) >= token) break;
    begin = end + 1;
  }
  return i;
}

void Chunk::MarkBlocks(std::size_t i, std::vector<bool>& set) const {
  ByteReader in(std::string_view(lists_).substr(marks_[i / kTokensAMark].list));
  for (std::size_t skip = i % kTokensAMark; skip > 0; --skip) SkipList(in, set.size());
  const std::uint64_t count = in.Varint();
  if (count == 0) set.assign(set.size(), true);
  std::uint64_t ordinal = 0;
  for (std::uint64_t n = 0; n < count; ++n) {
    ordinal += in.Varint();
    if (ordinal < set.size()) set[ordinal] = true;  // Parse has checked it
  }
}

std::size_t Chunk::memory_bytes() const {
  return sizeof *this + text_.capacity() + lists_.capacity() + marks_.capacity() * sizeof(Mark);
}

}  // namespace logvault::query
