// The index: what it finds, what it may not rule out, and that its bytes are a function of the blocks.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "evidence/hash.h"
#include "query/fragment_set.h"
#include "query/index_kept.h"
#include "query/token_filter.h"
#include "query/token_scan.h"
#include "tests/query/index_fixture.h"

namespace logvault::query {
namespace {

using formats::Format;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IndexedBlock Lines(const std::vector<std::string>& lines, Format format = Format::kPlain) {
  IndexedBlock block;
  block.format = format;
  for (const std::string& line : lines) block.records.push_back({line, 0});
  return block;
}

// Which of the blocks a query visits.
std::vector<std::size_t> Visited(const std::vector<IndexedBlock>& blocks,
                                 const std::string& query) {
  const BlockSet set = CandidatesFor(BuildSegment(blocks), Parsed(query));
  std::vector<std::size_t> visited;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i]) visited.push_back(i);
  }
  return visited;
}

TEST(IndexTokenTest, ALiteralsEdgesAreOpenAndItsMiddleIsNot) {
  EXPECT_THAT(FragmentsOf("Login failed for"),
              ElementsAre(Fragment{"login", true, false}, Fragment{"failed", false, false},
                          Fragment{"for", false, true}));
  EXPECT_THAT(FragmentsOf("(exec"), ElementsAre(Fragment{"exec", false, true}));
}

TEST(IndexTokenTest, NoiseAndItsPartsRuleNothingOut) {
  for (const char* noise : {"1720685635.123", "4711", "55.123456Z", "5", ".", "z"}) {
    EXPECT_TRUE(IsNoise(noise)) << noise;
    EXPECT_THAT(FragmentsOf(noise), IsEmpty()) << noise;
  }
  for (const char* kept : {"10.1.2.3", "1.2.3", "11T08", "0x1f", "4711a", "zz"})
    EXPECT_FALSE(IsNoise(kept)) << kept;
}

bool IsNumber(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return TokenByte(c) == kDigitByte; });
}

// By the definition, byte by byte.  What stands behind the text makes no difference.
TEST(IndexTokenTest, TheFastScanFindsWhatTheSlowOneFinds) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  static constexpr std::string_view kBytes = "abz_09..:: -\n\x80\xff/`{@[";
  for (int round = 0; round < 20'000; ++round) {
    // Few separators make tokens that go over the edges of what is scanned at once.
    const std::size_t kinds = random() % 2 == 0 ? kBytes.size() : 6;
    std::string room(random() % 200 + kScanBytes, ' ');
    for (char& c : room) c = random() % 60 == 0 ? ' ' : kBytes[random() % kinds];
    // Among them one of a single kind, as long as what is scanned at once or as a token may be.
    if (random() % 4 == 0)
      room.insert(random() % (room.size() - kScanBytes + 1),
                  (random() % 2 == 0 ? kScanBytes : kMaxTokenBytes) - 4 + random() % 9,
                  "a9.\x80"[random() % 4]);
    const std::string_view text = std::string_view(room).substr(0, room.size() - kScanBytes);
    std::vector<std::string_view> expected, found;
    ForEachToken(text, [&](std::size_t begin, std::size_t size) {
      const std::string_view token = text.substr(begin, size);
      if (size >= kScanBytes || !IsNumber(token)) expected.push_back(token);
    });
    const auto has = [](std::string_view bytes, std::uint8_t kind) {
      return std::any_of(bytes.begin(), bytes.end(),
                         [kind](char c) { return TokenByte(c) == kind; });
    };
    const auto visit_word = [&](std::string_view word) {
      found.push_back(word);
      EXPECT_TRUE(has(word, kLetterByte)) << word;
      EXPECT_FALSE(has(word, kDotByte) || has(word, kHighByte)) << word;
    };
    const auto visit_other = [&](const FoundToken& token) {
      const std::string_view bytes = text.substr(token.begin, token.size);
      found.push_back(bytes);
      EXPECT_EQ(token.has_letters, has(bytes, kLetterByte)) << bytes;
      EXPECT_EQ(token.has_high, has(bytes, kHighByte)) << bytes;
      EXPECT_EQ(token.dots,
                std::min<std::ptrdiff_t>(3, std::count(bytes.begin(), bytes.end(), '.')));
      EXPECT_EQ(IsNoise(bytes, token), IsNoise(bytes)) << bytes;
    };
    const Colons colons = ScanTokens(text, visit_word, visit_other);
    ASSERT_EQ(found, expected) << "seed " << seed << ", round " << round << ": " << text;
    EXPECT_EQ(colons.two_side_by_side, text.find("::") != std::string_view::npos) << text;
    EXPECT_EQ(colons.count, std::min<std::ptrdiff_t>(6, std::count(text.begin(), text.end(), ':')));
  }
}

