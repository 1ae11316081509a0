// The YAML beneath configurations: block and flow style give one tree; what no configuration needs
// is refused with its line.
#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml_reader.h"

namespace logvault::config {
namespace {

// The tree in one line: {key:LINE value} and [items]; "-" is nothing.
std::string Shape(const YamlNode& node) {
  std::string shape;
  switch (node.kind) {
    case YamlNode::Kind::kNothing:
      return "-";
    case YamlNode::Kind::kScalar:
      return node.text;
    case YamlNode::Kind::kList:
      for (const YamlNode& item : node.items) shape += (shape.empty() ? "" : " ") + Shape(item);
      return "[" + shape + "]";
    case YamlNode::Kind::kMapping:
      for (const YamlEntry& entry : node.entries) {
        shape += (shape.empty() ? "" : " ") + entry.key + ":" + std::to_string(entry.line) + " " +
                 Shape(entry.value);
      }
      return "{" + shape + "}";
  }
  return shape;
}

std::string Read(std::string_view text) {
  Result<YamlNode> node = ParseYaml(text, "f.yaml");
  return node.ok() ? Shape(*node) : node.status().message();
}

TEST(YamlTest, ReadsBlockAndFlowStyle) {
  EXPECT_EQ(Read("a: 1\nb:\n  c: [x, 'y z']\n  d: {e: \"f\"}\n"),
            "{a:1 1 b:2 {c:3 [x y z] d:4 {e:4 f}}}");
  EXPECT_EQ(Read("- {a: 1}\n- - b\n"), "[{a:1 1} [b]]");
  EXPECT_EQ(Read("# nothing but this\n"), "-");
  EXPECT_EQ(Read(""), "-");
  EXPECT_EQ(Read("a:\nb: ~\nc: null\n"), "{a:1 - b:2 - c:3 -}");
}

TEST(YamlTest, ReadsWindowsLineEnds) { EXPECT_EQ(Read("a: 1\r\nb: 2\r\n"), "{a:1 1 b:2 2}"); }

TEST(YamlTest, RefusesWhatNoConfigurationNeeds) {
  EXPECT_EQ(Read("a: 1\nb: 2\na: 3\n"), "f.yaml:3: key 'a' stands here again; first in line 1");
  EXPECT_EQ(Read("a: &x 1\n"), "f.yaml:1: anchors (&name) are not supported");
  EXPECT_EQ(Read("b: 1\na: !!int 1\n"), "f.yaml:2: tags (tag:yaml.org,2002:int) are not supported");
  EXPECT_EQ(Read("a: 1\n---\nb: 1\n"), "f.yaml:2: a second document begins here");
  EXPECT_EQ(Read("? [a, b]\n: 1\n"), "f.yaml:1: a key must be a word");
  EXPECT_EQ(Read("a: \"x\\0y\"\n"), "f.yaml:1: a NUL byte in a value");
  EXPECT_EQ(Read("a:\n  b: " + std::string(17, '[') + std::string(17, ']')),
            "f.yaml:2: nested too deeply");
}

TEST(YamlTest, ASyntaxErrorNamesItsLine) {
  EXPECT_EQ(Read("a: 1\nb: [1, 2\n"), "f.yaml:3: end of sequence flow not found");
  EXPECT_EQ(Read("a: 1\n b: 2\n"), "f.yaml:2: illegal map value");
}

TEST(YamlTest, ADeepTextIsRefusedWithoutDeepRecursion) {
  EXPECT_THAT(Read(std::string(200'000, '[')), testing::StartsWith("f.yaml:1: "));
  EXPECT_THAT(Read(std::string(200'000, '{')), testing::StartsWith("f.yaml:1: "));
}

TEST(YamlReaderTest, TheNearestWordNeedsTheFewestEdits) {
  EXPECT_EQ(Nearest("heartbeet", {"metrics", "heartbeat", "spool"}), "heartbeat");
  EXPECT_EQ(Nearest("max-bytes", {"dir", "max_bytes"}), "max_bytes");
  EXPECT_EQ(Nearest("", {"dir", "a"}), "a");
  EXPECT_EQ(Nearest(std::string(1'000'000, 'x'), {"dir", "xxx", "max_bytes"}), "xxx");
}

}  // namespace
}  // namespace logvault::config
