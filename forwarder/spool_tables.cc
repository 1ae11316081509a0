#include "forwarder/spool_tables.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace logvault::forwarder {

namespace {

// At once: a file has all tables or none.
constexpr const char* kSchema = R"sql(
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS item(
    id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL, kind INTEGER NOT NULL,
    source TEXT NOT NULL, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, bytes INTEGER NOT NULL, header BLOB NOT NULL, payload BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS item_by_state ON item(state, id, bytes);
  CREATE TABLE IF NOT EXISTS stream(
    source TEXT PRIMARY KEY, next_seq INTEGER NOT NULL, head_hash BLOB NOT NULL,
    acked_seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS position(
    source TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(source, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS older_note(id INTEGER PRIMARY KEY AUTOINCREMENT, note BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS owed(id INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);
  COMMIT;
)sql";

// 2 MiB of page cache; the WAL is folded back every 4 MiB and never kept larger.
constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-2048; "
    "PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=4194304; PRAGMA temp_store=MEMORY;";

constexpr const char* kFillSettings =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-2048;";

// Which no version of a spool lacked.
constexpr std::array kTablesFromTheFirst = {"item", "meta", "position", "stream"};

// Type, name, table and text of each table and index.
using SchemaRow = std::array<std::string, 4>;

Result<std::set<SchemaRow>> SchemaOf(Database& db) {
  std::set<SchemaRow> schema;
  LV_RETURN_IF_ERROR(ForEachRow(
      db, "SELECT type, name, tbl_name, sql FROM sqlite_schema", [&schema](const Statement& row) {
        schema.insert({row.Text(0), row.Text(1), row.Text(2), row.Text(3)});
      }));
  return schema;
}

}  // namespace

bool IsSpoolHeader(std::string_view header) {
  using std::string_view_literals::operator""sv;
  constexpr std::array kOurs = {"SQLite format 3\0\x10\0\2\2\0\x40\x20\x20"sv, "\0\0\0\4"sv,
                                "\0\0\0\1"sv};
  static_assert(kOurs[0].size() == kSpoolFormat[0].second);
  if (header.size() < kSpoolHeaderBytes) return false;
  // A first start makes the file, then one with a log, then its tables, which stand in the log at first.
  constexpr std::array kBefore = {"SQLite format 3\0\x10\0\1\1\0\x40\x20\x20"sv, "\0\0\0\0"sv,
                                  "\0\0\0\0"sv};
  for (std::size_t i = 0; i < kOurs.size(); ++i) {
    const std::string_view there = header.substr(kSpoolFormat[i].first, kSpoolFormat[i].second);
    if (there != kOurs[i] && there != kBefore[i]) return false;
  }
  return true;
}

Result<bool> HasSpoolSchema(Database& db) {
  Result<Database> sample = Database::Open(":memory:");
  if (!sample.ok()) return sample.status();
  LV_RETURN_IF_ERROR(sample->Execute(kSchema));
  Result<std::set<SchemaRow>> ours = SchemaOf(*sample);
  if (!ours.ok()) return ours.status();
  Result<std::set<SchemaRow>> there = SchemaOf(db);
  if (!there.ok()) return there.status();
  std::set<std::string> names;
  for (const SchemaRow& row : *there) names.insert(row[1]);
  const bool usable = std::all_of(kTablesFromTheFirst.begin(), kTablesFromTheFirst.end(),
                                  [&names](const char* name) { return names.contains(name); });
  return usable && std::includes(ours->begin(), ours->end(), there->begin(), there->end());
}

std::uint64_t BytesOf(const SpooledItem& item) { return item.header.size() + item.payload.size(); }

SpooledItem ReadItem(const Statement& row) {
  SpooledItem item;
  item.id = row.Int(0);
  item.kind = static_cast<ItemKind>(row.Int(1));
  item.source = row.Text(2);
  item.epoch = static_cast<std::uint64_t>(row.Int(3));
  item.first_seq = static_cast<std::uint64_t>(row.Int(4));
  item.last_seq = static_cast<std::uint64_t>(row.Int(5));
  item.header = row.Blob(6);
  item.payload = row.Blob(7);
  item.size = BytesOf(item);
  return item;
}

Result<SpoolTables> SpoolTables::Open(const std::string& path) {
  Result<Database> db = Database::Open(path);
  if (!db.ok()) return db.status();
  LV_RETURN_IF_ERROR(db->Execute(kSettings));
  LV_RETURN_IF_ERROR(db->Execute(kSchema));
  return SpoolTables(*std::move(db));
}

Result<SpoolTables> SpoolTables::OpenToFill(const std::string& path) {
  Result<Database> db = Database::Open(path);
  if (!db.ok()) return db.status();
  LV_RETURN_IF_ERROR(db->Execute(kFillSettings));
  LV_RETURN_IF_ERROR(db->Execute(kSchema));
  return SpoolTables(*std::move(db));
}

Result<Statement*> SpoolTables::Sql(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found != statements_.end()) {
    found->second.Reset();
    return &found->second;
  }
  Result<Statement> statement = db_.Prepare(sql);
  if (!statement.ok()) return statement.status();
  return &statements_.emplace(std::string(sql), *std::move(statement)).first->second;
}

Status SpoolTables::InsertAs(const SpooledItem& item, ItemState state) {
  Result<Statement*> insert = Sql(
      "INSERT INTO item(state, kind, source, epoch, first_seq, last_seq, bytes, header, payload) "
      "VALUES(?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!insert.ok()) return insert.status();
  (*insert)->Bind(1, static_cast<int>(item.kind)).BindText(2, item.source);
  (*insert)->Bind(3, static_cast<std::int64_t>(item.epoch));
  (*insert)->Bind(4, static_cast<std::int64_t>(item.first_seq));
  (*insert)
      ->Bind(5, static_cast<std::int64_t>(item.last_seq))
      .Bind(6, static_cast<std::int64_t>(BytesOf(item)));
  (*insert)->BindBlob(7, item.header).BindBlob(8, item.payload).Bind(9, static_cast<int>(state));
  LV_RETURN_IF_ERROR((*insert)->Run());
  if (item.kind != ItemKind::kRegistration) return Status::Ok();
  return WriteMeta("last_epoch", std::to_string(item.epoch));
}

Status SpoolTables::WriteBatch(const SpooledBatch& batch) {
  LV_RETURN_IF_ERROR(Insert(batch.item));
  for (const evidence::PositionEntry& entry : batch.position) {
    LV_RETURN_IF_ERROR(WritePosition(batch.item.source, entry));
  }
  return WriteHead(batch.item.source, batch.item.last_seq + 1, batch.head_hash);
}

Status SpoolTables::WriteHead(const std::string& source, std::uint64_t next_seq,
                              const evidence::Hash& head) {
  Result<Statement*> write =
      Sql("INSERT INTO stream(source, next_seq, head_hash, acked_seq) VALUES(?1, ?2, ?3, 0) "
          "ON CONFLICT(source) DO UPDATE SET next_seq=?2, head_hash=?3");
  if (!write.ok()) return write.status();
  (*write)
      ->BindText(1, source)
      .Bind(2, static_cast<std::int64_t>(next_seq))
      .BindBlob(3, head.view());
  return (*write)->Run();
}

Status SpoolTables::WritePosition(const std::string& source, const evidence::PositionEntry& entry) {
  Result<Statement*> write =
      entry.value.empty() ? Sql("DELETE FROM position WHERE source=?1 AND key=?2")
                          : Sql("INSERT INTO position(source, key, value) VALUES(?1, ?2, ?3) "
                                "ON CONFLICT(source, key) DO UPDATE SET value=?3");
  if (!write.ok()) return write.status();
  (*write)->BindText(1, source).BindBlob(2, entry.key);
  if (!entry.value.empty()) (*write)->BindBlob(3, entry.value);
  return (*write)->Run();
}

Status SpoolTables::WriteOwed(std::string_view record) {
  Result<Statement*> write = Sql("INSERT INTO owed(record) VALUES(?1)");
  if (!write.ok()) return write.status();
  return (*write)->BindText(1, record).Run();
}

Status SpoolTables::WriteAcked(const std::string& source, std::uint64_t acked_seq) {
  Result<Statement*> write = Sql("UPDATE stream SET acked_seq=?2 WHERE source=?1");
  if (!write.ok()) return write.status();
  return (*write)->BindText(1, source).Bind(2, static_cast<std::int64_t>(acked_seq)).Run();
}

Status SpoolTables::WriteOlderNote(std::string_view note) {
  Result<Statement*> write = Sql("INSERT INTO older_note(note) VALUES(?1)");
  if (!write.ok()) return write.status();
  return (*write)->BindBlob(1, note).Run();
}

Status SpoolTables::WriteMeta(std::string_view key, std::string_view value) {
  Result<Statement*> write =
      Sql("INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value=?2");
  if (!write.ok()) return write.status();
  return (*write)->BindText(1, key).BindBlob(2, value).Run();
}

Result<std::string> SpoolTables::ReadMeta(std::string_view key) {
  Result<Statement*> read = Sql("SELECT value FROM meta WHERE key=?1");
  if (!read.ok()) return read.status();
  Result<bool> row = (*read)->BindText(1, key).Step();
  if (!row.ok()) return row.status();
  std::string value = *row ? (*read)->Blob(0) : std::string();
  (*read)->Reset();
  return value;
}

Result<std::map<std::string, std::string>> SpoolTables::ReadMetaUnder(std::string_view prefix) {
  Result<Statement*> read =
      Sql("SELECT key, value FROM meta WHERE substr(key, 1, length(?1))=?1 ORDER BY key");
  if (!read.ok()) return read.status();
  (*read)->BindText(1, prefix);
  std::map<std::string, std::string> found;
  while (true) {
    Result<bool> row = (*read)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    found.emplace((*read)->Text(0).substr(prefix.size()), (*read)->Blob(1));
  }
  (*read)->Reset();
  return found;
}

Status SpoolTables::RemoveMetaUnder(std::string_view prefix) {
  Result<Statement*> remove = Sql("DELETE FROM meta WHERE substr(key, 1, length(?1))=?1");
  if (!remove.ok()) return remove.status();
  return (*remove)->BindText(1, prefix).Run();
}

Result<std::uint64_t> SpoolTables::UnusedBytes() {
  Result<Statement*> unused =
      Sql("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size");
  if (!unused.ok()) return unused.status();
  Result<bool> row = (*unused)->Step();
  if (!row.ok()) return row.status();
  const auto bytes = static_cast<std::uint64_t>((*unused)->Int(0));
  (*unused)->Reset();
  return bytes;
}

Status SpoolTables::FoldLog() { return db_.Execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

std::shared_ptr<const evidence::Dictionary> SoundDictionary(std::string_view hash,
                                                            std::string_view bytes) {
  if (evidence::Sha256(bytes).Hex() != hash) return nullptr;
  Result<std::shared_ptr<const evidence::Dictionary>> dictionary =
      evidence::Dictionary::Parse(bytes);
  return dictionary.ok() ? *std::move(dictionary) : nullptr;
}

Status SpoolTables::Remove(std::int64_t id) {
  Result<Statement*> remove = Sql("DELETE FROM item WHERE id=?1");
  if (!remove.ok()) return remove.status();
  return (*remove)->Bind(1, id).Run();
}

Status SpoolTables::SetState(std::int64_t id, ItemState state) {
  Result<Statement*> mark = Sql("UPDATE item SET state=?2 WHERE id=?1");
  if (!mark.ok()) return mark.status();
  return (*mark)->Bind(1, id).Bind(2, static_cast<int>(state)).Run();
}

}  // namespace logvault::forwarder
