// The verifier's one pass over a vault's rows: each block goes to the auditor, the tree check and
// the stream check, its payload to the pool; checkpoints are held against the tree as it grows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evidence/auditor.h"
#include "evidence/checkpoint.h"
#include "storage/check_pool.h"
#include "storage/damage.h"
#include "storage/findings.h"
#include "storage/number_cursor.h"
#include "storage/stream_check.h"
#include "storage/tree_check.h"
#include "storage/verify.h"

namespace rocksdb {
class ColumnFamilyHandle;
}

namespace logvault::storage {

class Tables;

// A signed statement about the vault from elsewhere: the anchor's, or one that the caller kept.
struct Witness {
  std::string what;
  evidence::Checkpoint checkpoint;
};

class VerifyPass {
 public:
  // `key` signs the vault's checkpoints.  Everything referred to must outlive the pass.
  VerifyPass(const Tables& tables, const VerifyOptions& options, evidence::VerifierKey key,
             std::vector<Witness> witnesses, Findings& findings, Damage& damage);

  // Checks everything; fills the counts and the newest checkpoint of `report`.
  void Run(VerifyReport& report);

 private:
  struct PayloadFamily {
    rocksdb::ColumnFamilyHandle* handle;
    std::string name;
    std::unique_ptr<NumberCursor> rows;
  };

  [[nodiscard]] std::uint64_t FindEnd(VerifyReport& report);
  void ForeseeGoverning(std::uint64_t end);
  void CheckBlock(std::uint64_t index);
  void AddBlock(std::uint64_t index, std::string_view bytes);
  void AddKeyBlock(const evidence::BlockHeader& block);
  void AddRecordsBlock(const evidence::BlockHeader& block);
  void CheckPayloadOf(const evidence::BlockHeader& block, const evidence::BatchHeader& batch);
  Result<std::string> LookUpPayload(const PayloadFamily& family, std::uint64_t block,
                                    std::string& reason);
  void CheckLater(std::uint64_t block, const evidence::BatchHeader& batch, std::string_view frame);
  void PassPayloadsOf(std::uint64_t index);
  void CheckCheckpoint(std::uint64_t size);
  void CheckWitnesses(std::uint64_t size);
  void Finish(std::uint64_t end);
  void CheckOtherFamilies();
  std::string Unreadable(const Status& status);

  const Tables& tables_;
  const VerifyOptions& options_;
  const evidence::VerifierKey key_;
  const std::vector<Witness> witnesses_;
  Findings& findings_;
  Damage& damage_;

  evidence::Auditor auditor_;
  TreeCheck tree_;
  StreamCheck streams_;
  NumberCursor blocks_;
  NumberCursor checkpoints_;
  std::vector<PayloadFamily> payloads_;
  std::string missing_reason_;  // what the auditor's finding about a missing block is to say
  std::uint64_t stored_blocks_ = 0;
  std::uint64_t stored_end_ = 0;  // one past the newest block that is stored
  std::optional<std::uint64_t>
      newest_stored_;  // size of the newest stored checkpoint, where that one is signed
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t deleted_payloads_ = 0;
  CheckPool pool_;  // last: its checks use what stands above
};

}  // namespace logvault::storage
