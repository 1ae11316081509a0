// Searching with the index: the same answer as without it, whatever became of the index.
#include <iostream>
#include <random>

#include "evidence/index_body.h"
#include "query/ask.h"
#include "query/index_build.h"
#include "query/index_cache.h"
#include "query/index_recheck.h"
#include "tests/query/random_records.h"
#include "tests/query/search_fixture.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IndexedSearchTest : public SearchTest {
 protected:
  // Builds, stores and states the segment of the blocks [first, end).
  BuiltSegment Index(std::uint64_t first, std::uint64_t end) {
    Result<BuiltSegment> built = BuildSegment(vault_->reader(), first, end, {});
    EXPECT_TRUE(built.ok()) << built.status();
    Store(*built);
    State(*built);
    return *std::move(built);
  }
  void Store(const BuiltSegment& built) {
    storage::IndexedSegment segment;
    segment.first = built.directory.first;
    segment.end = built.directory.end;
    segment.chunks = static_cast<std::uint32_t>(built.chunks.size());
    EXPECT_TRUE(vault_->WriteIndex(segment, built.directory.Serialize(), built.chunks).ok());
  }
  void State(const BuiltSegment& built) {
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kIndex;
    entry.body = evidence::IndexBody{built.directory.first, built.directory.end,
                                     evidence::Sha256(built.directory.Serialize())}
                     .Serialize();
    Append({entry});
  }
  [[nodiscard]] std::uint64_t Size() const { return vault_->head().size; }

  static Request Without(Request request) {
    request.no_index = true;
    return request;
  }
  static std::string Named(const Found& found) {
    std::string text;
    for (const std::string& record : found.records) text += record + " ";
    return text;
  }
};

TEST_F(IndexedSearchTest, OnlyBlocksThatMayHoldItAreRead) {
  for (int i = 0; i < 20; ++i)
    Commit("geo01", "a", {{"line " + std::string(1, static_cast<char>('a' + i)) + "word\n"}});
  Index(0, Size());
  Commit("geo01", "a", {{"unsealed gword\n"}});
  const Found found = Search("gword");
  EXPECT_THAT(found.records, ElementsAre("geo01/a/7", "geo01/a/21"));
  EXPECT_EQ(found.completeness.blocks_pruned, 0u);
  EXPECT_EQ(found.completeness.blocks_pruned_by_index, 19u);
  EXPECT_EQ(found.completeness.blocks_scanned, 2u);
  const Found without = Search(Without(Ask("gword")));
  EXPECT_EQ(without.records, found.records);
  EXPECT_EQ(without.completeness.blocks_pruned_by_index, 0u);
  EXPECT_EQ(without.completeness.blocks_scanned, 21u);
  // Pinned to a tree that the INDEX block is not in: read, with the same answer.
  Request pinned = Ask("gword");
  pinned.tree_size = Size() - 2;
  EXPECT_EQ(Search(pinned).completeness.blocks_pruned_by_index, 0u);
  EXPECT_THAT(Search(pinned).records, ElementsAre("geo01/a/7"));
}

TEST_F(IndexedSearchTest, PiecesOfAnArgumentAreOneWordInLaterRecordsToo) {
  Commit("geo01", "audit", {{"type=EXECVE msg=audit(1.0:1): a1[1]=\"whoam\" a1[2]=\"i\"\n"}},
         "auditd");
  Index(0, Size());
  EXPECT_THAT(Search("cmd:whoami").records, ElementsAre("geo01/audit/1"));
}

TEST_F(IndexedSearchTest, RandomQueriesFindTheSameWithAndWithoutIt) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  RandomRecords random(seed);
  std::vector<IndexedBlock> blocks;
  for (int i = 0; i < 60; ++i) {
    const IndexedBlock& block = blocks.emplace_back(random.Block());
    std::vector<Record> records;
    for (const IndexedRecord& record : block.records)
      records.push_back({record.bytes, kNoTime, kStart, record.flags});
    const std::string format(formats::NameOf(block.format));
    Commit("h" + std::to_string(random.Below(3)), format, records, format);
    if (i == 20) Index(0, Size());
    if (i == 45) Index(vault_->reader().StoredHead()->size - 1, Size());
  }
  IndexCache cache(1 << 20);
  std::uint64_t found_records = 0, pruned = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string text = random.Expression(blocks);
    Result<Expression> expression = Expression::Parse(text);
    if (!expression.ok()) continue;
    Request request;
    request.expression = *expression;
    const Found with = Search(request);
    const Found without = Search(Without(request));
    ASSERT_EQ(Named(with), Named(without)) << "seed " << seed << ": " << expression->ToString();
    found_records += with.records.size();
    pruned += with.completeness.blocks_pruned_by_index;
    Result<Completeness> cached = query::Search(vault_->reader(), request, {}, {}, &cache);
    ASSERT_TRUE(cached.ok());
    ASSERT_EQ(cached->matches, with.records.size()) << "seed " << seed;
    // What the index does not hold yet, the cache may know of an earlier query.
    ASSERT_GE(cached->blocks_pruned_by_index, with.completeness.blocks_pruned_by_index);
  }
  EXPECT_GT(found_records, 1000u);
  EXPECT_GT(pruned, 500u);
}