TEST(IndexTest, FindsWordsInsideTokensAndAcrossSeparators) {
  const std::vector<IndexedBlock> blocks = {
      Lines({"sshd[12]: Failed password for root\n"}),
      Lines({"EXEC master..xp_cmdshell 'whoami'\n"}),
      Lines({"nothing to see\n"}),
  };
  EXPECT_THAT(Visited(blocks, "cmdshell"), ElementsAre(1));
  EXPECT_THAT(Visited(blocks, "XP_CMD"), ElementsAre(1));
  EXPECT_THAT(Visited(blocks, "\"word for ro\""), ElementsAre(0));
  EXPECT_THAT(Visited(blocks, "\"word for oot\""), IsEmpty());
  EXPECT_THAT(Visited(blocks, "absent"), IsEmpty());
  EXPECT_THAT(Visited(blocks, "failed or see"), ElementsAre(0, 2));
  EXPECT_THAT(Visited(blocks, "failed see"), IsEmpty());
  EXPECT_THAT(Visited(blocks, "not failed"), ElementsAre(0, 1, 2));
  EXPECT_THAT(Visited(blocks, "x?_c*shell"), ElementsAre(1));
  EXPECT_THAT(Visited(blocks, "12"), ElementsAre(0, 1, 2)) << "noise rules nothing out";
}

// It looks like a hash, and numbers are not kept.
TEST(IndexTest, AHashOfDigitsAloneRulesNothingOut) {
  for (const std::size_t size : {32U, 40U, 64U}) {
    const std::string digits(size, '7');
    const std::vector<IndexedBlock> blocks = {Lines({"transfer " + digits + " done\n"}),
                                              Lines({"transfer x done\n"})};
    EXPECT_THAT(Visited(blocks, digits), ElementsAre(0, 1)) << size;
    EXPECT_THAT(Visited(blocks, "a" + digits.substr(1)), IsEmpty()) << size;
  }
}

TEST(IndexTest, ARecordsEndEndsItsLastToken) {
  const std::vector<IndexedBlock> blocks = {Lines({"foo", "bar"}), Lines({"x"})};
  EXPECT_THAT(Visited(blocks, "foobar"), IsEmpty());
  EXPECT_THAT(Visited(blocks, "bar"), ElementsAre(0));
}

