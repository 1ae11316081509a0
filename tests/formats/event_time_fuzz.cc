// Any text in any format states a time or none, and the same one again.
#include <cstdint>

#include "common/check.h"
#include "formats/event_time.h"

using namespace logvault;
using namespace logvault::formats;

// The first byte chooses the format, eight more the reading time; the rest is the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9) return 0;
  const Format format = kFormats[data[0] % kFormats.size()].format;
  std::uint64_t not_after = 0;
  for (int i = 1; i <= 8; ++i) not_after = not_after << 8 | data[i];
  const std::string_view text(reinterpret_cast<const char*>(data) + 9, size - 9);

  TimeContext context;
  context.not_after = static_cast<UnixNanos>(not_after);
  const UnixNanos time = EventTime(format, text, context);
  LV_CHECK(EventTime(format, text, context) == time);
  LV_CHECK(FormatUtc(time).size() >= 30);
  return 0;
}
