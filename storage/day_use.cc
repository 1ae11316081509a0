#include "storage/day_use.h"

#include "common/bytes.h"

namespace logvault::storage {
namespace {

constexpr char kDayUseTag = 'u';

}  // namespace

std::string DayUseKey(std::string_view host) {
  std::string key(1, kDayUseTag);
  ByteWriter(key).String16(host);
  return key;
}

Result<DayUse> ParseDayUseRow(std::string_view key, std::string_view value) {
  ByteReader name(key), row(value);
  DayUse use;
  const bool tagged = name.U8() == kDayUseTag;
  use.host = name.String16();
  use.day = static_cast<std::int64_t>(row.U64());
  use.bytes = row.U64();
  if (!tagged || !name.Done() || !row.Done())
    return Corruption("the row of a host's day is malformed");
  return use;
}

std::string SerializeDayUse(const DayUse& use) {
  std::string value;
  ByteWriter writer(value);
  writer.I64(use.day);
  writer.U64(use.bytes);
  return value;
}

}  // namespace logvault::storage
