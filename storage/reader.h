// Reader: everything that may be read of a vault.  A live vault and a folder opened read-only are
// read through the same class, so that a query and a proof do not care which it is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "storage/day_use.h"
#include "storage/index_rows.h"
#include "storage/silence.h"

namespace logvault::storage {

class Tables;  // the opened RocksDB and its column families; storage/tables.h

// Where the vault stands: a tree size, its root, and the signed note over both.
struct Head {
  std::uint64_t size = 0;
  evidence::Hash root;
  std::string note;
  bool operator==(const Head&) const = default;
};

// Where a stream stands, and what is told of it in `hosts`.
struct StreamHead {
  std::string host;
  std::string source;
  std::string format;
  std::string descriptor;          // the newest STREAM block's
  std::uint64_t stream_block = 0;  // index of that block
  std::uint64_t last_seq = 0;      // 0: no record yet
  evidence::Hash head_hash;        // LeafHash of the last batch header; zeros: none
  std::uint64_t last_block = 0;    // of the last batch
  std::uint64_t records = 0;
  std::uint64_t batches = 0;
  std::uint64_t missing_records = 0;  // skipped by gaps
  UnixNanos first_time = kNoTime;     // smallest event time (read time where there is none)
  UnixNanos last_time = kNoTime;
  UnixNanos last_read_time = kNoTime;
  UnixNanos last_commit_time = kNoTime;
  bool operator==(const StreamHead&) const = default;
};

// Numbers of a stream, both inclusive.
struct NumberRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const NumberRange&) const = default;
};
inline constexpr std::size_t kMissingRangesTold = 10;  // of a stream, in `hosts`

// One epoch of a host, as its KEY block registered it.
struct EpochRecord {
  std::uint64_t epoch = 0;
  std::uint64_t key_block = 0;
  UnixNanos commit_time = 0;
  std::string public_key;
  evidence::Hash k0_hash;
  bool operator==(const EpochRecord&) const = default;
};

// Safe from several threads.  Reads see what was committed when they begin, and later commits may
// or may not show; whoever needs one state asks for blocks below one Head's size only.
class Reader {
 public:
  explicit Reader(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}

  // The newest committed head, from disk.  Its signature is the caller's to check: by which key, only the blocks below it
  // tell (evidence/governance.h).
  [[nodiscard]] Result<Head> StoredHead() const;

  // The stored bytes of a block; kNotFound where nothing is stored, kCorruption where RocksDB
  // cannot read it.
  [[nodiscard]] Result<std::string> BlockBytes(std::uint64_t index) const;
  [[nodiscard]] Result<evidence::BlockHeader> Block(std::uint64_t index) const;
  // The payload frame stored with block `index`, committed at `commit_time`: as it lies on disk,
  // not checked.  Compare its hash with the batch header's payload_hash (evidence::OpenPayload
  // does).  kNotFound: it is gone; kOutOfRange: it was deleted under the retention policy, as DeletedBy says.
  [[nodiscard]] Result<std::string> Payload(std::uint64_t index, UnixNanos commit_time) const;

  // What payloads are opened with.  They grow as the vault is told more; what was committed before a batch is there.
  [[nodiscard]] std::shared_ptr<const evidence::Dictionaries> dictionaries() const;

  // The RETENTION block by which the payload of block `index` was deleted, as the vault's own rows say; nullopt: by none.
  // Whether it was lawful is for the verifier.
  [[nodiscard]] Result<std::optional<std::uint64_t>> DeletedBy(std::uint64_t index) const;
  // The governing blocks (evidence/governance.h) below `end`, as stored, by index.
  [[nodiscard]] Result<std::map<std::uint64_t, std::string>> GoverningBlocks(
      std::uint64_t end) const;

  // Calls `visit` with each stored block of [first, end) in order until it returns false.  A hole
  // is skipped; the caller sees it by the index.  Returns kCorruption where RocksDB cannot read on.
  using Visit = std::function<bool(std::uint64_t index, std::string_view bytes)>;
  [[nodiscard]] Status ForEachBlock(std::uint64_t first, std::uint64_t end,
                                    const Visit& visit) const;

  // Hashes of complete subtrees out of the stored tiles: for RootAt and the proofs.  For one
  // thread; keeps what it has read, so that several proofs in one go cost little more than one.
  [[nodiscard]] evidence::NodeReader Nodes() const;

  [[nodiscard]] Result<std::vector<StreamHead>> Streams() const;  // by host, then source
  [[nodiscard]] Result<std::optional<StreamHead>> Stream(const evidence::Hash& stream_id) const;
  [[nodiscard]] Result<std::vector<evidence::PositionEntry>> Position(
      const evidence::Hash& stream_id) const;
  // The block whose batch holds record `seq` of the stream; nullopt where it falls into a gap or
  // past the end.
  [[nodiscard]] Result<std::optional<std::uint64_t>> Locate(const evidence::Hash& stream_id,
                                                            std::uint64_t seq) const;

  // The numbers before the stream's last one that gaps skipped: the first `most` ranges, ascending.  Goes through the
  // stream's rows, one a batch.
  [[nodiscard]] Result<std::vector<NumberRange>> Missing(const evidence::Hash& stream_id,
                                                         std::size_t most) const;

  [[nodiscard]] Result<std::optional<EpochRecord>> Epoch(std::string_view host,
                                                         std::uint64_t epoch) const;
  [[nodiscard]] Result<std::optional<EpochRecord>> NewestEpoch(std::string_view host) const;
  // K_0 of an epoch: 32 bytes.
  [[nodiscard]] Result<std::optional<evidence::Hash>> SealKey(std::string_view host,
                                                              std::uint64_t epoch) const;

  // The stored index, as it lies there: not checked against anything.
  [[nodiscard]] Result<std::vector<IndexedSegment>> IndexedSegments() const;  // by `first`
  // kNotFound where it is not there.
  [[nodiscard]] Result<std::string> IndexDirectory(std::uint64_t first) const;
  [[nodiscard]] Result<std::string> IndexChunk(std::uint64_t first, std::uint32_t chunk) const;
  // The blocks of [first, end) whose payloads were deleted, each with the RETENTION block that did it.
  [[nodiscard]] Result<std::map<std::uint64_t, std::uint64_t>> DeletedPayloads(
      std::uint64_t first, std::uint64_t end) const;

  // Hosts whose silence was recorded and not its end, by name's length, then name.
  [[nodiscard]] Result<std::vector<Silence>> Silences() const;
  // What each host sent on the newest day on which it sent something; in the same order.
  [[nodiscard]] Result<std::vector<DayUse>> DayUses() const;

  [[nodiscard]] Result<evidence::GenesisBody> Genesis() const;

 private:
  std::shared_ptr<const Tables> tables_;
};

// The dictionaries among governing blocks as stored, by index.
std::shared_ptr<const evidence::Dictionaries> DictionariesOf(
    const std::map<std::uint64_t, std::string>& governing_blocks);

// A vault's folder opened without writing to it, beside a running collector too; sees the prefix
// that was committed when it was opened.
Result<Reader> OpenReadOnly(const std::string& dir);

}  // namespace logvault::storage