TEST_F(IndexedSearchTest, ADamagedOrMissingIndexHidesNothingAndIsNamed) {
  for (int i = 0; i < 10; ++i) Commit("geo01", "a", {{"word" + std::to_string(i) + "\n"}});
  const BuiltSegment built = Index(0, Size());
  const std::vector<std::string> answer = Search("word7").records;
  EXPECT_THAT(answer, ElementsAre("geo01/a/8"));
  const auto same_answer = [&](const char* what, const char* told = "was not used: ") {
    const Found found = Search("word7");
    EXPECT_EQ(found.records, answer) << what;
    EXPECT_EQ(found.completeness.blocks_pruned_by_index, 0u) << what;
    EXPECT_THAT(found.completeness.unusable_segments, ElementsAre(0u)) << what;
    EXPECT_THAT(found.completeness.notes, ElementsAre(HasSubstr(told))) << what;
  };
  Tamper([&](storage::Tables& tables) {
    std::string chunk = built.chunks[0];
    chunk[chunk.size() / 2] = static_cast<char>(chunk[chunk.size() / 2] ^ 1);
    tables.db().Put({}, tables.index(), storage::IndexChunkKey(0, 0), chunk);
  });
  same_answer("a flipped bit in a chunk");
  Tamper([](storage::Tables& tables) {
    tables.db().Delete({}, tables.index(), storage::IndexChunkKey(0, 0));
  });
  same_answer("a chunk that is gone", "was not used: a chunk of it is missing");
  Tamper([](storage::Tables& tables) {
    tables.db().Put({}, tables.index(), storage::IndexDirectoryKey(0), "nonsense");
  });
  same_answer("a directory that is none");
  Tamper([](storage::Tables& tables) {
    tables.db().Delete({}, tables.index(), storage::IndexDirectoryKey(0));
  });
  same_answer("a directory that is gone", "was not used: its directory is missing");

  Result<BuiltSegment> again = BuildSegment(vault_->reader(), 0, built.directory.end, {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->directory, built.directory);
  EXPECT_EQ(again->chunks, built.chunks);
  Store(*again);
  EXPECT_EQ(Search("word7").records, answer);
  EXPECT_EQ(Search("word7").completeness.blocks_pruned_by_index, 9u);
}

TEST_F(IndexedSearchTest, AWordThatAFilterRulesOutCostsNoChunk) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 4; ++i) {
    std::string line = "word" + std::to_string(i);
    for (int j = 0; j < 2000; ++j) line += " k" + std::to_string(random() % 1'000'000'000) + "x";
    Commit("geo01", "a", {{line + "\n"}});
  }
  const BuiltSegment built = Index(0, Size());
  IndexCache cache(48 << 10);  // a directory and the filters, and no chunk
  const auto ask = [&](std::string_view word) {
    Result<Completeness> answer = query::Search(vault_->reader(), Ask(word), {}, {}, &cache);
    EXPECT_TRUE(answer.ok());
    return *std::move(answer);
  };
  EXPECT_EQ(ask("zqxjkv").blocks_pruned_by_index, 4u);
  EXPECT_EQ(ask("ord2").blocks_pruned_by_index, 3u);
  Tamper([&](storage::Tables& tables) {
    for (std::uint32_t i = 0; i < built.chunks.size(); ++i)
      tables.db().Delete({}, tables.index(), storage::IndexChunkKey(0, i));
  });
  EXPECT_EQ(ask("zqxjkv").blocks_pruned_by_index, 4u);
  const Completeness stands_somewhere = ask("ord2");
  EXPECT_EQ(stands_somewhere.matches, 1u);
  EXPECT_THAT(stands_somewhere.unusable_segments, ElementsAre(0u));
}

