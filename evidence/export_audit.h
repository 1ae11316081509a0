// ExportAudit: holds the blocks and records of an export to the one signed checkpoint that comes with it, line by line,
// in memory that does not grow with the export but by its streams and epochs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "evidence/auditor.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/export_lines.h"
#include "evidence/merkle.h"

namespace logvault::evidence {

// What an export has of one stream: the batches from the one with first_seq to the one with last_seq, none left out.
struct ExportedStream {
  std::string host;
  std::string source;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::uint64_t shown = 0;     // with their bytes
  std::uint64_t redacted = 0;  // matching, as leaf hashes
  std::uint64_t withheld = 0;  // not selected, under hashes
  // First and last numbers of gaps, by the vault's GAP flag: the vault never had them.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> missing;
  bool operator==(const ExportedStream&) const = default;
};

// By host, then source: as a manifest lists them.
std::vector<ExportedStream> SortedStreams(const std::map<Hash, ExportedStream>& streams);

// A host's certificate as its KEY block has it.
struct ExportedKey {
  std::uint64_t block = 0;
  std::string host;
  std::uint64_t epoch = 0;
  std::string certificate_der;
};

// Not for several threads.
class ExportAudit {
 public:
  // `checkpoint` was opened with `key`.
  ExportAudit(VerifierKey key, Checkpoint checkpoint, CertificateCheck certificate_check,
              Auditor::OnFinding on_finding);

  // The next line of blocks.jsonl.  Returns how many records must be added before the next line.  kCorruption: the
  // lines cannot be followed from here on.  What is wrong with a block goes to on_finding.
  Result<std::uint64_t> AddLine(std::string_view line);
  // A record with its bytes.  REQUIRES: AddLine asked for it.
  void AddRecord(const RecordLine& record, std::string_view bytes);
  // After the last line: is it the tree of the checkpoint?
  void Finish();

  [[nodiscard]] const std::map<Hash, ExportedStream>& streams() const { return ranges_; }  // by id
  [[nodiscard]] const std::optional<GenesisBody>& genesis() const { return genesis_; }
  [[nodiscard]] const std::vector<ExportedKey>& keys() const { return keys_; }
  [[nodiscard]] const std::vector<std::uint64_t>& access_blocks() const { return access_blocks_; }
  // The batch that AddRecord's next record is of.
  [[nodiscard]] UnixNanos commit_time() const { return batch_ ? batch_->commit_time : 0; }

 private:
  // A RECORDS block whose records are being accounted for.
  struct OpenBatch {
    std::uint64_t block = 0;
    UnixNanos commit_time = 0;
    BatchHeader header;
    CompactTree records;
    bool named = false;  // a record of it was reported: its root cannot fit
  };

  Status Add(const PrunedLine& line);
  Status Add(const BlockLine& line);
  Status Add(const WithheldLine& line);
  Status Add(const RedactedLine& line);
  Status Add(const ShownLine& line);

  // Whether `count` records from `first_seq` on are the next of the open batch.
  [[nodiscard]] Status CheckNext(std::uint64_t first_seq, std::uint64_t count) const;
  void CloseBatchIfWhole();
  void CheckBlock(const BlockLine& line);
  void CheckGapNotice(const BlockHeader* next);
  void CheckGenesis(const BlockHeader& block);
  void CheckStream(const BlockHeader& block);
  void CheckKey(const BlockHeader& block);
  void CheckRecords(const BlockHeader& block, bool contents);
  void CheckNumbers(const BlockHeader& block, const BatchHeader& batch, ExportedStream& range);
  void Report(std::uint64_t block, const BatchHeader* batch, std::string reason);
  ExportedStream& RangeOf(const BatchHeader& batch) { return ranges_[batch.stream_id]; }

  const VerifierKey key_;
  const Checkpoint checkpoint_;
  const CertificateCheck certificate_check_;
  const Auditor::OnFinding on_finding_;
  CompactTree tree_;
  std::optional<Hash> prev_;  // leaf of the block before; unknown behind pruned ones
  UnixNanos last_commit_time_ = INT64_MIN;
  std::optional<GenesisBody> genesis_;
  std::map<Hash, std::pair<std::string, std::string>> names_;  // stream id -> host, source
  std::map<Hash, ExportedStream> ranges_;
  std::map<Hash, Hash> heads_;                                           // of a stream's last batch
  std::map<std::pair<std::string, std::uint64_t>, std::string> epochs_;  // (host, epoch) -> key
  std::vector<ExportedKey> keys_;
  std::vector<std::uint64_t> access_blocks_;
  // What the vault states in the next block about the numbers that the last batch skipped, and that batch.
  std::optional<std::pair<std::string, BatchHeader>> gap_notice_;
  std::optional<OpenBatch> batch_;
  std::uint64_t awaited_ = 0;  // records
};

}  // namespace logvault::evidence
