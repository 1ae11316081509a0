// A segment of blocks of our making, its index, and what the index lets a query leave out.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "evidence/payload.h"
#include "query/evaluate.h"
#include "query/index_builder.h"
#include "query/index_lookup.h"
#include "query/index_query.h"
#include "query/text_filter.h"

namespace logvault::query {

struct IndexedRecord {
  std::string bytes;
  std::uint32_t flags = 0;
};

struct IndexedBlock {
  formats::Format format = formats::Format::kPlain;
  std::vector<IndexedRecord> records;
};

inline evidence::Payload PayloadOf(const IndexedBlock& block, char key = 'k') {
  evidence::PayloadBuilder builder;
  for (const IndexedRecord& record : block.records) {
    builder.Add({kNoTime, 1, record.flags, "/var/log/test", record.bytes});
  }
  const auto sealed = builder.Finish(1, std::string(evidence::kBatchKeySize, key), {});
  Result<evidence::Payload> payload = evidence::Payload::Parse(sealed.frame, {});
  EXPECT_TRUE(payload.ok()) << payload.status();
  return *std::move(payload);
}

// The blocks are numbered 10, 12, 14 ...
inline BuiltSegment BuildSegment(const std::vector<IndexedBlock>& blocks) {
  SegmentBuilder builder(10);
  std::uint64_t number = 10;
  for (const IndexedBlock& block : blocks) {
    builder.Add(number, PayloadOf(block), block.format);
    number += 2;
  }
  return builder.Finish(number);
}

// The chunks of a segment, parsed when they are asked for and not ruled out by their filters.
inline ChunkSource ChunksOf(const BuiltSegment& segment) {
  return [&segment](std::size_t i, std::string_view part) -> Result<std::shared_ptr<const Chunk>> {
    Result<Chunk> chunk = Chunk::Parse(segment.chunks.at(i), segment.directory.chunks.at(i),
                                       segment.directory.blocks.size());
    if (!chunk.ok()) return chunk.status();
    if (!TextFilter(chunk->text()).MayHold(part)) return std::shared_ptr<const Chunk>();
    return std::make_shared<const Chunk>(*std::move(chunk));
  };
}

inline Expression Parsed(const std::string& text) {
  Result<Expression> expression = Expression::Parse(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  return expression.ok() ? *std::move(expression) : Expression();
}

inline BlockSet CandidatesFor(const BuiltSegment& segment, const Expression& expression) {
  bool uses_fields = false;
  const IndexQuery query = IndexQueryFor(expression, &uses_fields);
  Result<BlockSet> found = Lookup(query, uses_fields, segment.directory, ChunksOf(segment));
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *std::move(found) : BlockSet(segment.directory.blocks.size(), true);
}

// By the evaluator alone, record by record.
inline bool HoldsMatch(const IndexedBlock& block, const Expression& expression) {
  for (const IndexedRecord& record : block.records) {
    Row row;
    row.host = "h";
    row.source = "s";
    row.format = block.format;
    row.flags = record.flags;
    row.bytes = record.bytes;
    Subject subject(row);
    if (Matches(expression, subject)) return true;
  }
  return false;
}

}  // namespace logvault::query
