#include "storage/backward_scan.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace logvault::storage {
namespace {

constexpr std::uint64_t kWindowBlocks = 4096;

// The wanted blocks of [first, end), oldest first.
struct Window {
  std::vector<ScannedBlock> blocks;
  UnixNanos first_commit_time = INT64_MIN;  // of the oldest block that could be read
  std::uint64_t unreadable = 0;
};

Window ReadWindow(const Reader& reader, std::uint64_t first, std::uint64_t end,
                  const std::function<bool(const evidence::BlockHeader&)>& wanted) {
  Window window;
  bool any = false;
  std::uint64_t next = first;
  while (next < end) {
    const Status read =
        reader.ForEachBlock(next, end, [&](std::uint64_t index, std::string_view bytes) {
          window.unreadable += index - next;
          next = index + 1;
          Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
          if (!block.ok()) return ++window.unreadable, true;
          if (!std::exchange(any, true)) window.first_commit_time = block->commit_time;
          block->index = index;
          if (wanted(*block)) window.blocks.push_back({*std::move(block), std::string(bytes)});
          return true;
        });
    // Where the iterator cannot go on, the next block is the damaged one; later ones may be sound.
    const std::uint64_t hole_end = read.ok() ? end : std::min(next + 1, end);
    window.unreadable += hole_end - next;
    next = hole_end;
  }
  return window;
}

}  // namespace

std::uint64_t ScanBackward(const Reader& reader, std::uint64_t end, std::optional<UnixNanos> since,
                           const std::function<bool(const evidence::BlockHeader&)>& wanted,
                           const std::function<bool(ScannedBlock&)>& visit) {
  std::uint64_t unreadable = 0;
  while (end > 0) {
    const std::uint64_t first = end > kWindowBlocks ? end - kWindowBlocks : 0;
    Window window = ReadWindow(reader, first, end, wanted);
    unreadable += window.unreadable;
    for (auto block = window.blocks.rbegin(); block != window.blocks.rend(); ++block) {
      if (!visit(*block)) return unreadable;
    }
    if (since && window.first_commit_time != INT64_MIN && window.first_commit_time < *since) break;
    end = first;
  }
  return unreadable;
}

}  // namespace logvault::storage
