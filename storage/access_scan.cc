#include "storage/access_scan.h"

#include <map>
#include <utility>

#include "evidence/access.h"
#include "evidence/block.h"
#include "storage/backward_scan.h"

namespace logvault::storage {
namespace {

using evidence::BlockKind;

// Of calls that ended, and whose beginning was not met yet: few run at a time.
constexpr std::size_t kEndsWaitingMax = 10'000;

// Walks backwards: an end is met before the call that it ends.
class Walk {
 public:
  Walk(const AccessScope& scope, const std::function<bool(const AccessRecord&)>& visit)
      : scope_(scope), visit_(visit) {}

  // False once nothing more is wanted.
  bool Take(ScannedBlock& block) {
    if (block.header.kind == BlockKind::kAccessEnd) return TakeEnd(block);
    if (evidence::IsAccessText(block.header.body)) return true;
    AccessRecord record;
    record.asked = block.header.index;
    record.asked_bytes = std::move(block.bytes);
    if (auto end = ends_.extract(block.header.index); !end.empty()) {
      record.ended = end.mapped().header.index;
      record.ended_bytes = std::move(end.mapped().bytes);
    }
    if (scope_.since && block.header.commit_time < *scope_.since) return false;
    if (block.header.index >= scope_.tree_size) return true;
    if (scope_.until && block.header.commit_time >= *scope_.until) return true;
    if (!visit_(record)) return false;
    return ++visited_ != scope_.limit;
  }

 private:
  bool TakeEnd(ScannedBlock& block) {
    Result<evidence::AccessEndBody> end = evidence::AccessEndBody::Parse(block.header.body);
    if (end.ok() && ends_.size() < kEndsWaitingMax) {
      // The first end counts, should there be two: it is met last.
      ends_.insert_or_assign(end->access, std::move(block));
    }
    return true;
  }

  const AccessScope& scope_;
  const std::function<bool(const AccessRecord&)>& visit_;
  std::map<std::uint64_t, ScannedBlock> ends_;  // by the call they end
  std::uint64_t visited_ = 0;
};

}  // namespace

std::uint64_t ForEachAccess(const Reader& reader, const AccessScope& scope,
                            const std::function<bool(const AccessRecord&)>& visit) {
  Walk walk(scope, visit);
  return ScanBackward(
      reader, scope.ends_size, scope.since,
      [](const evidence::BlockHeader& block) {
        return block.kind == BlockKind::kAccess || block.kind == BlockKind::kAccessEnd;
      },
      [&walk](ScannedBlock& block) { return walk.Take(block); });
}

}  // namespace logvault::storage
