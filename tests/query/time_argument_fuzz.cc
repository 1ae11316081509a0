// Fuzzes times as people write them: any text is refused or is an instant that prints and reads back as itself.
#include <cstdlib>

#include "query/time_argument.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logvault;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<UnixNanos> time = query::ParseTimeOrAge(text, 0, formats::TimeZone::Utc());
  if (!time.ok()) return 0;
  Result<UnixNanos> again = query::ParseTime(formats::FormatUtc(*time), formats::TimeZone::Utc());
  // The years at the ends may be passed by an offset or an age.
  if (again.ok() && *again != *time) std::abort();
  return 0;
}
