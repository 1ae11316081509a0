// JSON: every leaf under `json.` and its path; a leaf whose path is a canonical name under that
// too.
#include "formats/field_names.h"
#include "formats/field_parsers.h"
#include "formats/json_members.h"

namespace logvault::formats {

void ParseJsonFields(std::string_view text, FieldList& fields) {
  for (JsonLeaf& leaf : JsonLeaves(text)) {
    if (leaf.path.empty()) continue;
    if (leaf.path == "message") fields.Add("msg", leaf.value);
    if (IsListedFieldName(leaf.path)) fields.Add(leaf.path, leaf.value);
    fields.Add("json." + leaf.path, std::move(leaf.value));
  }
}

}  // namespace logvault::formats
