// The examples of docs/formats.md are what the parsers understand.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "formats/event_time.h"
#include "formats/fields.h"
#include "tests/formats/framing.h"

namespace logvault::formats {
namespace {

// The first fenced block of each section that is headed by a format's name.
std::map<std::string, std::string> Examples() {
  std::map<std::string, std::string> examples;
  std::ifstream in("docs/formats.md");
  std::string section;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (!inside && line.starts_with("## ")) section = line.substr(3);
    if (line.starts_with("```")) {
      inside = !inside && FormatByName(section).has_value() && !examples.contains(section);
    } else if (inside) {
      examples[section] += line + "\n";
    }
  }
  return examples;
}

TEST(DocumentedExamplesTest, EachFormatHasOneAndItIsUnderstood) {
  const std::map<std::string, std::string> examples = Examples();
  for (const NamedFormat& known : kFormats) {
    ASSERT_TRUE(examples.contains(std::string(known.name))) << known.name;
    const bool says_something = known.format != Format::kPlain;
    for (const std::string& record : Records(known.format, examples.at(std::string(known.name)))) {
      TimeContext context;
      context.not_after = AsUtc({2024, 7, 12});
      EXPECT_EQ(EventTime(known.format, record, context) != kNoTime, says_something) << record;
      EXPECT_EQ(ParseFields(known.format, RecordText(record, false)).size() > 1, says_something)
          << record;
    }
  }
}

TEST(DocumentedExamplesTest, ALogTraceIsOneRecord) {
  EXPECT_EQ(Records(Format::kGeoserver, Examples()["geoserver"]).size(), 1U);
}

}  // namespace
}  // namespace logvault::formats
