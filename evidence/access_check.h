// AccessCheck: whether a history's ACCESS and ACCESS_END blocks make sense together: every end names a call that was
// recorded before and had no end, and every query text is the one whose hash is recorded.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/access.h"
#include "evidence/block.h"

namespace logvault::evidence {

inline constexpr std::size_t kQueryTextMax = 8u << 20;  // bytes, of all pieces together

class AccessCheck {
 public:
  // The next block of the vault, of whatever kind, stored under `index`; what is wrong with it is added to `reasons`.
  void Add(std::uint64_t index, const BlockHeader& block, std::vector<std::string>& reasons);
  // Blocks that cannot be read stand next: what they would have been is not known.
  void AddUnknown();

 private:
  [[nodiscard]] Status AddAccess(std::uint64_t index, std::string_view body);
  [[nodiscard]] Status AddText(std::string_view body);
  [[nodiscard]] Status AddEnd(std::string_view body);

  std::set<std::uint64_t> open_;  // ACCESS blocks without an end
  bool in_text_ = false;          // pieces were met, and not yet the block they belong to
  bool blind_ = false;            // a block could not be read: it may have been any ACCESS block
  bool text_unknown_ = false;     // the block before could not be read: a piece may be missing
  AccessTextBody text_;           // the pieces so far, joined
};

}  // namespace logvault::evidence
