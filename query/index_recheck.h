// IndexRecheck: the index built anew from a vault's blocks as they pass by, one after the other, and compared with what the chain
// states of it; for whoever has no folder to go back in.  Where a segment ends is stated behind it, so the caller says beforehand
// which segments there are; only what passes by counts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "evidence/block.h"
#include "evidence/hash.h"
#include "evidence/payload.h"
#include "formats/format.h"
#include "query/index_builder.h"
#include "query/index_verify.h"

namespace logvault::query {

// Holds one segment's tokens at a time, and no more of one than a segment may have, whatever the vault states.  Not for several threads.
class IndexRecheck {
 public:
  // `foreseen`: what the INDEX blocks below `tree_size` are said to state.
  IndexRecheck(StatedIndex foreseen, std::uint64_t tree_size);

  // The next block, verified.  `payload`: of a RECORDS block; nullptr where it is not there, or not what it must be.
  // `deleted_by`: the RETENTION block by which it is gone; 0: none.
  void Take(const evidence::BlockHeader& block, const evidence::Payload* payload,
            std::uint64_t deleted_by);
  // The next block is not there, or is none.
  void TakeMissing();

  // Once all blocks were taken.
  IndexReport Finish();

 private:
  struct Built {
    std::uint64_t end = 0;
    evidence::Hash directory_hash;
    std::uint64_t deleted_by = 0;  // the newest RETENTION block by which payloads are gone
    bool whole = true;       // all its blocks, and all payloads that were not deleted, were there
    bool too_large = false;  // for a segment: nothing more is held of it
  };

  void Close();
  void TakeStream(const evidence::BlockHeader& block);
  void TakeRecords(const evidence::BlockHeader& block, const evidence::Payload* payload,
                   std::uint64_t deleted_by);
  void Compare(const StatedSegment& stated, IndexReport& report) const;

  StatedIndex foreseen_;
  const std::uint64_t tree_size_;
  std::uint64_t next_ = 0;                             // block
  StatedIndex stated_;                                 // by the blocks that passed by
  std::map<evidence::Hash, formats::Format> formats_;  // by stream, as the newest block says
  std::map<std::uint64_t, Built> built_;               // by first block
  Built open_;                                         // of builder_
  std::unique_ptr<SegmentBuilder> builder_;
  std::uint64_t first_ = 0;  // of builder_
};

}  // namespace logvault::query
