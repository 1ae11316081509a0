// The body of an INDEX block: which blocks a segment of the index covers, and the hash of its directory.  docs/FORMAT.md,
// "Index".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

struct IndexBody {
  std::uint64_t first = 0, end = 0;  // blocks from `first` up to before `end`
  Hash directory_hash;               // the directory begins with a secret salt
  bool operator==(const IndexBody&) const = default;

  static Result<IndexBody> Parse(std::string_view body);
  [[nodiscard]] std::string Serialize() const;
};

}  // namespace logvault::evidence
