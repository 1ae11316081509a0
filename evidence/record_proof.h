// A record proof: one record and everything that ties its bytes to a signed checkpoint, as a C2SP tlog-proof.  Layout:
// docs/FORMAT.md, section "Record proof"; this file and that section change together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/checkpoint.h"
#include "evidence/payload.h"

namespace logvault::evidence {

// A record of the longest kind, as base64, with its block, paths and checkpoint.
inline constexpr std::size_t kMaxRecordProofSize = 32 * 1024 * 1024;

struct RecordProof {
  std::string host;
  std::string source;
  std::string block;  // the RECORDS block as stored, prefix and body
  // The record leaf's inputs.
  std::string salt;  // 16 bytes
  std::uint64_t seq = 0;
  UnixNanos event_time = kNoTime;
  UnixNanos read_time = 0;
  std::uint32_t flags = 0;
  std::string origin;
  std::string bytes;
  std::vector<Hash> record_path;  // from the leaf to the batch's records_root
  std::uint64_t index = 0;        // of the block
  std::vector<Hash> block_path;   // from the block to the checkpoint's root
  std::string note;               // the checkpoint

  bool operator==(const RecordProof&) const = default;

  [[nodiscard]] RecordView record() const { return {event_time, read_time, flags, origin, bytes}; }

  // Checks the form alone.  kInvalidArgument where `text` is no proof at all, kCorruption where it is a malformed one.
  static Result<RecordProof> Parse(std::string_view text);
  // REQUIRES: salt is 16 bytes, at most 65,535 hashes in record_path.
  [[nodiscard]] std::string Serialize() const;
};

// The proof of record `seq` of `payload`, whose RECORDS block is `block_bytes`.  REQUIRES: the batch holds `seq` and
// its payload was opened (OpenPayload).
RecordProof ProveRecord(std::string_view block_bytes, const BatchHeader& batch,
                        const Payload& payload, std::uint64_t seq);

// What a proof that holds says beyond its own fields.
struct ProvenRecord {
  BlockHeader block;
  BatchHeader batch;
  Checkpoint checkpoint;
};

// Checks all of it, against `key` and nothing else: checkpoint, block in the tree, stream, number, record in the block.
// kCorruption says what does not fit.  The host's own signature is not part of it: that takes the epoch's KEY block.
Result<ProvenRecord> CheckRecordProof(const RecordProof& proof, const VerifierKey& key);

}  // namespace logvault::evidence
