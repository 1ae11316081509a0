// What holds for every text: the cuts laid end to end are the text, and how the text is handed over
// changes nothing.  Over random texts and over the real logs.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "tests/formats/framing.h"
#include "tests/formats/sample_files.h"

namespace logvault::formats {
namespace {

// Texts made of what framers look at: headers, halves of them, line ends, NULs, blanks and noise.
std::string RandomText(std::mt19937_64& random) {
  static constexpr std::string_view kParts[] = {
      "16 Sep 15:44:36 INFO [a.b] - x",
      "2017-11-17 10:11:43,386 WARN [c] - ",
      "06 5月 10:13:02 INFO [d] - y",
      "2024-06-19 00:11:06.55 Server      z",
      "\n",
      "\n",
      "\n",
      "\n",
      "\r\n",
      "\n\n",
      "\t",
      " ",
      "9",
      "0",
      "16 Sep",
      "2024-06-19 ",
      "Caused by: x",
      "] -",
      "__CURSOR=x\n",
      "A=b\n",
      std::string_view("A\n\5\0\0\0\0\0\0\0a\n\nbc\n", 16),
      "\xFF\xFE"};
  std::string text;
  const std::size_t parts = random() % 40;
  for (std::size_t i = 0; i < parts; ++i) {
    if (random() % 8 == 0) {
      text += static_cast<char>(random());
    } else if (random() % 64 == 0) {
      text += std::string(random() % 2000, 'x');
    } else {
      text += kParts[random() % std::size(kParts)];
    }
  }
  return text;
}

std::size_t Sum(const std::vector<Cut>& cuts) {
  std::size_t sum = 0;
  for (const Cut& cut : cuts) sum += cut.length;
  return sum;
}

struct Case {
  Format format;
  Encoding encoding;
  std::string text;
  std::size_t limit;
};

class FramerPropertyTest : public ::testing::Test {
 protected:
  FramerPropertyTest() : seed_(std::random_device{}()), random_(seed_) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed_));
  }
  Case AnyCase() {
    const bool utf16 = random_() % 3 == 0;
    const std::string text = RandomText(random_);
    return {.format = kFormats[random_() % kFormats.size()].format,
            .encoding = utf16 ? Encoding::kUtf16Le : Encoding::kBytes,
            .text = utf16 && random_() % 4 != 0 ? Utf16Le(text) : text,
            .limit = random_() % 2 == 0 ? kLarge : 2 + random_() % 300};
  }

  const std::uint64_t seed_;
  std::mt19937_64 random_;
};

TEST_F(FramerPropertyTest, CutsLaidEndToEndAreTheText) {
  for (int round = 0; round < 10'000; ++round) {
    const Case c = AnyCase();
    for (const End end : {End::kMore, End::kIdle, End::kFinal}) {
      const Framed framed = Frame(c.format, c.text, end, c.encoding, c.limit);
      ASSERT_EQ(Sum(framed.cuts), framed.covered);
      ASSERT_LE(framed.covered, c.text.size());
      ASSERT_TRUE(end != End::kFinal || framed.covered == c.text.size());
      for (std::size_t i = 0; i < framed.cuts.size(); ++i) {
        const bool last = end == End::kFinal && i + 1 == framed.cuts.size();
        ASSERT_GT(framed.cuts[i].length, 0U);
        ASSERT_LE(framed.cuts[i].length, c.limit);
        ASSERT_TRUE(last || !framed.cuts[i].partial);
      }
    }
  }
}

TEST_F(FramerPropertyTest, WhatIsLeftUncutIsBounded) {
  for (int round = 0; round < 10'000; ++round) {
    const Case c = AnyCase();
    const Framed framed = Frame(c.format, c.text, End::kMore, c.encoding, c.limit);
    ASSERT_LE(c.text.size() - framed.covered, c.limit + 1024);
  }
}

TEST_F(FramerPropertyTest, CutsDoNotDependOnHowTheTextIsHandedOver) {
  for (int round = 0; round < 5'000; ++round) {
    const Case c = AnyCase();
    ASSERT_EQ(FrameInPieces(c.format, c.text, c.encoding, c.limit, random_),
              Frame(c.format, c.text, End::kFinal, c.encoding, c.limit))
        << NameOf(c.format) << " limit " << c.limit << ": " << ::testing::PrintToString(c.text);
  }
}

TEST_F(FramerPropertyTest, WithinTheLimitALineFormatCutsAtEveryLineFeedAndNowhereElse) {
  for (int round = 0; round < 5'000; ++round) {
    const std::string text = RandomText(random_);
    std::vector<std::string> expected;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
      expected.push_back(text.substr(at, end - at));
      at = end;
    }
    ASSERT_EQ(Records(Format::kAuditd, text), expected);
  }
}

TEST(FramerSampleTest, EverySampleFileIsCoveredByItsCuts) {
  int files = 0;
  for (const SampleFile& file : SampleFiles()) {
    for (const std::size_t limit : {kLarge, std::size_t{512}}) {
      const Framed framed =
          Frame(file.format, file.bytes, End::kFinal, DetectEncoding(file.bytes), limit);
      EXPECT_EQ(framed.covered, file.bytes.size()) << file.path;
      EXPECT_EQ(Sum(framed.cuts), file.bytes.size()) << file.path;
    }
    ++files;
  }
  std::printf("%d sample files framed\n", files);
}

TEST(FramerSampleTest, GeoserverRecordsAreAsManyAsARegularExpressionCounts) {
  const re2::RE2 header(R"(^\d\d \S+ \d\d:\d\d:\d\d [A-Z]+ +\[.*\] -)");
  for (const SampleFile& file : SampleFiles()) {
    if (!file.path.ends_with("geoserver_part1.log")) continue;
    std::size_t expected = 0;  // the sample begins with a header
    for (std::size_t at = 0; at < file.bytes.size();) {
      const std::size_t end = std::min(file.bytes.find('\n', at), file.bytes.size());
      const std::string line = file.bytes.substr(at, std::min<std::size_t>(end - at, 200));
      if (re2::RE2::PartialMatch(line, header)) ++expected;
      at = end + 1;
    }
    EXPECT_EQ(Records(Format::kGeoserver, file.bytes).size(), expected);
    std::printf("%s: %zu records\n", file.path.c_str(), expected);
  }
}

}  // namespace
}  // namespace logvault::formats
