// Inclusion proofs as files, as c2sp.org/tlog-proof has them: an entry's place in a signed tree, verified offline with
// nothing but the log's key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

struct TlogProof {
  std::string
      extra;  // opaque bytes, which this format does not authenticate; empty: the line is left out
  std::uint64_t index = 0;
  std::vector<Hash> hashes;  // leaf's sibling first, root's child last
  std::string note;          // the signed checkpoint, verbatim and not checked here

  bool operator==(const TlogProof&) const = default;

  // Accepts exactly what Serialize writes.  kInvalidArgument for bytes that do not look like such a proof at all,
  // kCorruption for one that is malformed.
  static Result<TlogProof> Parse(std::string_view text);
  [[nodiscard]] std::string Serialize() const;
};

}  // namespace logvault::evidence