TEST(IndexTest, FindsWholeAddressesInAnySpellingAndNetworks) {
  const std::vector<IndexedBlock> blocks = {
      Lines({"from 10.1.2.3 port 22\n"}),
      Lines({"ended at 10.1.2.3.\n"}),
      Lines({"from 110.1.2.3 and 10.1.2.33\n"}),
      Lines({"peer 2001:DB8:0:0:0:0:0:1: closed\n"}),
      Lines({"mapped ::ffff:10.1.2.3\n"}),
      Lines({"\xC3\xA9"
             "10.9.9.9\n"}),
  };
  EXPECT_THAT(Visited(blocks, "10.1.2.3"), ElementsAre(0, 1, 4));
  EXPECT_THAT(Visited(blocks, "10.1.2.0/24"), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(Visited(blocks, "10.0.0.0/13"), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(Visited(blocks, "10.8.0.0/13"), ElementsAre(5));
  EXPECT_THAT(Visited(blocks, "0.0.0.0/0"), ElementsAre(0, 1, 2, 4, 5));
  EXPECT_THAT(Visited(blocks, "2001:db8::1"), ElementsAre(3));
  EXPECT_THAT(Visited(blocks, "2001:db8::/33"), ElementsAre(3));
  EXPECT_THAT(Visited(blocks, "2001:db9::/32"), IsEmpty());
  EXPECT_THAT(Visited(blocks, "\"0.1.2.3\""), ElementsAre(0, 1, 2, 4)) << "as text, anywhere";
}

// Fields compare addresses by what they are.
TEST(IndexTest, FindsAnAddressOfIPv4ThatIsWrittenInHexadecimal) {
  const auto line = [](const std::string& address) {
    return Lines({address + " - - [11/Jul/2024:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n"},
                 Format::kAccess);
  };
  const std::vector<IndexedBlock> blocks = {
      line("::ffff:a01:203"), line("0:0:0:0:0:FFFF:0A01:0203"), line("::ffff:a02:203"),
      line("::ffff:10.9.2.3"), line("10.1.2.3")};
  EXPECT_THAT(Visited(blocks, "src.ip=10.1.2.3"), ElementsAre(0, 1, 4));
  EXPECT_THAT(Visited(blocks, "ip in (10.1.2.3, 10.1.9.9)"), ElementsAre(0, 1, 4));
  EXPECT_THAT(Visited(blocks, "src.ip=10.1.0.0/16"), ElementsAre(0, 1, 4));
  EXPECT_THAT(Visited(blocks, "src.ip=10.0.0.0/8"), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Visited({line("::ffff:102:304"), line("1.2.3.5")}, "src.ip=1.2.3.4"), ElementsAre(0))
      << "102 is noise";
  EXPECT_TRUE(HoldsMatch(blocks[0], Parsed("src.ip=10.1.2.3")));
  std::string list = "10.1.2.3";
  for (int i = 0; i < 30; ++i) list += ", 10.7.0." + std::to_string(i);
  const std::optional<TokenFilter> filter = TokenFilter::For(Parsed("ip in (" + list + ")"));
  ASSERT_TRUE(filter.has_value());
  EXPECT_TRUE(filter->MayMatch(blocks[0].records[0].bytes, Format::kAccess));
  EXPECT_FALSE(filter->MayMatch("10.1.2.4 - - ffef", Format::kAccess));
}

TEST(IndexTest, FindsHashesBesideADot) {
  const std::string hash = "d41d8cd98f00b204e9800998ecf8427e";
  const std::vector<IndexedBlock> blocks = {Lines({"md5 " + hash + "\n"}),
                                            Lines({"/tmp/D41D8CD98F00B204E9800998ECF8427E.exe\n"}),
                                            Lines({"x" + hash + "\n"})};
  EXPECT_THAT(Visited(blocks, hash), ElementsAre(0, 1));
  EXPECT_THAT(Visited(blocks, "\"" + hash + "\""), ElementsAre(0, 1, 2));
}

TEST(IndexTest, FindsWhatFormatsWriteInDisguise) {
  const std::vector<IndexedBlock> blocks = {
      Lines({"type=PROCTITLE msg=audit(1.2:3): proctitle=77676574002D71\n"}, Format::kAuditd),
      Lines({"type=SOCKADDR msg=audit(1.2:3): saddr=020001BB0A0102030000000000000000\n"},
            Format::kAuditd),
      Lines({"1.1.1.1 - - [11/Jul/2024:08:00:00 +0000] \"GET /a%64min?x HTTP/1.1\" 200 1\n"},
            Format::kAccess),
      Lines({"{\"user\":\"b\\u006fb\"}\n"}, Format::kJson),
  };
  EXPECT_THAT(Visited(blocks, "proctitle:wget"), ElementsAre(0));
  EXPECT_THAT(Visited(blocks, "dst.ip=10.1.2.3"), ElementsAre(1));
  EXPECT_THAT(Visited(blocks, "dst.ip in (10.1.2.3, 10.9.9.9)"), ElementsAre(1));
  EXPECT_THAT(Visited(blocks, "http.path=/admin"), ElementsAre(2));
  EXPECT_THAT(Visited(blocks, "json.user=bob"), ElementsAre(3));
  EXPECT_THAT(Visited(blocks, "json.user=eve"), IsEmpty());
  const IndexedBlock utf16 = {Format::kSqlserver,
                              {{std::string("x\0p\0_\0\n\0", 8), evidence::kRecordUtf16Le}}};
  EXPECT_THAT(Visited({utf16, Lines({"y\n"})}, "xp_"), ElementsAre(0));
}

TEST(IndexTest, WhatIsNotKeptIsAlwaysVisited) {
  const std::string longest(kMaxTokenBytes, 'a');
  EXPECT_THAT(Visited({Lines({longest + "b\n"}), Lines({longest + "\n"})}, "zz"), ElementsAre(0));
  SegmentBuilder builder(1);
  builder.Add(1, PayloadOf(Lines({"word\n"})), Format::kPlain);
  builder.AddUnreadable(2);
  EXPECT_EQ(CandidatesFor(builder.Finish(3), Parsed("absent")), (BlockSet{false, true}));
  // Pieces of an argument are joined: its words may stand in no view.
  const IndexedBlock pieces =
      Lines({"type=EXECVE msg=audit(1.2:3): argc=1 a0[0]=\"wg\" a0[1]=\"et\"\n"}, Format::kAuditd);
  EXPECT_THAT(Visited({pieces}, "cmd:wget"), ElementsAre(0));
  EXPECT_THAT(Visited({pieces}, "wget"), IsEmpty());
}

TEST(IndexTest, AListOfThousandsIsOneLeaf) {
  std::string list;
  for (int i = 0; i < 3000; ++i) {
    list += (i > 0 ? ", " : "") + std::string("10.3.") + std::to_string(i / 250) + "." +
            std::to_string(i % 250);
  }
  bool uses_fields = false;
  const IndexQuery query = IndexQueryFor(Parsed("src.ip in (" + list + ")"), &uses_fields);
  // Beside it what is written in hexadecimal alone.
  ASSERT_EQ(query.kind, IndexQuery::Kind::kOr);
  ASSERT_EQ(query.children.size(), 2u);
  EXPECT_EQ(query.children.back().kind, IndexQuery::Kind::kTokens);
  EXPECT_EQ(query.children.back().tokens.size(), 3000u);
  EXPECT_THAT(Visited({Lines({"10.3.11.249 - - [x] \"GET / HTTP/1.1\" 200 1\n"}, Format::kAccess),
                       Lines({"10.4.11.249 - - [x] \"GET / HTTP/1.1\" 200 1\n"}, Format::kAccess)},
                      "src.ip in (" + list + ")"),
              ElementsAre(0));
}

TEST(IndexTest, ThousandsOfWordsAreLookedForInOnePass) {
  std::string list = "evil-site.example or q7x";
  for (int i = 0; i < 500; ++i) list += " or host" + std::to_string(i) + ".example.com";
  bool uses_fields = false;
  const IndexQuery query = IndexQueryFor(Parsed(list), &uses_fields);
  EXPECT_EQ(query.kind, IndexQuery::Kind::kFragments);
  EXPECT_EQ(query.fragments.size(), 502u);
  EXPECT_THAT(Visited({Lines({"GET http://xhost499.example.com/\n"}),
                       Lines({"host500.example.com\n"}), Lines({"my.evil-site.example\n"}),
                       Lines({"evil site.example\n"}), Lines({"aq7xb\n"}), Lines({"nothing\n"})},
                      list),
              ElementsAre(0, 2, 3, 4));
}

TEST(FragmentSetTest, FindsWhatFindingEachAloneFinds) {
  std::mt19937_64 random(11);
  const auto text = [&random](std::size_t size) {
    std::string made;
    for (std::size_t i = 0; i < size; ++i) made += "ab.-c"[random() % 5];
    return made;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<Fragment> fragments;
    for (std::size_t i = 0; i < 1 + random() % 12; ++i) {
      for (const Fragment& fragment : FragmentsOf(text(1 + random() % 6)))
        fragments.push_back(fragment);
    }
    const std::string haystack = text(random() % 30);
    bool expected = false;
    ForEachToken(haystack, [&](std::size_t begin, std::size_t size) {
      for (const Fragment& fragment : fragments)
        expected = expected || Fits(fragment, std::string_view(haystack).substr(begin, size));
    });
    ASSERT_EQ(FragmentSet(fragments).Find(haystack) != std::string::npos, expected) << haystack;
  }
}

// A chunk full of random hexadecimal, as session keys are: every part of each passes, and hardly any word does.
TEST(TextFilterTest, PassesEveryPartOfATokenAndFewOthers) {
  std::mt19937_64 random(3);
  const auto word = [&random](std::size_t size, std::string_view of) {
    std::string made;
    for (std::size_t i = 0; i < size; ++i) made += of[random() % of.size()];
    return made;
  };
  std::vector<std::string> tokens;
  std::string text(1, '\0');
  while (text.size() < 2 * kChunkBytes)
    text += tokens.emplace_back(word(1 + random() % 32, "0123456789abcdef")) + '\0';
  const TextFilter filter(text);
  for (const std::string& token : tokens) {
    for (std::size_t begin = 0; begin < token.size(); ++begin)
      ASSERT_TRUE(filter.MayHold(std::string_view(token).substr(begin))) << token;
  }
  int passed = 0;
  for (int i = 0; i < 1000; ++i)
    passed += filter.MayHold(word(8, "abcdefghijklmnopqrstuvwxyz")) ? 1 : 0;
  EXPECT_LT(passed, 20);
  EXPECT_TRUE(filter.MayHold("zq"));
  EXPECT_TRUE(TextFilter("One\n").MayHold("oNE\n"));
  EXPECT_FALSE(TextFilter(std::string_view("\0ab\0cd\0", 7)).MayHold("bcd"));
  EXPECT_FALSE(TextFilter(std::string_view("\0ab\0", 4)).MayHold("abc"));
}

TEST(IndexTest, TheSameBlocksGiveTheSameBytesAndOthersDoNot) {
  const std::vector<IndexedBlock> blocks = {Lines({"a b\n", "c\n"}), Lines({"b d\n"})};
  const BuiltSegment one = BuildSegment(blocks), two = BuildSegment(blocks);
  EXPECT_EQ(one.directory.Serialize(), two.directory.Serialize());
  EXPECT_EQ(one.chunks, two.chunks);
  SegmentBuilder other(10);
  other.Add(10, PayloadOf(blocks[0], 'k'), Format::kPlain);
  other.Add(12, PayloadOf(blocks[1], 'x'), Format::kPlain);
  const BuiltSegment salted = other.Finish(14);
  EXPECT_EQ(salted.chunks, one.chunks);
  EXPECT_NE(salted.directory.Serialize(), one.directory.Serialize()) << "another batch key";
}

TEST(IndexTest, EveryFlippedBitOfAChunkIsRefused) {
  const BuiltSegment segment = BuildSegment({Lines({"some words here\n"}), Lines({"words\n"})});
  for (std::size_t bit = 0; bit < segment.chunks[0].size() * 8; ++bit) {
    std::string bytes = segment.chunks[0];
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Chunk::Parse(bytes, segment.directory.chunks[0], 2).ok()) << bit;
  }
}

// A directory or chunk that was cut or altered, with a hash that fits, is refused or says something in bounds.
TEST(IndexTest, AlteredBytesWithAFittingHashNeverLeaveTheirBounds) {
  const BuiltSegment segment =
      BuildSegment({Lines({"some words here 10.1.2.3\n"}), Lines({"w\n"})});
  const std::string directory = segment.directory.Serialize();
  EXPECT_EQ(*Directory::Parse(directory), segment.directory);
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = segment.chunks[0];
    bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    ChunkEntry entry = segment.directory.chunks[0];
    entry.hash = evidence::Sha256(bytes);
    Result<Chunk> chunk = Chunk::Parse(bytes, entry, 2);
    if (chunk.ok()) {
      BlockSet set(2, false);
      for (std::size_t i = 0; i < chunk->token_count(); ++i) chunk->MarkBlocks(i, set);
    }
    std::string altered = directory;
    altered[random() % altered.size()] = static_cast<char>(random());
    if (random() % 4 == 0) altered.resize(random() % altered.size());
    Result<Directory> parsed = Directory::Parse(altered);
    if (!parsed.ok()) continue;
    for (const std::uint16_t ordinal : parsed->always) EXPECT_LT(ordinal, parsed->blocks.size());
    for (const std::uint64_t block : parsed->blocks) EXPECT_LT(block, parsed->end);
  }
}

}  // namespace
}  // namespace logvault::query