TEST_F(IndexedSearchTest, WhatIsNotIndexedYetIsReadOnceForAWordThatIsNotThere) {
  Commit("geo01", "a", {{"indexed\n"}});
  Index(0, Size());
  Commit("geo01", "a", {{"one Alpha\n"}, {"two\n"}});
  Commit("geo01", "a", {{"two\n"}});
  Commit("geo01", "a", {{std::string("x\0y\0z\0", 6), kNoTime, kStart, evidence::kRecordUtf16Le}});
  IndexCache cache;
  const auto scanned = [&](const Request& request) {
    Result<Completeness> answer = query::Search(vault_->reader(), request, {}, {}, &cache);
    EXPECT_TRUE(answer.ok());
    EXPECT_EQ(answer->matches, Search(Without(request)).records.size());
    EXPECT_EQ(answer->blocks_in_scope, answer->blocks_pruned_by_index + answer->blocks_scanned);
    return answer->blocks_scanned;
  };
  EXPECT_EQ(scanned(Ask("nowhere")), 3u);
  EXPECT_EQ(scanned(Ask("nowhere")), 1u) << "UTF-16 is not seen in the bytes";
  EXPECT_EQ(scanned(Ask("ALPHA")), 2u);
  EXPECT_EQ(scanned(Ask("nowhere or alpha")), 2u);
  EXPECT_EQ(scanned(Ask("not nowhere")), 4u);
  EXPECT_EQ(scanned(Ask("message:nowhere")), 3u) << "fields are decoded";
  EXPECT_EQ(scanned(Without(Ask("nowhere"))), 4u);
  Request strict = Ask("nowhere");
  strict.strict = true;
  EXPECT_EQ(scanned(strict), 4u);
  Commit("geo01", "a", {{"it is NOWHERE else\n"}});
  EXPECT_EQ(scanned(Ask("nowhere")), 2u);
}

// In order in itself, and silent about what is there.
TEST_F(IndexedSearchTest, AnIndexThatLiesIsNotBelieved) {
  for (int i = 0; i < 10; ++i) Commit("geo01", "a", {{"word" + std::to_string(i) + "\n"}});
  const std::uint64_t end = Size();
  Index(0, end);
  SegmentBuilder liar(0);
  Result<BuiltSegment> honest = BuildSegment(vault_->reader(), 0, end, {});
  ASSERT_TRUE(honest.ok());
  BuiltSegment lie = *honest;
  ChunkWriter chunk(lie.directory.blocks.size());
  chunk.Add("nothing", std::vector<std::uint16_t>{0});
  lie.directory.chunks.clear();
  lie.chunks = {chunk.Finish(lie.directory.chunks.emplace_back())};
  Store(lie);
  EXPECT_THAT(Search("word7").records, ElementsAre("geo01/a/8")) << "the chain states another hash";

  State(lie);  // the collector itself lies
  Request request = Ask("word7");
  EXPECT_THAT(Search(request).records, IsEmpty()) << "this is what --strict is for";
  request.strict = true;
  EXPECT_THAT(Search(request).records, ElementsAre("geo01/a/8"));
  EXPECT_THAT(Search(Without(Ask("word7"))).records, ElementsAre("geo01/a/8"));
}

// What stands before the pipe chooses the records that are joined, and so the blocks.
TEST_F(IndexedSearchTest, TheExpressionBeforeEventsPrunes) {
  for (int serial = 1; serial <= 20; ++serial) {
    const std::string head = " msg=audit(5.000:" + std::to_string(serial) + "): ";
    const std::string user(1, static_cast<char>('a' + serial));
    Commit("geo01", "audit",
           {{"type=SYSCALL" + head + "exe=\"/bin/sh\" key=\"" + user + "user\"\n"},
            {"type=EXECVE" + head + "argc=1 a0=\"" + user + "user\"\n"}},
           "auditd");
  }
  Index(0, Size());
  const auto ask = [this](std::string_view text) {
    Result<Query> asked = Query::Parse(text);
    EXPECT_TRUE(asked.ok()) << asked.status();
    Request request;
    request.expression = asked->expression;
    request.pipeline = asked->pipeline;
    return *query::Ask(vault_->reader(), request, {}, {});
  };
  const Completeness narrowed = ask("guser | events | where cmd=guser");
  EXPECT_EQ(narrowed.blocks_pruned_by_index, 19u);
  EXPECT_EQ(narrowed.rows, 1u);
  // Behind it nothing is ruled out: how many records were joined is a part of the answer.
  const Completeness wide = ask("| events | where cmd=guser");
  EXPECT_EQ(wide.blocks_pruned_by_index, 0u);
  EXPECT_EQ(wide.matches, 40u);
  EXPECT_EQ(wide.rows, 1u);
}

