#include "storage/access_scan.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "evidence/access.h"
#include "evidence/block.h"

namespace logvault::storage {
namespace {

using evidence::BlockKind;

constexpr std::uint64_t kWindowBlocks = 4096;  // RocksDB reads forwards best
// Of calls that ended, and whose beginning was not met yet: few run at a time.
constexpr std::size_t kEndsWaitingMax = 10'000;

// The access blocks of [first, end), oldest first.
struct Window {
  struct Block {
    std::uint64_t index;
    BlockKind kind;
    UnixNanos commit_time;
    std::string body, bytes;
  };
  std::vector<Block> blocks;
  UnixNanos first_commit_time = INT64_MIN;  // of the oldest block that could be read
  std::uint64_t unreadable = 0;
};

Window ReadWindow(const Reader& reader, std::uint64_t first, std::uint64_t end) {
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
          if (block->kind == BlockKind::kAccess || block->kind == BlockKind::kAccessEnd) {
            window.blocks.push_back({index, block->kind, block->commit_time, std::move(block->body),
                                     std::string(bytes)});
          }
          return true;
        });
    // Where the iterator cannot go on, the next block is the damaged one; later ones may be sound.
    const std::uint64_t hole_end = read.ok() ? end : std::min(next + 1, end);
    window.unreadable += hole_end - next;
    next = hole_end;
  }
  return window;
}

// Walks backwards: an end is met before the call that it ends.
class Walk {
 public:
  Walk(const AccessScope& scope, const std::function<bool(const AccessRecord&)>& visit)
      : scope_(scope), visit_(visit) {}

  // False once nothing more is wanted.
  bool Take(Window::Block& block) {
    if (block.kind == BlockKind::kAccessEnd) return TakeEnd(block);
    if (evidence::IsAccessText(block.body)) return true;
    AccessRecord record;
    record.asked = block.index;
    record.asked_bytes = std::move(block.bytes);
    if (auto end = ends_.extract(block.index); !end.empty()) {
      record.ended = end.mapped().index;
      record.ended_bytes = std::move(end.mapped().bytes);
    }
    if (scope_.since && block.commit_time < *scope_.since) return false;
    if (block.index >= scope_.tree_size) return true;
    if (scope_.until && block.commit_time >= *scope_.until) return true;
    if (!visit_(record)) return false;
    return ++visited_ != scope_.limit;
  }

 private:
  bool TakeEnd(Window::Block& block) {
    Result<evidence::AccessEndBody> end = evidence::AccessEndBody::Parse(block.body);
    if (end.ok() && ends_.size() < kEndsWaitingMax) {
      // The first end counts, should there be two: it is met last.
      ends_.insert_or_assign(end->access, std::move(block));
    }
    return true;
  }

  const AccessScope& scope_;
  const std::function<bool(const AccessRecord&)>& visit_;
  std::map<std::uint64_t, Window::Block> ends_;  // by the call they end
  std::uint64_t visited_ = 0;
};

}  // namespace

std::uint64_t ForEachAccess(const Reader& reader, const AccessScope& scope,
                            const std::function<bool(const AccessRecord&)>& visit) {
  std::uint64_t unreadable = 0;
  Walk walk(scope, visit);
  for (std::uint64_t end = scope.ends_size; end > 0;) {
    const std::uint64_t first = end > kWindowBlocks ? end - kWindowBlocks : 0;
    Window window = ReadWindow(reader, first, end);
    unreadable += window.unreadable;
    for (auto block = window.blocks.rbegin(); block != window.blocks.rend(); ++block) {
      if (!walk.Take(*block)) return unreadable;
    }
    if (scope.since && window.first_commit_time != INT64_MIN &&
        window.first_commit_time < *scope.since) {
      break;
    }
    end = first;
  }
  return unreadable;
}

}  // namespace logvault::storage
