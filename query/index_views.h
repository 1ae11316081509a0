// Views of a record: the texts whose tokens the index keeps of it.  The first is the text that terms are searched in; the
// others are what the record's format writes in disguise: hexadecimal strings, percent signs, escapes.  They are
// generous: what a field says must stand in one of them, what stands in one need not be a field.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "formats/format.h"
#include "query/address.h"

namespace logvault::query {

struct ViewVisitor {
  std::function<void(std::string_view text)> on_text;      // tokens of it are kept
  std::function<void(const Network& address)> on_address;  // one whole address, in no text
};

// The texts beside the searched one.  `searched` is what terms are searched in: the record's bytes, or UTF-16 as UTF-8.
// False where a field of the record may say what stands in no view: then no field's value rules its block out.
bool ForEachView(formats::Format format, std::string_view searched, const ViewVisitor& visitor);

}  // namespace logvault::query
