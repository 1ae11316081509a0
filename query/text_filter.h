// TextFilter: which bytes stand side by side in a text, three at a time, ASCII letters in either case.  It rules out, without the
// text, that a word stands in it: a word that stands nowhere then costs neither a chunk of the index nor a block that is not
// indexed yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "query/literal.h"

namespace logvault::query {

// A value; safe from several threads.
class TextFilter {
 public:
  explicit TextFilter(std::string_view text);

  // False: `part` stands nowhere in the text.  A part of fewer than three bytes may always; of three bytes with a NUL among
  // them nothing is known.
  [[nodiscard]] bool MayHold(std::string_view part) const;
  // Of texts of which one at least must stand in it.
  [[nodiscard]] bool MayHoldOneOf(const std::vector<Literal>& parts) const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  unsigned place_bits_;
  std::vector<std::uint64_t> places_;
};

}  // namespace logvault::query
