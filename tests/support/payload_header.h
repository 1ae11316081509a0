// The header of a batch as far as it speaks of its payload.
#pragma once

#include <cstdint>

#include "evidence/batch.h"
#include "evidence/payload.h"

namespace logvault::evidence {

inline BatchHeader HeaderFor(const PayloadBuilder::Sealed& sealed, std::uint64_t first_seq) {
  BatchHeader header;
  header.first_seq = first_seq;
  header.record_count = sealed.record_count;
  header.payload_hash = sealed.payload_hash;
  header.records_root = sealed.records_root;
  header.read_time_first = sealed.read_time_first;
  header.read_time_last = sealed.read_time_last;
  header.event_time_min = sealed.event_time_min;
  header.event_time_max = sealed.event_time_max;
  return header;
}

}  // namespace logvault::evidence
