// What journal files and positions say, whatever they say: headers, cursors, places.
#include <cstdint>

#include "common/check.h"
#include "forwarder/journal_cursor.h"
#include "forwarder/journal_header.h"
#include "forwarder/journal_place.h"

using namespace logvault::forwarder;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto header = JournalHeader::Parse(text); header.ok())
    LV_CHECK(header->entries <= header->used_bytes && header->file_id.size() == 32);
  if (const auto cursor = JournalCursor::Parse(text); cursor.has_value())
    LV_CHECK(Compare(*cursor, *cursor) == 0);
  const auto place = JournalPlace::Parse({"id", text});
  if (!place.ok()) return 0;
  const auto again = JournalPlace::Parse(place->ToEntry());
  LV_CHECK(again.ok() && again->read == place->read && again->entries == place->entries);
  return 0;
}
