#include "storage/silence.h"

#include <nlohmann/json.hpp>

#include "common/bytes.h"

namespace logvault::storage {
namespace {

constexpr char kSilenceTag = 'q';

}  // namespace

Result<SilenceChange> ParseSilence(std::string_view body, std::uint64_t block) {
  const Status bad = InvalidArgument("SILENCE: not of the documented form");
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("type") || !json.contains("hosts")) return bad;
  SilenceChange change;
  change.began = json["type"] == "silent";
  if (!change.began && json["type"] != "returned") return bad;
  const char* time = change.began ? "last_seen" : "returned_at";
  if (!json["hosts"].is_array()) return bad;
  for (const nlohmann::json& host : json["hosts"]) {
    if (!host.is_object() || !host.contains("host") || !host["host"].is_string()) return bad;
    if (!host.contains(time) || !host[time].is_number_integer()) return bad;
    change.hosts.push_back({host["host"].get<std::string>(), host[time].get<UnixNanos>(), block});
  }
  return change;
}

std::string SilenceKey(std::string_view host) {
  std::string key(1, kSilenceTag);
  ByteWriter(key).String16(host);
  return key;
}

Result<Silence> ParseSilenceRow(std::string_view key, std::string_view value) {
  ByteReader name(key), row(value);
  Silence silence;
  const bool tagged = name.U8() == kSilenceTag;
  silence.host = name.String16();
  silence.last_seen = static_cast<UnixNanos>(row.U64());
  silence.block = row.U64();
  if (!tagged || !name.Done() || !row.Done()) return Corruption("a silence's row is malformed");
  return silence;
}

std::string SerializeSilence(const Silence& silence) {
  std::string value;
  ByteWriter writer(value);
  writer.I64(silence.last_seen);
  writer.U64(silence.block);
  return value;
}

}  // namespace logvault::storage
