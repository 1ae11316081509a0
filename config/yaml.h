// The YAML that configurations are written in, as a tree: mappings, lists and scalars with their
// lines.  Anchors, aliases, tags, several documents, duplicate keys and deep nesting are refused,
// since no configuration needs them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace logvault::config {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNothing, kScalar, kList, kMapping };
  Kind kind = Kind::kNothing;
  int line = 1;  // from 1
  std::string text;
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in the order of the file
};

struct YamlEntry {
  std::string key;
  int line = 1;
  YamlNode value;
};

// "a list"
std::string_view ToString(YamlNode::Kind kind);

// Pure.  kInvalidArgument with "`file`:LINE: " before the reason.
Result<YamlNode> ParseYaml(std::string_view text, std::string_view file);

}  // namespace logvault::config
