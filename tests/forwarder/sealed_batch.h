// Batches as a forwarder seals them, without a forwarder.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "evidence/batch.h"
#include "evidence/bodies.h"
#include "evidence/keys.h"
#include "evidence/merkle.h"
#include "forwarder/spool.h"

namespace logvault::forwarder {

// Records `first` to `last` of `host`'s `source`; the payload is a little more than `bytes`, which do not compress.
inline SpooledBatch SealedBatch(const std::string& host, const std::string& source,
                                std::uint64_t first, std::uint64_t last, std::size_t bytes,
                                std::vector<evidence::PositionEntry> position = {}) {
  evidence::PayloadBuilder builder;
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    const std::string text = evidence::RandomBytes(bytes / (last - first + 1)) + "\n";
    evidence::RecordView record;
    record.read_time = 1;
    record.bytes = text;
    builder.Add(record);
  }
  auto sealed = builder.Finish(first, evidence::RandomBytes(evidence::kBatchKeySize), position);
  evidence::BatchHeader header;
  header.stream_id = evidence::StreamId(host, source);
  header.epoch = 7;
  header.first_seq = first;
  header.record_count = sealed.record_count;
  header.read_time_first = header.read_time_last = 1;
  header.records_root = sealed.records_root;
  header.payload_hash = sealed.payload_hash;
  static const evidence::SigningKey key = evidence::SigningKey::Generate();
  SpooledBatch batch;
  batch.item.source = source;
  batch.item.epoch = header.epoch;
  batch.item.first_seq = first;
  batch.item.last_seq = last;
  batch.item.header = evidence::SealBatchHeader(header, std::string(32, 'k'), key);
  batch.item.payload = std::move(sealed.frame);
  batch.head_hash = evidence::LeafHash(batch.item.header);
  batch.position = std::move(position);
  return batch;
}

inline SpoolCommit CommitOf(SpooledBatch batch) {
  SpoolCommit commit;
  commit.batches.push_back(std::move(batch));
  return commit;
}

}  // namespace logvault::forwarder
