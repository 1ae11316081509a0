// SegmentBuilder: makes the index of a segment from its blocks.  A pure function: the same blocks give the same bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "evidence/payload.h"
#include "formats/format.h"
#include "query/address.h"
#include "query/index_segment.h"

namespace logvault::query {

struct BuiltSegment {
  Directory directory;
  std::vector<std::string> chunks;  // in the directory's order
};

class TokenTable;

// Not for several threads.  Holds a segment's tokens: about as much as its index, several times over.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(std::uint64_t first_block);
  ~SegmentBuilder();

  // Whether a block of `raw_bytes` still belongs to the segment; the first always does.
  [[nodiscard]] bool HasRoomFor(std::size_t raw_bytes) const;
  // REQUIRES: blocks come in ascending order.
  void Add(std::uint64_t block, const evidence::Payload& payload, formats::Format format);
  // A block of whose payload nothing is known.
  void AddUnreadable(std::uint64_t block);
  // `end`: the block behind the segment's last, with which the builder's next segment begins.
  BuiltSegment Finish(std::uint64_t end);

  [[nodiscard]] bool empty() const { return directory_.blocks.empty(); }
  [[nodiscard]] std::size_t raw_bytes() const { return raw_bytes_; }

 private:
  bool AddRecord(const evidence::RecordView& record, std::string_view folded,
                 formats::Format format);
  // Of a text that is not the record's own bytes.
  void AddOther(std::string_view text);
  // REQUIRES: as ScanTokens().
  void AddText(std::string_view folded);
  void AddAddress(const Network& address);
  [[nodiscard]] std::uint16_t NewestOrdinal() const;

  Directory directory_;
  evidence::Sha256Stream salt_;
  std::size_t raw_bytes_ = 0;
  std::unique_ptr<TokenTable> tokens_;
  std::string folded_;     // room for one block's records
  std::string other_;      // room for one text beside them
  bool too_long_ = false;  // the block being added has a token that is not kept
};

}  // namespace logvault::query
