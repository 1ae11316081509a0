// LeafHasher: the leaves of a batch's records, several hashed at a time.  For payload_builder.cc and payload.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/hash.h"
#include "evidence/payload.h"

namespace logvault::evidence {

inline std::string_view SaltOf(std::string_view salts, std::uint32_t i) {
  return salts.substr(i * kSaltSize, kSaltSize);
}

// As many at a time as a room has place for that the processor's cache holds.
class LeafHasher {
 public:
  explicit LeafHasher(std::uint32_t record_count);

  void Add(std::string_view salt, std::uint64_t seq, const RecordView& record);
  // In the order in which they were added.
  std::vector<Hash> Finish();

 private:
  void HashRoom();

  std::string room_;
  std::vector<std::string_view> messages_;  // in room_
  std::vector<Hash> leaves_;
};

}  // namespace logvault::evidence