// What passes by of the vault, as a verifier would have it.
class RecheckTest : public IndexedSearchTest {
 protected:
  using Spoil = std::function<void(std::uint64_t index, std::optional<evidence::Payload>& payload,
                                   std::uint64_t& deleted_by)>;
  IndexReport Recheck(StatedIndex foreseen, const Spoil& spoil = nullptr) {
    IndexRecheck recheck(std::move(foreseen), Size());
    EXPECT_TRUE(ForEach([&](const evidence::BlockHeader& block) {
      std::optional<evidence::Payload> payload;
      Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
      if (block.kind == evidence::BlockKind::kRecords && batch.ok()) {
        payload = *evidence::OpenPayload(
            *batch, *vault_->reader().Payload(block.index, block.commit_time), {});
      }
      std::uint64_t deleted_by = 0;
      if (spoil) spoil(block.index, payload, deleted_by);
      recheck.Take(block, payload ? &*payload : nullptr, deleted_by);
    }));
    return recheck.Finish();
  }
  StatedIndex Stated() {
    StatedIndex stated;
    EXPECT_TRUE(ForEach([&](const evidence::BlockHeader& block) { NoteStated(block, stated); }));
    return stated;
  }
  // Two segments, stated; returns a block of records in the second.
  std::uint64_t IndexTwo() {
    for (int i = 0; i < 3; ++i) Commit("geo01", "a", {{"word" + std::to_string(i) + "\n"}});
    Index(0, Size());
    const std::uint64_t second = Size();
    Append({Host("geo01").Stream("a", "json")});
    const std::uint64_t block = Commit("geo01", "a", {{"{\"u\":\"w\\u006frd\"}\n"}});
    Index(second - 1, Size());
    return block;
  }

 private:
  bool ForEach(const std::function<void(const evidence::BlockHeader&)>& visit) {
    return vault_->reader()
        .ForEachBlock(0, Size(),
                      [&](std::uint64_t, std::string_view bytes) {
                        visit(*evidence::BlockHeader::Parse(bytes));
                        return true;
                      })
        .ok();
  }
};

TEST_F(RecheckTest, WhatTheBlocksGiveIsTheSame) {
  IndexTwo();
  const IndexReport report = Recheck(Stated());
  EXPECT_EQ(report.segments, 2u);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.unindexed_blocks, 1u) << "the INDEX block itself";
}

TEST_F(RecheckTest, AnotherHashIsAFinding) {
  IndexTwo();
  Result<BuiltSegment> lie =
      BuildSegment(vault_->reader(), 0, Stated().begin()->second.body.end, {});
  ASSERT_TRUE(lie.ok());
  lie->directory.always.push_back(0);
  State(*lie);  // the newest counts
  const IndexReport report = Recheck(Stated());
  EXPECT_EQ(report.segments, 1u);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].block, Size() - 1);
  EXPECT_THAT(report.findings[0].reason, HasSubstr("the blocks give another"));
}

TEST_F(RecheckTest, WhatCannotBeBuiltAnewIsSaid) {
  const std::uint64_t block = IndexTwo();
  const auto without = [block](std::uint64_t gone_by) {
    return [=](std::uint64_t index, std::optional<evidence::Payload>& payload,
               std::uint64_t& deleted_by) {
      if (index != block) return;
      payload.reset();
      deleted_by = gone_by;
    };
  };
  IndexReport report = Recheck(Stated(), without(0));
  EXPECT_EQ(report.unreadable, 1u);
  EXPECT_EQ(report.segments, 1u);
  report = Recheck(Stated(), without(Size() + 5));
  EXPECT_EQ(report.outdated, 1u);
  // Gone before it was stated: then it would have been built without.
  report = Recheck(Stated(), without(1));
  EXPECT_EQ(report.findings.size(), 1u);
}

TEST_F(RecheckTest, NoMoreIsHeldThanASegmentMayHave) {
  const std::string half(kSegmentRawBytes / 2, 'x');
  for (int i = 0; i < 3; ++i) Commit("geo01", "a", {{half}});
  Index(0, Size());
  const IndexReport report = Recheck(Stated());
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_THAT(report.findings[0].reason, HasSubstr("more records than a segment may have"));
}

TEST_F(RecheckTest, ASegmentThatWasNotForeseenIsAFinding) {
  IndexTwo();
  StatedIndex foreseen = Stated();
  foreseen.erase(0);
  IndexReport report = Recheck(foreseen);
  EXPECT_EQ(report.segments, 1u);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_THAT(report.findings[0].reason, HasSubstr("did not show this block beforehand"));
  foreseen = Stated();
  foreseen.begin()->second.body.end -= 1;
  EXPECT_EQ(Recheck(foreseen).findings.size(), 1u);
}

