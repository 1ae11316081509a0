// What logvault reads out of a JSON record, found in one pass without building a tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace logvault::formats {

// The values of the top-level members "time", "timestamp", "@timestamp" and "ts", strings and
// numbers alike, in the order found.
std::vector<std::string> JsonTimeTexts(std::string_view text);

struct JsonLeaf {
  std::string path;   // "request.client.ip"; an array's elements share their array's path
  std::string value;  // a string's text; a number as written, or "true", "false"
};

// Every string, number and boolean, in the order found.  Left out: nulls, leaves more than
// kJsonDepthMax deep, paths over kJsonPathBytesMax bytes, and what follows the first kJsonLeavesMax
// leaves; each bounds the work. Of text that stops being JSON, what came before.
std::vector<JsonLeaf> JsonLeaves(std::string_view text);

inline constexpr std::size_t kJsonDepthMax = 32;
inline constexpr std::size_t kJsonPathBytesMax = 512;
inline constexpr std::size_t kJsonLeavesMax = 4096;

}  // namespace logvault::formats
