// The one promise of the index: a block that holds a matching record is visited.  Random records and random queries, and real
// logs with everything their fields say, against the evaluator alone.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "formats/fields.h"
#include "formats/framer.h"
#include "query/token_filter.h"
#include "tests/query/index_fixture.h"
#include "tests/query/random_records.h"
#include "tests/support/shared_data.h"

namespace logvault::query {
namespace {

using formats::Format;

TEST(IndexPropertyTest, ABlockWithAMatchIsVisited) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  RandomRecords writer(seed);
  std::size_t matches = 0, pruned = 0;
  for (int round = 0; round < 150; ++round) {
    std::vector<IndexedBlock> blocks;
    for (std::size_t i = 0, n = 1 + writer.Below(8); i < n; ++i) blocks.push_back(writer.Block());
    const BuiltSegment segment = BuildSegment(blocks);
    for (int asked = 0; asked < 60; ++asked) {
      const std::string text = writer.Expression(blocks);
      Result<Expression> expression = Expression::Parse(text);
      if (!expression.ok()) continue;  // the random names and lists of terms have their limits
      const BlockSet candidates = CandidatesFor(segment, *expression);
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        const bool holds = HoldsMatch(blocks[i], *expression);
        ASSERT_TRUE(candidates[i] || !holds)
            << "seed " << seed << ": block " << i << " was left out for " << expression->ToString();
        matches += holds ? 1 : 0;
        pruned += candidates[i] ? 0 : 1;
      }
    }
  }
  // It must have been about something.
  EXPECT_GT(matches, 1000u);
  EXPECT_GT(pruned, 1000u);
}

TEST(IndexPropertyTest, ARecordThatMatchesALongListPassesTheFilter) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  RandomRecords random(seed);
  std::string list = "10.0.0.1 or 10.0.0.7 or 2001:db8::1 or d41d8cd98f00b204e9800998ecf8427e";
  for (int i = 30; i < 60; ++i) list += " or 10.0.0." + std::to_string(i);
  const Expression expression = Parsed(list);
  const std::optional<TokenFilter> filter = TokenFilter::For(expression);
  ASSERT_TRUE(filter.has_value());
  EXPECT_FALSE(TokenFilter::For(Parsed("10.0.0.1 or 10.0.0.2")).has_value());
  std::size_t matches = 0, passed_by = 0;
  for (int round = 0; round < 5000; ++round) {
    const IndexedBlock block = {Format::kPlain, {{random.Text(1 + random.Below(12)), 0}}};
    const bool holds = HoldsMatch(block, expression);
    const bool may = filter->MayMatch(block.records[0].bytes, block.format);
    ASSERT_TRUE(may || !holds) << "seed " << seed << ": " << block.records[0].bytes;
    matches += holds ? 1 : 0;
    passed_by += may ? 0 : 1;
  }
  EXPECT_GT(matches, 100u);
  EXPECT_GT(passed_by, 1000u);
}

TEST(IndexPropertyTest, ARecordWhoseFieldIsInALongListPassesTheFilter) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  RandomRecords random(seed);
  std::string list = "10.0.0.1, 10.1.2.3, 10.0.0.7, 2001:db8::1";
  for (int i = 30; i < 60; ++i) list += ", 10.0.0." + std::to_string(i);
  std::size_t matches = 0, passed_by = 0;
  for (const char* field : {"ip", "src.ip", "dst.ip"}) {
    const Expression expression = Parsed(std::string(field) + " in (" + list + ")");
    const std::optional<TokenFilter> filter = TokenFilter::For(expression);
    ASSERT_TRUE(filter.has_value());
    for (int round = 0; round < 2000; ++round) {
      const IndexedBlock many = random.Block();
      for (const IndexedRecord& record : many.records) {
        if ((record.flags & evidence::kRecordUtf16Le) != 0) continue;  // never filtered
        const bool holds = HoldsMatch({many.format, {record}}, expression);
        const bool may = filter->MayMatch(record.bytes, many.format);
        ASSERT_TRUE(may || !holds) << "seed " << seed << ": " << record.bytes;
        matches += holds ? 1 : 0;
        passed_by += may ? 0 : 1;
      }
    }
  }
  EXPECT_GT(matches, 100u);
  EXPECT_GT(passed_by, 1000u);
}

// Everything that the fields of real records say, asked for.
TEST(IndexPropertyTest, WhatFieldsOfRealLogsSayIsSeen) {
  const auto logs = testing::SharedData("logs");
  if (!logs) return;
  std::size_t files = 0, values = 0;
  for (const auto& [folder, format] : {std::pair("auditd", Format::kAuditd),
                                       {"syslog", Format::kSyslog},
                                       {"geoserver", Format::kGeoserver},
                                       {"geoserver", Format::kAccess},
                                       {"mssql", Format::kSqlserver},
                                       {"mssql/evtx-json", Format::kJson},
                                       {"syslog/otrf", Format::kJson}}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*logs / folder)) {
      if (!entry.is_regular_file() || entry.file_size() > 400'000) continue;
      ++files;
      std::ifstream in(entry.path(), std::ios::binary);
      IndexedBlock block;
      block.format = format;
      for (std::string line; block.records.size() < 2000 && std::getline(in, line);)
        block.records.push_back({line + "\n", 0});
      if (block.records.empty()) continue;
      const BuiltSegment segment = BuildSegment({block});
      if (!segment.directory.unsure.empty() || !segment.directory.always.empty()) continue;
      for (const IndexedRecord& record : block.records) {
        for (const formats::Field& field :
             formats::ParseFields(format, formats::RecordText(record.bytes, false))) {
          if (!IsSeenByIndex(field.name)) continue;
          ++values;
          for (const Fragment& fragment : FragmentsOf(field.value)) {
            IndexQuery query;
            query.kind = IndexQuery::Kind::kFragment;
            query.fragment = fragment;
            Result<BlockSet> found = Lookup(query, true, segment.directory, ChunksOf(segment));
            ASSERT_TRUE(found.ok()) << found.status();
            ASSERT_TRUE((*found)[0]) << entry.path() << ": " << field.name << "=" << field.value
                                     << ": " << fragment.text;
          }
        }
      }
    }
  }
  std::cout << files << " files, " << values << " values\n";
  EXPECT_GT(values, 1000u);
}

}  // namespace
}  // namespace logvault::query
