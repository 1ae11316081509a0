// Context: the records that stand before and after a match in its stream, as `grep -C` shows lines.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "evidence/batch.h"
#include "evidence/hash.h"
#include "evidence/payload.h"
#include "query/scan.h"
#include "query/search.h"
#include "storage/reader.h"

namespace logvault::query {

// More records than this on each side of a match are refused.
inline constexpr std::uint32_t kContextMax = 1000;

// Sequence numbers as ranges.
class NumberSet {
 public:
  [[nodiscard]] bool Contains(std::uint64_t number) const;
  void Add(std::uint64_t number);

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last; never adjacent
};

// Puts around each match up to request.context records of its stream on each side, by sequence number: what a gap skipped
// is not there, what lies outside the window or the origin is.  No record is handed over twice; one that matches itself is
// not marked Row::context, whenever its turn comes.  Around each match the records ascend, or with newest first descend.
// Memory: a few blocks, and some 50 bytes for each group of rows.  Not for several threads.
class ContextRows {
 public:
  // Everything outlives it.   Blocks that cannot be read are added to `completeness`.
  ContextRows(const storage::Reader& reader, const BlockScanner& scanner, const Request& request,
              const std::function<bool(const Row&)>& on_row, Completeness& completeness);

  // `match` in the answer's order.  False: no more is wanted.
  bool Add(const Row& match);

 private:
  struct Block {
    std::uint64_t index = 0;
    UnixNanos commit_time = 0;
    evidence::BatchHeader batch;
    std::shared_ptr<const evidence::Payload> payload;  // null: deleted, or it cannot be read
  };
  // The block that holds record `seq`; nullptr where there is none that can be read.
  const Block* Find(const evidence::Hash& stream_id, const Row& match, std::uint64_t seq);
  std::optional<Block> Load(std::uint64_t index, const Row& match);
  // One record beside `match`; nullopt where there is none.
  std::optional<Row> RowAt(const evidence::Hash& stream_id, const Row& match, std::uint64_t seq);
  [[nodiscard]] bool InTree(std::uint64_t index) const {
    return request_.tree_size == 0 || index < request_.tree_size;
  }
  void Report(const Block& block, const Row& match, const Status& why);

  const storage::Reader& reader_;
  const BlockScanner& scanner_;
  const Request& request_;
  const std::function<bool(const Row&)>& on_row_;
  Completeness& completeness_;
  std::map<std::pair<std::string, std::string>, NumberSet> shown_;  // by host and source
  std::list<Block> blocks_;                                         // the newest used first
};

}  // namespace logvault::query
