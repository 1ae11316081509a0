// The spool's tables, row by row: what stands where, and nothing about when.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"
#include "evidence/payload.h"
#include "forwarder/sqlite.h"

namespace logvault::forwarder {

enum class ItemKind { kRegistration = 1, kBatch = 2 };

struct SpooledItem {
  std::int64_t id = 0;
  ItemKind kind = ItemKind::kBatch;
  std::string source;  // empty for a registration
  std::uint64_t epoch = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  std::uint64_t size = 0;  // bytes, as read from the spool
  std::string header;      // a registration's KEY body
  std::string payload;     // a registration's box
  bool operator==(const SpooledItem&) const = default;
};

struct StreamHead {
  std::uint64_t next_seq = 1;
  evidence::Hash
      head_hash;  // LeafHash of the batch header before next_seq; zeros where there is none
  std::uint64_t acked_seq = 0;
  bool operator==(const StreamHead&) const = default;
};

struct SpooledBatch {
  SpooledItem item;
  evidence::Hash head_hash;  // of the stream once this batch is its last
  std::vector<evidence::PositionEntry> position;
};

// Something the own stream must still say: written down in the transaction that caused it.
struct OwedRecord {
  std::int64_t id = 0;
  std::string json;
};

// An item's `state` in the table.
enum class ItemState { kWaiting = 0, kAcknowledged = 1, kSetAside = 2 };

// What the header of every spool says of its format, at its beginning (begin, size; sqlite.org/fileformat2.html, section 1.3): name,
// page size, versions, fractions; schema format; text encoding.
inline constexpr std::array<std::pair<std::size_t, std::size_t>, 3> kSpoolFormat = {
    {{0, 24}, {44, 4}, {56, 4}}};
inline constexpr std::size_t kSpoolHeaderBytes = 100;
// Whether these are the first kSpoolHeaderBytes of a spool.
bool IsSpoolHeader(std::string_view header);

// Whether what `db` says of its tables is what this program says of them: one flipped bit there makes another table, or
// another column, that SQLite finds nothing wrong with.  An older spool may have fewer.
Result<bool> HasSpoolSchema(Database& db);

// Not for several threads.  Statements are prepared once.
class SpoolTables {
 public:
  static Result<SpoolTables> Open(const std::string& path);
  // For a file that nobody needs before it is complete: without a log, and whoever fills it syncs it.
  static Result<SpoolTables> OpenToFill(const std::string& path);

  Result<Transaction> Begin() { return Transaction::Begin(db_); }
  // A statement, reset and ready to bind; stays valid as long as the tables.
  Result<Statement*> Sql(std::string_view sql);

  // As kWaiting, behind everything else.
  Status Insert(const SpooledItem& item) { return InsertAs(item, ItemState::kWaiting); }
  Status InsertAs(const SpooledItem& item, ItemState state);
  Status Remove(std::int64_t id);
  Status SetState(std::int64_t id, ItemState state);
  // The item, its stream's head and the position after it.
  Status WriteBatch(const SpooledBatch& batch);
  Status WriteHead(const std::string& source, std::uint64_t next_seq, const evidence::Hash& head);
  Status WriteAcked(const std::string& source, std::uint64_t acked_seq);
  Status WritePosition(const std::string& source, const evidence::PositionEntry& entry);
  Status WriteOwed(std::string_view record);
  Status WriteOlderNote(std::string_view note);
  Status WriteMeta(std::string_view key, std::string_view value);
  // Empty where it was never written.
  Result<std::string> ReadMeta(std::string_view key);
  // What stands under keys that begin with `prefix`, by the rest of the key.
  Result<std::map<std::string, std::string>> ReadMetaUnder(std::string_view prefix);
  Status RemoveMetaUnder(std::string_view prefix);

  // Bytes of the file that nothing stands in: they are used before it grows.
  Result<std::uint64_t> UnusedBytes();
  // Folds the write-ahead log back and cuts it off, as far as the disk has room for that.
  Status FoldLog();

 private:
  explicit SpoolTables(Database db) : db_(std::move(db)) {}

  Database db_;
  std::map<std::string, Statement, std::less<>> statements_;  // gone before db_ closes
};

// What an item counts against the spool's bounds.
std::uint64_t BytesOf(const SpooledItem& item);

// Keys of `meta`: the bytes of a dictionary, by their SHA-256 in hexadecimal; that, by the format that it is in force for.
inline constexpr std::string_view kDictionaryKeys = "dictionary/";
inline constexpr std::string_view kInForceKeys = "in_force/";

// nullptr where `bytes` are not those of `hash`: a page of the spool is damaged and SQLite does not see it.
std::shared_ptr<const evidence::Dictionary> SoundDictionary(std::string_view hash,
                                                            std::string_view bytes);

// The columns that ReadItem reads, for a SELECT.
inline constexpr std::string_view kItemColumns =
    "id, kind, source, epoch, first_seq, last_seq, header, payload";
SpooledItem ReadItem(const Statement& row);

}  // namespace logvault::forwarder
