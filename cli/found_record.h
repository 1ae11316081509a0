// FoundRecord: one record out of a vault, verified down to a signed checkpoint, whatever the vault says of it.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/record_name.h"
#include "common/status.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/checkpoint.h"
#include "evidence/payload.h"
#include "query/row.h"

namespace logvault::cli {

struct FoundRecord {
  RecordName name;
  std::string format;  // the stream's, by the vault's word
  std::string block_bytes;
  evidence::BlockHeader block;
  evidence::BatchHeader batch;
  evidence::Payload payload;
  std::string note;  // the checkpoint that `inclusion` leads to
  evidence::Checkpoint checkpoint;
  std::vector<evidence::Hash> inclusion;
  bool vault_sound =
      true;  // false: something else about the vault is not what it should be, and was told

  // Points into this.
  [[nodiscard]] query::Row row() const;
};

// kNotFound where the vault has no such record, kIntegrity or kCorruption where what it has does not verify.
Result<FoundRecord> FindRecord(const RecordName& name, const Environment& env);

}  // namespace logvault::cli
