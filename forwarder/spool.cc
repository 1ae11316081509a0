#include "forwarder/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/crash_point.h"
#include "evidence/batch.h"
#include "forwarder/spool_check.h"

namespace logvault::forwarder {

namespace {

Result<int> LockFolder(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return FailedPrecondition("spool folder " + dir + ": " + error.message());
  std::string path = dir + "/spool.lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return FailedPrecondition(path + ": " + std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return FailedPrecondition("spool " + dir + " is in use by another process");
}

std::string DroppedRecord(const std::string& source, std::uint64_t first_seq,
                          std::uint64_t last_seq) {
  return nlohmann::json{{"type", "gap"},          {"source", source},
                        {"first_seq", first_seq}, {"last_seq", last_seq},
                        {"exact", true},          {"reason", "spool full: oldest batch dropped"}}
      .dump();
}

// SQLite syncs what is in its file, not that the file is there.
Status SyncFolder(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return synced ? Status::Ok() : Unavailable(dir + ": " + std::strerror(error));
}

// Nothing where the spool is sound, or is not there yet.
Result<std::optional<SalvageReport>> SalvageIfDamaged(const SpoolOptions& options,
                                                      const std::string& host) {
  const std::optional<SalvageReport> nothing;
  LV_RETURN_IF_ERROR(FinishSalvage(options.dir));
  const std::string path = SpoolFile(options.dir);
  if (!std::filesystem::exists(path)) return nothing;
  // Left by a first start that was cut short; only who may write can undo that.
  if (std::filesystem::exists(path + "-journal"))
    LV_RETURN_IF_ERROR(SpoolTables::Open(path).status());
  Result<SpoolFaults> faults = FindFaults(path, CheckScope::kWaiting);
  if (!faults.ok()) return faults.status();
  if (faults->found.empty()) return nothing;
  Result<SalvageReport> salvaged =
      Salvage(options.dir, host, options.vault_key, std::move(faults->found));
  if (!salvaged.ok()) return salvaged.status();
  return std::optional<SalvageReport>(*std::move(salvaged));
}

}  // namespace

Spool::Spool(SpoolOptions options, int lock_fd, SpoolTables tables)
    : options_(std::move(options)), lock_fd_(lock_fd), tables_(std::move(tables)) {}

Spool::~Spool() { ::close(lock_fd_); }

Result<std::unique_ptr<Spool>> Spool::Open(const SpoolOptions& options, std::string_view host) {
  Result<int> lock_fd = LockFolder(options.dir);
  if (!lock_fd.ok()) return lock_fd.status();
  Result<std::optional<SalvageReport>> salvaged = SalvageIfDamaged(options, std::string(host));
  Result<SpoolTables> tables = salvaged.ok() ? SpoolTables::Open(SpoolFile(options.dir))
                                             : Result<SpoolTables>(salvaged.status());
  if (!tables.ok()) {
    ::close(*lock_fd);
    return tables.status().WithContext(options.dir);
  }
  std::unique_ptr<Spool> spool(new Spool(options, *lock_fd, *std::move(tables)));
  LV_RETURN_IF_ERROR(SyncFolder(options.dir));
  spool->salvaged_ = *std::move(salvaged);
  if (Status owner = spool->CheckOwner(host); !owner.ok()) return owner.WithContext(options.dir);
  return spool;
}

Status Spool::CheckOwner(std::string_view host) {
  MutexLock lock(mutex_);
  Result<std::string> owner = tables_.ReadMeta("host");
  if (!owner.ok()) return owner.status();
  if (owner->empty()) LV_RETURN_IF_ERROR(tables_.WriteMeta("host", host));
  if (!owner->empty() && *owner != host) {
    return FailedPrecondition("the spool is that of host " + *owner + ", the certificate is " +
                              std::string(host) + "'s");
  }
  LV_RETURN_IF_ERROR(LoadFigures());
  return options_.drop_oldest ? LoadSentThrough() : Status::Ok();
}

// The process before this one may have died while a request was under way: what it can have held counts as sent.
Status Spool::LoadSentThrough() {
  Result<Statement*> oldest =
      tables_.Sql("SELECT id, bytes FROM item WHERE state=0 ORDER BY id LIMIT ?1");
  if (!oldest.ok()) return oldest.status();
  (*oldest)->Bind(1, static_cast<std::int64_t>(kMaxRequestItems));
  std::uint64_t bytes = 0;
  while (true) {
    Result<bool> row = (*oldest)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    bytes += static_cast<std::uint64_t>((*oldest)->Int(1));
    if (sent_through_ > 0 && bytes > RequestBytesMax(kMaxRequestBytesEver)) break;
    sent_through_ = (*oldest)->Int(0);
  }
  (*oldest)->Reset();
  return Status::Ok();
}

Status Spool::LoadFigures() {
  Result<Statement*> sums =
      tables_.Sql("SELECT state, COUNT(*), SUM(bytes) FROM item GROUP BY state");
  if (!sums.ok()) return sums.status();
  SpoolFigures figures;
  while (true) {
    Result<bool> row = (*sums)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    std::uint64_t bytes = static_cast<std::uint64_t>((*sums)->Int(2));
    if ((*sums)->Int(0) == static_cast<int>(ItemState::kWaiting)) {
      figures.pending_items = static_cast<std::uint64_t>((*sums)->Int(1));
      figures.pending_bytes = bytes;
    } else {
      figures.kept_bytes += bytes;
    }
  }
  (*sums)->Reset();
  figures_ = figures;
  return Status::Ok();
}

Status Spool::Append(const SpoolCommit& commit) {
  MutexLock lock(mutex_);
  Status appended = TryAppend(commit);
  // A log that is folded back takes no room; it can be, where pages were freed.
  if (appended.code() == StatusCode::kResourceExhausted) (void)tables_.FoldLog();
  return appended;
}

Status Spool::TryAppend(const SpoolCommit& commit) {
  SpoolFigures figures = figures_;
  std::uint64_t bytes = commit.registration.has_value() ? BytesOf(*commit.registration) : 0;
  for (const SpooledBatch& batch : commit.batches) bytes += BytesOf(batch.item);
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  LV_RETURN_IF_ERROR(MakeRoom(commit, bytes, figures));
  if (commit.registration.has_value()) LV_RETURN_IF_ERROR(tables_.Insert(*commit.registration));
  for (const SpooledBatch& batch : commit.batches) LV_RETURN_IF_ERROR(tables_.WriteBatch(batch));
  for (std::int64_t id : commit.settled) {
    Result<Statement*> settle = tables_.Sql("DELETE FROM owed WHERE id=?1");
    if (!settle.ok()) return settle.status();
    LV_RETURN_IF_ERROR((*settle)->Bind(1, id).Run());
  }
  LV_CRASH_POINT("spool.append");
  LV_RETURN_IF_ERROR(transaction->Commit());
  LV_CRASH_POINT("spool.append.committed");
  figures.pending_bytes += bytes;
  figures.pending_items += commit.batches.size() + (commit.registration.has_value() ? 1 : 0);
  figures_ = figures;
  return Status::Ok();
}

Status Spool::MakeRoom(const SpoolCommit& commit, std::uint64_t bytes, SpoolFigures& figures) {
  bool only_own = true;
  for (const SpooledBatch& batch : commit.batches)
    only_own = only_own && batch.item.source == kOwnSource;
  Result<std::uint64_t> room = RoomOnDisk();
  if (!room.ok()) return room.status();
  if (*room < bytes) {
    const std::uint64_t kept = figures.kept_bytes;
    const std::uint64_t missing = bytes - *room;
    LV_RETURN_IF_ERROR(
        PruneKept(kept > missing ? kept - missing : 0, ItemState::kAcknowledged, figures));
    *room += kept - figures.kept_bytes;
  }
  const bool disk_is_short = figures.pending_bytes + *room < options_.max_bytes;
  std::uint64_t limit = disk_is_short ? figures.pending_bytes + *room : options_.max_bytes;
  if (only_own) limit += kOwnReserveBytes;
  // A batch larger than the whole spool still enters an empty one: otherwise it could never be shipped.
  if (figures.pending_bytes + bytes <= limit || figures.pending_items == 0) return Status::Ok();
  if (options_.drop_oldest) return DropOldest(bytes, limit, figures);
  return ResourceExhausted(disk_is_short ? "spool: its disk is full but for a reserve"
                                         : "spool full");
}

// What may be added to the spool: unused in its file, or free on its disk beyond the reserve.
Result<std::uint64_t> Spool::RoomOnDisk() {
  Result<std::uint64_t> unused = tables_.UnusedBytes();
  if (!unused.ok()) return unused.status();
  std::error_code error;
  const std::filesystem::space_info disk = std::filesystem::space(options_.dir, error);
  if (error) return Unavailable(options_.dir + ": " + error.message());
  const std::uint64_t free =
      disk.available > kDiskReserveBytes ? disk.available - kDiskReserveBytes : 0;
  return *unused + free;
}

Status Spool::DropOldest(std::uint64_t bytes, std::uint64_t limit, SpoolFigures& figures) {
  while (figures.pending_items > 0 && figures.pending_bytes + bytes > limit) {
    Result<Statement*> oldest = tables_.Sql(
        "SELECT id, source, first_seq, last_seq, bytes FROM item "
        "WHERE state=0 AND kind=2 AND source<>'logvault' AND id>?1 ORDER BY id LIMIT 1");
    if (!oldest.ok()) return oldest.status();
    Result<bool> row = (*oldest)->Bind(1, sent_through_).Step();
    if (!row.ok()) return row.status();
    if (!*row) return RoomWithoutDropping();
    std::int64_t id = (*oldest)->Int(0);
    std::string record =
        DroppedRecord((*oldest)->Text(1), static_cast<std::uint64_t>((*oldest)->Int(2)),
                      static_cast<std::uint64_t>((*oldest)->Int(3)));
    std::uint64_t freed = static_cast<std::uint64_t>((*oldest)->Int(4));
    (*oldest)->Reset();
    LV_RETURN_IF_ERROR(tables_.Remove(id));
    LV_RETURN_IF_ERROR(tables_.WriteOwed(record));
    figures.pending_bytes -= freed;
    --figures.pending_items;
  }
  return Status::Ok();
}

// Nothing is left to drop: what is sent must be answered first.  The own stream alone has its reserve.
Status Spool::RoomWithoutDropping() {
  Result<Statement*> sent = tables_.Sql(
      "SELECT 1 FROM item WHERE state=0 AND kind=2 AND source<>'logvault' AND id<=?1 LIMIT 1");
  if (!sent.ok()) return sent.status();
  Result<bool> any = (*sent)->Bind(1, sent_through_).Step();
  if (!any.ok()) return any.status();
  (*sent)->Reset();
  return *any ? ResourceExhausted("spool full of what the vault may have") : Status::Ok();
}

std::uint64_t Spool::RequestBytesMax(std::uint64_t wanted) const {
  return options_.drop_oldest ? std::min(wanted, options_.max_bytes / 2) : wanted;
}

Result<std::vector<SpooledItem>> Spool::Oldest(std::size_t max_bytes, std::size_t max_items) {
  MutexLock lock(mutex_);
  const std::uint64_t most = RequestBytesMax(max_bytes);
  // The size stands before the blobs: the item that is too much is not read from the disk.
  static const std::string kSelect = "SELECT " + std::string(kItemColumns) +
                                     ", bytes FROM item WHERE state=0 ORDER BY id LIMIT ?1";
  Result<Statement*> select = tables_.Sql(kSelect);
  if (!select.ok()) return select.status();
  (*select)->Bind(1, static_cast<std::int64_t>(max_items));
  std::vector<SpooledItem> items;
  std::uint64_t bytes = 0;
  while (true) {
    Result<bool> row = (*select)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    bytes += static_cast<std::uint64_t>((*select)->Int(8));
    if (!items.empty() && bytes > most) break;
    items.push_back(ReadItem(**select));
  }
  (*select)->Reset();
  if (!items.empty()) sent_through_ = std::max(sent_through_, items.back().id);
  return items;
}

Status Spool::Acknowledge(const std::vector<std::int64_t>& ids, std::string_view note) {
  MutexLock lock(mutex_);
  SpoolFigures figures = figures_;
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  for (std::int64_t id : ids) LV_RETURN_IF_ERROR(MarkAcknowledged(id, figures));
  LV_RETURN_IF_ERROR(PruneKept(options_.keep_acked_bytes, ItemState::kSetAside, figures));
  LV_RETURN_IF_ERROR(tables_.WriteMeta("note", note));
  LV_CRASH_POINT("spool.acknowledge");
  LV_RETURN_IF_ERROR(transaction->Commit());
  LV_CRASH_POINT("spool.acknowledge.committed");
  figures_ = figures;
  return Status::Ok();
}

Status Spool::MarkAcknowledged(std::int64_t id, SpoolFigures& figures) {
  Result<Statement*> item =
      tables_.Sql("SELECT source, last_seq, bytes FROM item WHERE id=?1 AND state=0");
  if (!item.ok()) return item.status();
  Result<bool> row = (*item)->Bind(1, id).Step();
  if (!row.ok()) return row.status();
  if (!*row) return Status::Ok();  // It does not wait any more.
  std::string source = (*item)->Text(0);
  std::int64_t last_seq = (*item)->Int(1);
  std::uint64_t bytes = static_cast<std::uint64_t>((*item)->Int(2));
  (*item)->Reset();
  LV_RETURN_IF_ERROR(tables_.SetState(id, ItemState::kAcknowledged));
  figures.pending_bytes -= bytes;
  --figures.pending_items;
  figures.kept_bytes += bytes;
  Result<Statement*> stream =
      tables_.Sql("UPDATE stream SET acked_seq=MAX(acked_seq, ?2) WHERE source=?1");
  if (!stream.ok()) return stream.status();
  return (*stream)->BindText(1, source).Bind(2, last_seq).Run();
}

// Acknowledged items go before those set aside, which exist nowhere else; these only where they are `last`.
Status Spool::PruneKept(std::uint64_t limit, ItemState last, SpoolFigures& figures) {
  while (figures.kept_bytes > limit) {
    Result<Statement*> oldest = tables_.Sql(
        "SELECT id, bytes FROM item WHERE state BETWEEN 1 AND ?1 ORDER BY state, id LIMIT 1");
    if (!oldest.ok()) return oldest.status();
    Result<bool> row = (*oldest)->Bind(1, static_cast<int>(last)).Step();
    if (!row.ok()) return row.status();
    if (!*row) return Status::Ok();
    std::int64_t id = (*oldest)->Int(0);
    figures.kept_bytes -= static_cast<std::uint64_t>((*oldest)->Int(1));
    (*oldest)->Reset();
    LV_RETURN_IF_ERROR(tables_.Remove(id));
  }
  return Status::Ok();
}

Status Spool::SetAside(std::int64_t id, std::string_view record) {
  MutexLock lock(mutex_);
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  LV_RETURN_IF_ERROR(tables_.SetState(id, ItemState::kSetAside));
  LV_RETURN_IF_ERROR(tables_.WriteOwed(record));
  LV_RETURN_IF_ERROR(transaction->Commit());
  return LoadFigures();
}

Status Spool::KeepOlderNote(std::string_view note) {
  MutexLock lock(mutex_);
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  Result<Statement*> insert = tables_.Sql("INSERT INTO older_note(note) VALUES(?1)");
  if (!insert.ok()) return insert.status();
  LV_RETURN_IF_ERROR((*insert)->BindBlob(1, note).Run());
  Result<Statement*> prune =
      tables_.Sql("DELETE FROM older_note WHERE id <= (SELECT MAX(id) FROM older_note) - ?1");
  if (!prune.ok()) return prune.status();
  LV_RETURN_IF_ERROR((*prune)->Bind(1, kOlderNotesKept).Run());
  return transaction->Commit();
}

Status Spool::GoOnFrom(std::string_view note) {
  MutexLock lock(mutex_);
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  for (const char* sql :
       {"INSERT INTO older_note(note) SELECT value FROM meta WHERE key IN ('note', "
        "'contradiction')",
        "DELETE FROM meta WHERE key IN ('contradiction', 'refused')",
        "UPDATE item SET state=0 WHERE state=1", "UPDATE stream SET acked_seq=0"}) {
    Result<Statement*> statement = tables_.Sql(sql);
    if (!statement.ok()) return statement.status();
    LV_RETURN_IF_ERROR((*statement)->Run());
  }
  LV_RETURN_IF_ERROR(tables_.WriteMeta("note", note));
  LV_RETURN_IF_ERROR(transaction->Commit());
  return LoadFigures();
}

Status Spool::KeepContradiction(std::string_view note) {
  MutexLock lock(mutex_);
  return tables_.WriteMeta("contradiction", note);
}

Status Spool::KeepRefused(std::string_view note) {
  MutexLock lock(mutex_);
  return tables_.WriteMeta("refused", note);
}

Status Spool::Adopt(const std::string& source, const StreamHead& head,
                    const std::vector<evidence::PositionEntry>& position) {
  MutexLock lock(mutex_);
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  LV_RETURN_IF_ERROR(tables_.WriteHead(source, head.next_seq, head.head_hash));
  Result<Statement*> acked = tables_.Sql("UPDATE stream SET acked_seq=?2 WHERE source=?1");
  if (!acked.ok()) return acked.status();
  (*acked)->BindText(1, source).Bind(2, static_cast<std::int64_t>(head.acked_seq));
  LV_RETURN_IF_ERROR((*acked)->Run());
  Result<Statement*> forget = tables_.Sql("DELETE FROM position WHERE source=?1");
  if (!forget.ok()) return forget.status();
  LV_RETURN_IF_ERROR((*forget)->BindText(1, source).Run());
  for (const evidence::PositionEntry& entry : position) {
    LV_RETURN_IF_ERROR(tables_.WritePosition(source, entry));
  }
  return transaction->Commit();
}

Status Spool::Reseal(const std::string& source, const std::optional<SpooledItem>& registration,
                     const ResealBatch& reseal) {
  MutexLock lock(mutex_);
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  if (registration.has_value()) LV_RETURN_IF_ERROR(tables_.Insert(*registration));
  Result<std::int64_t> end = NewestId();
  if (!end.ok()) return end.status();
  static const std::string kSelect = "SELECT " + std::string(kItemColumns) +
                                     " FROM item WHERE state=0 AND kind=2 AND source=?1 AND id<=?2 "
                                     "ORDER BY id LIMIT 1";
  while (true) {
    Result<Statement*> select = tables_.Sql(kSelect);
    if (!select.ok()) return select.status();
    Result<bool> row = (*select)->BindText(1, source).Bind(2, *end).Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    SpooledItem item = ReadItem(**select);
    (*select)->Reset();
    Result<Resealed> fresh = reseal(item);
    if (!fresh.ok()) return fresh.status();
    LV_RETURN_IF_ERROR(Replace(item.id, *fresh));
  }
  LV_RETURN_IF_ERROR(transaction->Commit());
  return LoadFigures();
}

Status Spool::Replace(std::int64_t id, const Resealed& fresh) {
  if (!fresh.batch.has_value()) {
    LV_RETURN_IF_ERROR(tables_.SetState(id, ItemState::kSetAside));
    return tables_.WriteOwed(fresh.owed);
  }
  LV_RETURN_IF_ERROR(tables_.Remove(id));
  return tables_.WriteBatch(*fresh.batch);
}

Result<std::int64_t> Spool::NewestId() {
  Result<Statement*> newest = tables_.Sql("SELECT MAX(id) FROM item");
  if (!newest.ok()) return newest.status();
  Result<bool> row = (*newest)->Step();
  if (!row.ok()) return row.status();
  std::int64_t id = (*newest)->Int(0);
  (*newest)->Reset();
  return id;
}

Status Spool::Discard(std::int64_t id) {
  MutexLock lock(mutex_);
  LV_RETURN_IF_ERROR(tables_.Remove(id));
  return LoadFigures();
}

}  // namespace logvault::forwarder
