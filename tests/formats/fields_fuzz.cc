// Any text in any format has a bounded number of fields, each under a name that a query accepts.
#include <cstdint>

#include "common/check.h"
#include "formats/fields.h"

using namespace logvault::formats;

// The first byte chooses the format and the encoding; the rest is the record.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Format format = kFormats[data[0] % kFormats.size()].format;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string text = RecordText(bytes, data[0] >= 128);

  const Fields fields = ParseFields(format, text);
  LV_CHECK(fields.size() <= kFieldsMax);
  for (const Field& field : fields) LV_CHECK(IsFieldName(field.name));

  bool changed = false;
  bool changed_again = false;
  const std::string valid = ToValidUtf8(text, &changed);
  LV_CHECK(ToValidUtf8(valid, &changed_again) == valid && !changed_again);
  return 0;
}
