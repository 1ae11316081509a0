// Rows of the index read back from disk are input.
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/check.h"
#include "query/index_lookup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logvault::query;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  logvault::Result<Directory> directory = Directory::Parse(bytes);
  if (directory.ok()) {
    LV_CHECK(directory->blocks.size() <= kSegmentBlocksMax);
    LV_CHECK(*Directory::Parse(directory->Serialize()) == *directory);
  }
  // The same bytes as a chunk, with a hash that fits: the first byte says how many tokens.
  if (size < 2) return 0;
  ChunkEntry entry;
  entry.token_count = 1 + data[0] % 8;
  const std::string_view rest = bytes.substr(1);
  entry.hash = logvault::evidence::Sha256(rest);
  if (rest.size() > 2) entry.first_token = rest.substr(2, static_cast<std::uint8_t>(rest[1]));
  constexpr std::size_t kBlocks = 5;
  logvault::Result<Chunk> chunk = Chunk::Parse(rest, entry, kBlocks);
  if (!chunk.ok()) return 0;
  BlockSet set(kBlocks, false);
  for (std::size_t i = 0; i < chunk->token_count(); ++i) {
    chunk->MarkBlocks(i, set);
    LV_CHECK(chunk->LowerBound(chunk->token(i)) == i);
    LV_CHECK(i == 0 || chunk->token(i - 1) < chunk->token(i));
  }
  LV_CHECK(set.size() == kBlocks);
  return 0;
}
