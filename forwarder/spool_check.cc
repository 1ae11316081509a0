#include "forwarder/spool_check.h"

#include <fstream>
#include <utility>

#include "evidence/batch.h"
#include "evidence/bodies.h"
#include "evidence/merkle.h"
#include "forwarder/spool_wal.h"

namespace logvault::forwarder {

namespace {

Status CheckBatch(const SpooledItem& item, std::string_view host) {
  Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(item.header);
  if (!header.ok()) return header.status();
  if (header->stream_id != evidence::StreamId(host, item.source) || header->epoch != item.epoch ||
      header->first_seq != item.first_seq || header->last_seq() != item.last_seq) {
    return Corruption("the header is another batch's");
  }
  if (evidence::Sha256(item.payload) != header->payload_hash)
    return Corruption("the payload is not the one that was sealed");
  return Status::Ok();
}

Status CheckRegistration(const SpooledItem& item, std::string_view host) {
  Result<evidence::KeyBody> body = evidence::KeyBody::Parse(item.header);
  if (!body.ok()) return body.status();
  const bool same = body->host == host && body->epoch == item.epoch &&
                    body->box_hash == evidence::Sha256(item.payload);
  return same ? Status::Ok() : Corruption("the registration and its box do not belong together");
}

std::string NameOf(const SpooledItem& item) {
  if (item.kind == ItemKind::kRegistration)
    return "item " + std::to_string(item.id) + " (registration of an epoch)";
  return "item " + std::to_string(item.id) + " (" + item.source + " " +
         std::to_string(item.first_seq) + "-" + std::to_string(item.last_seq) + ")";
}

// Of some flipped bits there SQLite says that it may not write, or that the file is of a version to come.
bool HasSoundHeader(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string header(kSpoolHeaderBytes, '\0');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  return file.gcount() == 0 || IsSpoolHeader(header);  // empty: a first start that was cut short
}

// One walk over an open file; what is wrong goes into `faults_`.
class Walk {
 public:
  Walk(Database& db, SpoolFaults& faults) : db_(db), faults_(faults) {}

  Status Run(CheckScope scope) {
    LV_RETURN_IF_ERROR(CheckPages());
    // A first start that was cut short: the next one goes on with it.
    bool empty = true;
    LV_RETURN_IF_ERROR(ForEachRow(db_, "SELECT 1 FROM sqlite_schema LIMIT 1",
                                  [&](const Statement&) { empty = false; }));
    if (empty) return Status::Ok();
    LV_RETURN_IF_ERROR(CheckSchema());
    Status host = ForEachRow(db_, "SELECT value FROM meta WHERE key='host'",
                             [&](const Statement& row) { host_ = row.Blob(0); });
    if (!host.ok()) return host;
    LV_RETURN_IF_ERROR(CheckItems(scope));
    return CheckHeads();
  }

 private:
  void Found(std::string fault) {
    if (faults_.found.size() < kMaxFaults) faults_.found.push_back(std::move(fault));
  }

  Status CheckPages() {
    return ForEachRow(db_, "PRAGMA quick_check(10)", [&](const Statement& row) {
      if (row.Text(0) != "ok") Found("pages: " + row.Text(0));
    });
  }

  Status CheckSchema() {
    Result<bool> ours = HasSpoolSchema(db_);
    if (!ours.ok()) return ours.status();
    return *ours ? Status::Ok() : Corruption("what the file says of its tables is damaged");
  }

  Status CheckItems(CheckScope scope) {
    const std::string where = scope == CheckScope::kWaiting ? " WHERE state=0" : "";
    return ForEachRow(db_,
                      "SELECT " + std::string(kItemColumns) + " FROM item" + where + " ORDER BY id",
                      [&](const Statement& row) {
                        const SpooledItem item = ReadItem(row);
                        ++faults_.items_checked;
                        if (Status good = CheckItem(item, host_); !good.ok())
                          Found(NameOf(item) + ": " + good.message());
                      });
  }

  // The newest batch that is here must be the stream's last, or one before.
  Status CheckHeads() {
    return ForEachRow(
        db_,
        "SELECT s.source, s.next_seq, s.head_hash, i.last_seq, i.header FROM stream s "
        "JOIN item i ON i.id = (SELECT MAX(id) FROM item WHERE kind=2 AND "
        "source=s.source)",
        [&](const Statement& row) {
          const std::int64_t next = row.Int(1), last = row.Int(3);
          const bool follows =
              next > last + 1 ||
              (next == last + 1 && row.Blob(2) == evidence::LeafHash(row.Blob(4)).view());
          if (!follows) Found("stream " + row.Text(0) + " does not end with its newest batch");
        });
  }

  Database& db_;
  SpoolFaults& faults_;
  std::string host_;
};

}  // namespace

std::string SpoolFile(const std::string& dir) { return dir + "/spool.sqlite"; }

Status CheckItem(const SpooledItem& item, std::string_view host) {
  switch (item.kind) {
    case ItemKind::kBatch:
      return CheckBatch(item, host);
    case ItemKind::kRegistration:
      return CheckRegistration(item, host);
  }
  return Corruption("neither a batch nor a registration");
}

Result<SpoolFaults> FindFaults(const std::string& path, CheckScope scope) {
  SpoolFaults faults;
  Result<SpoolWal> wal = ReadSpoolWal(path + "-wal");
  if (!wal.ok()) return wal.status();
  if (wal->damaged()) faults.found.push_back("the write-ahead log is damaged before its end");
  if (!HasSoundHeader(path)) {
    faults.found.push_back("the header of the file is damaged");
    return faults;
  }
  Result<Database> db = Database::OpenReadOnly(path);
  if (!db.ok()) return db.status();
  // One view of all tables, whatever a forwarder does meanwhile.
  Status walked = db->Execute("BEGIN");
  if (walked.ok()) walked = Walk(*db, faults).Run(scope);
  if (walked.code() == StatusCode::kCorruption) {
    faults.found.push_back(walked.message());
    return faults;
  }
  if (!walked.ok()) return walked;
  return faults;
}

}  // namespace logvault::forwarder
