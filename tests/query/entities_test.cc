// `ip` and `hash`: which whole entities a record has, and that the comparison agrees with the bare term.
#include "query/entities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "query/evaluate.h"

namespace logvault::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Addresses(std::string_view text) {
  std::vector<std::string> found;
  ForEachAddressText(text, [&found](std::string_view address) { found.emplace_back(address); });
  return found;
}

bool Fits(const std::string& expression, std::string_view bytes,
          formats::Format format = formats::Format::kPlain) {
  Result<Expression> parsed = Expression::Parse(expression);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  Row row;
  row.bytes = bytes;
  row.format = format;
  Subject subject(row);
  return Matches(*parsed, subject);
}

TEST(EntitiesTest, WholeAddressesOnly) {
  EXPECT_THAT(Addresses("from 10.0.0.1: 10.0.0.2."), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(Addresses("FE80:0::1 end"), ElementsAre("fe80::1"));
  EXPECT_THAT(Addresses("1.2.3.4.5 x1.2.3.4 1.2.3.4.example.com 12:34:56"), IsEmpty());
}

TEST(EntitiesTest, ListsOfIndicators) {
  EXPECT_TRUE(Fits("ip in (9.9.9.9, 10.0.0.0/8)", "x 10.1.2.3\n"));
  EXPECT_FALSE(Fits("ip in (9.9.9.9, 10.0.0.0/8)", "x 110.1.2.3\n"));
  EXPECT_TRUE(
      Fits("hash in (D41D8CD98F00B204E9800998ECF8427E)", "md5=d41d8cd98f00b204e9800998ecf8427e,"));
  EXPECT_FALSE(Fits("hash=d41d8cd98f00b204e9800998ecf8427e", "xd41d8cd98f00b204e9800998ecf8427e"));
  // Decoded ones too: 203.0.113.9 as the kernel writes it.
  EXPECT_TRUE(Fits("ip=203.0.113.9", "type=SOCKADDR msg=audit(1.000:1): saddr=02000050CB007109",
                   formats::Format::kAuditd));
}

TEST(EntitiesTest, TheNameAgreesWithTheTerm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  static constexpr std::string_view kBytes = "0123456789..::::abf _%/-x\xc3\xa4";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (unsigned n = random() % 40; n > 0; --n) text += kBytes[random() % kBytes.size()];
    if (round % 2 == 0)
      text.insert(random() % (text.size() + 1), round % 4 == 0 ? "10.1.2.3" : "fe80::a1");
    const std::string network = round % 4 == 0   ? "10.1.2.3"
                                : round % 4 == 1 ? "0.0.0.0/0"
                                : round % 4 == 2 ? "fe80::a1"
                                                 : "fe80::/10";
    ASSERT_EQ(Fits("ip=" + network, text), Fits(network, text)) << network << " in " << text;
  }
}

}  // namespace
}  // namespace logvault::query
