// Highlight: where in a record's text stands what an expression asked for.  For a person's eye only: whether a record
// matches is decided in evaluate.h.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "formats/format.h"
#include "query/expression.h"

namespace logvault::query {

// Bytes [begin, end) of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

inline constexpr std::size_t kSpansMax = 1000;  // of one record; what comes behind is left out

// The places in `text` (formats::RecordText) that the expression's terms, and the values that its comparisons
// accept, stand at: ascending, without overlaps, none of them empty.  What stands under a `not` is left out.  A decoded
// value (hex, percent signs) that does not stand in the text as such has no place.  Pure.
std::vector<Span> FindSpans(const Expression& expression, formats::Format format,
                            std::string_view text);

}  // namespace logvault::query
