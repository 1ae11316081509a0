// The payload of a batch: its records as columns in one zstd frame.  Byte layout: docs/FORMAT.md, section
// "Payload"; this file and that section change together.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/status.h"
#include "evidence/dictionary.h"
#include "evidence/hash.h"

namespace logvault::evidence {

// Bits of a record's flags.
inline constexpr std::uint32_t kRecordContinues = 1;  // goes on where the record before was cut
inline constexpr std::uint32_t kRecordPartial = 2;    // ends without its terminator
inline constexpr std::uint32_t kRecordReread = 4;     // may have been sent before
inline constexpr std::uint32_t kRecordUtf16Le = 8;    // the bytes are UTF-16LE text

inline constexpr std::size_t kBatchKeySize = 32;
inline constexpr std::size_t kSaltSize = 16;
inline constexpr std::size_t kMaxRecordSize = 16 * 1024 * 1024;
// Raw bytes; a longer record stands alone.  Chosen in docs/adr/0016.
inline constexpr std::size_t kTargetBatchSize = 1024 * 1024;
inline constexpr std::uint32_t kMaxRecordsPerBatch = 65'536;
inline constexpr std::size_t kMaxPayloadSize =
    20 * 1024 * 1024;  // decompressed; a frame beyond is refused
inline constexpr std::size_t kMaxOriginSize = 4096;
inline constexpr std::uint8_t kPayloadVersion = 2;

struct RecordEnd;

// One record, its bytes and origin borrowed from whoever holds them.
struct RecordView {
  UnixNanos event_time = kNoTime;
  UnixNanos read_time = 0;
  std::uint32_t flags = 0;
  std::string_view origin;  // a file's path or a peer's address
  std::string_view bytes;   // as the source wrote them, terminator included
};

// An entry of the position after the batch: what the forwarder must know to read on, as keys and values that
// only the forwarder understands.  An empty value removes the key.
struct PositionEntry {
  std::string key;
  std::string value;
  bool operator==(const PositionEntry&) const = default;
};

// Collects records; Finish() turns them into a payload.  Reusable.  Not for several threads.
class PayloadBuilder {
 public:
  PayloadBuilder();
  ~PayloadBuilder();
  PayloadBuilder(const PayloadBuilder&) = delete;
  PayloadBuilder& operator=(const PayloadBuilder&) = delete;

  // Copies `record`.  REQUIRES: origin at most kMaxOriginSize, bytes at most kMaxRecordSize.
  void Add(const RecordView& record);

  [[nodiscard]] std::uint32_t record_count() const;
  [[nodiscard]] std::size_t raw_bytes() const;  // the blob's size
  [[nodiscard]] UnixNanos read_time_first() const;

  struct Sealed {
    std::string frame;  // zstd
    Hash payload_hash;
    Hash records_root;
    std::uint32_t record_count = 0;
    UnixNanos read_time_first = 0, read_time_last = 0;
    UnixNanos event_time_min = kNoTime, event_time_max = kNoTime;
  };
  // Ends the batch and empties the builder.  `first_seq` enters the record leaves; `batch_key` is 32 random
  // bytes.  `dictionary` may be nullptr; it is used where the batch is small and is smaller by it.  REQUIRES:
  // record_count() > 0.
  Sealed Finish(std::uint64_t first_seq, std::string_view batch_key,
                std::span<const PositionEntry> position, const Dictionary* dictionary = nullptr);

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

// A payload, decompressed and parsed; owns its bytes.
class Payload {
 public:
  // Decompresses within kMaxPayloadSize and checks that every column agrees with the count and the blob.
  // Does not check any hash: compare payload_hash with the frame's first.  kCorruption also where the frame names a
  // dictionary that is not among `dictionaries`.
  static Result<Payload> Parse(std::string_view frame, const Dictionaries& dictionaries);

  Payload(Payload&&) = default;
  Payload& operator=(Payload&&) = default;

  [[nodiscard]] std::uint32_t record_count() const {
    return static_cast<std::uint32_t>(rows_.size());
  }
  [[nodiscard]] RecordView record(std::uint32_t i) const;
  // All records' bytes, one after the other.
  [[nodiscard]] std::string_view blob() const { return blob_; }
  // Where record i begins in blob().
  [[nodiscard]] std::size_t offset(std::uint32_t i) const { return rows_[i].offset; }
  [[nodiscard]] std::string_view batch_key() const { return batch_key_; }
  [[nodiscard]] const std::vector<PositionEntry>& position() const { return position_; }

 private:
  struct Row {
    UnixNanos event_time;
    UnixNanos read_time;
    std::uint32_t flags;
    std::uint32_t origin;
    std::uint32_t offset;
    std::uint32_t size;
  };
  Payload() = default;
  Status ParseColumns(std::string_view bytes);
  Status CutBlob(std::span<const RecordEnd> ends);
  Status ParseFlags(ByteReader& reader);
  Status ParseOrigins(ByteReader& reader);
  Status ParsePosition(ByteReader& reader);

  std::unique_ptr<char[]> bytes_;  // decompressed; everything below points into it
  std::vector<Row> rows_;
  std::vector<std::string_view> origins_;
  std::string_view batch_key_;
  std::string_view blob_;
  std::vector<PositionEntry> position_;
};

// The salts of a batch's records: the AES-256-CTR keystream (IV 0) of the batch key, 16 bytes a record.
std::string RecordSalts(std::string_view batch_key, std::uint32_t record_count);

// SHA-256(0x00 || salt[16] || seq u64 || event_time i64 || read_time i64 || flags u32 ||
// origin (u16 length, bytes) || bytes).
Hash RecordLeaf(std::string_view salt, std::uint64_t seq, const RecordView& record);

// The leaves of every record of `payload`, whose first has number `first_seq`.
std::vector<Hash> RecordLeaves(const Payload& payload, std::uint64_t first_seq);

struct BatchHeader;
// Everything `header` says about its payload: hash of the frame (checked before it is decompressed), counts,
// times and record root.  Returns the parsed payload, or kCorruption naming the first statement that is not so.
Result<Payload> OpenPayload(const BatchHeader& header, std::string_view frame,
                            const Dictionaries& dictionaries);

}  // namespace logvault::evidence