TEST_F(IndexedSearchTest, ACountReadsOnlyWhatHeadersDoNotDecide) {
  const auto at = [](int second) { return second * kNanosPerSecond; };
  Commit("geo01", "a", {{"1\n", at(10), at(10)}, {"2\n", at(11), at(11)}});
  Commit("geo01", "a", {{"3\n", at(20), at(20)}, {"4\n", at(90), at(90)}});
  Commit("geo02", "a", {{"5\n", at(12), at(12)}, {"6\n", kNoTime, at(13)}});
  const auto count = [this](Request request, std::uint64_t counted_by_header) {
    request.count_only = true;
    const Completeness counted = Search(request).completeness;
    EXPECT_EQ(counted.blocks_counted, counted_by_header) << request.expression.ToString();
    request.count_only = false;
    EXPECT_EQ(counted.matches, Search(request).records.size()) << request.expression.ToString();
  };
  count(Ask(""), 3);
  count(Ask("host=geo01"), 2);
  count(Ask("host=geo01 or 5"), 2);
  count(Ask("3"), 0);
  Request window = Ask("");
  window.scope.since = at(10);
  window.scope.until = at(50);
  count(window, 2);
  window.scope.until = at(13);
  count(window, 1);
  Request origin = Ask("");
  origin.scope.origin_glob = "/var/*";
  count(origin, 0);
  Request strict = Ask("");
  strict.strict = true;
  count(strict, 0);
  Request limited = Ask("");
  limited.limit = 1;
  count(limited, 0);

  std::map<std::string, std::uint64_t> by_host;
  Observer observer;
  observer.on_whole_block = [&](const WholeBlock& block) {
    by_host[std::string(block.host)] += block.record_count;
  };
  Request whole = Ask("");
  whole.whole_blocks = true;
  ASSERT_TRUE(query::Search(vault_->reader(), whole, observer, {}).ok());
  EXPECT_EQ(by_host, (std::map<std::string, std::uint64_t>{{"geo01", 4}, {"geo02", 2}}));
}

TEST_F(IndexedSearchTest, ASegmentIsAFunctionOfItsBlocksAlone) {
  for (int i = 0; i < 12; ++i) {
    // One stream changes its format on the way, another appears.
    if (i == 6) Append({Host("geo01").Stream("a", "json")});
    Commit("geo01", i < 9 ? "a" : "b", {{"{\"user\":\"w\\u006frd" + std::to_string(i) + "\"}\n"}});
  }
  Result<BuiltSegment> early = BuildSegment(vault_->reader(), 2, 7, {});
  for (int i = 0; i < 3; ++i) Append({Host("geo01").Stream("a", "access")});
  Result<BuiltSegment> late = BuildSegment(vault_->reader(), 2, 7, {});
  ASSERT_TRUE(early.ok() && late.ok());
  EXPECT_EQ(early->directory, late->directory);
  EXPECT_EQ(early->chunks, late->chunks);
}

TEST_F(IndexedSearchTest, TheFeedCutsWhereTheRecordsReachTheirBoundAndGoesOn) {
  const std::string big = std::string(300 * 1024, ' ') + "w";
  SegmentFeed feed(vault_->reader(), 0);
  std::vector<BuiltSegment> segments;
  const auto feed_all = [&](SegmentFeed& from, std::vector<BuiltSegment>& into) {
    for (;;) {
      Result<std::optional<BuiltSegment>> next = from.Next(Size(), {});
      ASSERT_TRUE(next.ok()) << next.status();
      if (!next->has_value()) return;
      into.push_back(**std::move(next));
    }
  };
  for (int i = 0; i < 130; ++i) {
    Commit("geo01", "a", {{big + std::to_string(i) + "\n"}});
    if (i % 7 == 0) feed_all(feed, segments);
  }
  feed_all(feed, segments);
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0].directory.end, segments[1].directory.first);
  EXPECT_EQ(segments[0].directory.blocks.size(), kSegmentRawBytes / (big.size() + 4));
  SegmentFeed anew(vault_->reader(), 0);
  std::vector<BuiltSegment> again;
  feed_all(anew, again);
  ASSERT_EQ(again.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again[i].directory, segments[i].directory);
    Result<BuiltSegment> alone =
        BuildSegment(vault_->reader(), segments[i].directory.first, segments[i].directory.end, {});
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ(alone->directory, segments[i].directory) << "built alone";
  }
}

}  // namespace
}  // namespace logvault::query
