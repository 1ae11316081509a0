#include "forwarder/journal_place.h"

#include <nlohmann/json.hpp>

namespace logvault::forwarder {

Result<JournalPlace> JournalPlace::Parse(const evidence::PositionEntry& entry) {
  const nlohmann::json json = nlohmann::json::parse(entry.value, nullptr, false);
  JournalPlace place;
  place.file_id = entry.key;
  try {
    place.path = json.at("path");
    place.cursor = json.at("cursor");
    place.read = json.at("read");
    place.entries = json.at("entries");
    place.taken = json.at("taken");
    place.archived = json.at("archived");
  } catch (const nlohmann::json::exception&) {
    return Corruption("position: of no journal file");
  }
  return place;
}

evidence::PositionEntry JournalPlace::ToEntry() const {
  const nlohmann::json json = {{"path", path},       {"cursor", cursor}, {"read", read},
                               {"entries", entries}, {"taken", taken},   {"archived", archived}};
  return {file_id, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

}  // namespace logvault::forwarder
