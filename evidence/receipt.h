// A search's receipt: what was asked of which tree, what was looked at, and the hash of what was answered, signed by the
// vault.  Layout: docs/FORMAT.md, "Receipt".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/hash.h"
#include "evidence/keys.h"
#include "evidence/note.h"

namespace logvault::evidence {

inline constexpr std::size_t kMaxReceiptSize = 4u << 20;

struct SearchReceipt {
  std::string origin;
  std::uint64_t tree_size = 0;  // what the answer is about
  Hash root;                    // of that tree
  std::uint64_t access = 0;     // the ACCESS block that says who asked
  UnixNanos answered_at = 0;    // by the vault's clock
  std::string query;            // the query text, as in the ACCESS block
  std::uint64_t in_scope = 0, pruned_by_header = 0, pruned_by_index = 0, counted = 0, scanned = 0,
                deleted = 0;              // blocks
  std::vector<std::uint64_t> unreadable;  // blocks; where there are any, the answer is not complete
  bool limit_reached = false;
  std::uint64_t matches = 0;          // of the expression
  std::optional<std::uint64_t> rows;  // of the answer, where pipes made it
  Hash result;                        // ResultHash over the rows
  bool operator==(const SearchReceipt&) const = default;

  [[nodiscard]] bool complete() const { return unreadable.empty(); }

  // The receipt as a file, signed by each of `keys`.  REQUIRES: one at least.
  [[nodiscard]] std::string Sign(const std::vector<const SigningKey*>& keys) const;
  // kInvalidArgument: no receipt at all; kIntegrity: one that was altered, or is not signed by `key`, nor by one that it
  // followed and that was in force for a tree of that size.
  static Result<SearchReceipt> Open(std::string_view file, const VerifierKey& key);
};

}  // namespace logvault::evidence
