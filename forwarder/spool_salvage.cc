#include "forwarder/spool_salvage.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/crash_point.h"
#include "evidence/checkpoint.h"
#include "forwarder/spool_check.h"
#include "forwarder/spool_flat.h"
#include "forwarder/spool_survivors.h"

namespace logvault::forwarder {

namespace {

namespace fs = std::filesystem;

Status Sync(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return synced ? Status::Ok() : Unavailable(path + ": " + std::strerror(error));
}

Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return Status::Ok();
  return Unavailable(from + ": " + std::strerror(errno));
}

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string FreeNameAside(const std::string& dir) {
  int number = 1;
  while (fs::exists(SpoolFile(dir) + ".damaged-" + std::to_string(number)) ||
         fs::exists(SpoolFile(dir) + ".damaged-" + std::to_string(number) + "-wal"))
    ++number;
  return "spool.sqlite.damaged-" + std::to_string(number);
}

// Fills the new file from the survivors.
class Writer {
 public:
  Writer(SpoolTables& tables, SalvageReport& report) : tables_(tables), report_(report) {}

  Status Take(const SpooledItem& item, ItemState state) {
    ++(state == ItemState::kWaiting ? report_.items : report_.kept);
    return tables_.InsertAs(item, state);
  }

  Status Finish(const Survivors& found, const std::string& host,
                const std::optional<evidence::VerifierKey>& vault_key) {
    LV_RETURN_IF_ERROR(WriteNotes(found, vault_key));
    for (const auto& [key, value] : found.meta) {
      const bool keep = key == "contradiction" || key == "refused" ||
                        key.starts_with("descriptor/") || key.starts_with(kDictionaryKeys) ||
                        key.starts_with(kInForceKeys);
      if (keep) LV_RETURN_IF_ERROR(tables_.WriteMeta(key, value));
    }
    LV_RETURN_IF_ERROR(tables_.WriteMeta("host", host));
    LV_RETURN_IF_ERROR(WriteLastEpoch(found));
    for (const std::string& record : found.owed) {
      if (nlohmann::json::accept(record)) LV_RETURN_IF_ERROR(tables_.WriteOwed(record));
    }
    for (const auto& [source, stream] : found.streams)
      LV_RETURN_IF_ERROR(WriteStream(source, stream));
    if (found.streams.empty()) LV_RETURN_IF_ERROR(OweUnknown(""));
    return tables_.WriteOwed(
        Dump({{"type", "warning"}, {"reason", report_.Sentence()}, {"faults", report_.faults}}));
  }

 private:
  // The newest that the vault signed; the others stay as what this host saw.
  Status WriteNotes(const Survivors& found, const std::optional<evidence::VerifierKey>& vault_key) {
    std::vector<std::string> notes = found.older_notes;
    for (const std::string& note : found.older_notes)
      LV_RETURN_IF_ERROR(tables_.WriteOlderNote(note));
    if (auto newest = found.meta.find("note"); newest != found.meta.end())
      notes.push_back(newest->second);
    std::uint64_t size = 0;
    std::string best;
    for (const std::string& note : notes) {
      if (!vault_key.has_value()) continue;
      Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(note, *vault_key);
      if (!checkpoint.ok() || checkpoint->size < size) continue;
      size = checkpoint->size;
      best = note;
    }
    return best.empty() ? Status::Ok() : tables_.WriteMeta("note", best);
  }

  // Registrations have written it already; an epoch must be newer than any before it.
  Status WriteLastEpoch(const Survivors& found) {
    auto kept = found.meta.find("last_epoch");
    if (kept == found.meta.end()) return Status::Ok();
    Result<std::string> here = tables_.ReadMeta("last_epoch");
    if (!here.ok()) return here.status();
    const std::uint64_t was = std::strtoull(kept->second.c_str(), nullptr, 10);
    if (was <= std::strtoull(here->c_str(), nullptr, 10)) return Status::Ok();
    return tables_.WriteMeta("last_epoch", std::to_string(was));
  }

  // A stream that nothing is known of is asked from the vault.
  Status WriteStream(const std::string& source, const SurvivingStream& stream) {
    if (!stream.known && !stream.has_batches) return OweUnknown(source);
    LV_RETURN_IF_ERROR(tables_.WriteHead(source, stream.head.next_seq, stream.head.head_hash));
    LV_RETURN_IF_ERROR(tables_.WriteAcked(source, stream.head.acked_seq));
    for (const auto& [key, value] : stream.position)
      LV_RETURN_IF_ERROR(tables_.WritePosition(source, {key, value}));
    for (const auto& [first, last] : MissingIn(stream)) {
      ++report_.gaps;
      LV_RETURN_IF_ERROR(tables_.WriteOwed(Dump({{"type", "gap"},
                                                 {"source", source},
                                                 {"first_seq", first},
                                                 {"last_seq", last},
                                                 {"exact", true},
                                                 {"reason", Reason()}})));
    }
    return stream.known ? Status::Ok() : OweUnknown(source);
  }

  Status OweUnknown(const std::string& source) {
    ++report_.gaps;
    nlohmann::json record = {{"type", "gap"},
                             {"exact", false},
                             {"reason", Reason() + "; what it held last is not known"}};
    if (!source.empty()) record["source"] = source;
    return tables_.WriteOwed(Dump(record));
  }

  std::string Reason() const {
    return "the spool was damaged and this could not be salvaged; the damaged file is kept as " +
           report_.kept_as;
  }

  SpoolTables& tables_;
  SalvageReport& report_;
};

Status BuildFrom(const std::string& dir, const std::string& host,
                 const std::optional<evidence::VerifierKey>& vault_key, SalvageReport& report) {
  const std::string fresh = dir + "/spool.salvage", flat = dir + "/spool.flat";
  fs::remove(fresh);
  { LV_RETURN_IF_ERROR(SpoolTables::OpenToFill(fresh).status()); }
  LV_RETURN_IF_ERROR(FlattenSpool(SpoolFile(dir), fresh, flat));
  Result<SpoolTables> tables = SpoolTables::OpenToFill(fresh);
  if (!tables.ok()) return tables.status();
  Result<Database> db = Database::OpenReadOnly(flat);
  if (!db.ok()) return db.status();
  Result<Transaction> transaction = tables->Begin();
  if (!transaction.ok()) return transaction.status();
  Writer writer(*tables, report);
  Result<Survivors> found = ReadSurvivors(*db, host, [&](const SpooledItem& item, ItemState state) {
    return writer.Take(item, state);
  });
  if (!found.ok()) return found.status();
  LV_RETURN_IF_ERROR(writer.Finish(*found, host, vault_key));
  return transaction->Commit();
}

}  // namespace

std::string SalvageReport::Sentence() const {
  return "the spool was damaged: " + std::to_string(items) + " waiting items were salvaged, " +
         std::to_string(gaps) + " gaps are recorded; the damaged file is kept as " + kept_as;
}

Status FinishSalvage(const std::string& dir) {
  const std::string spool = SpoolFile(dir), salvaged = dir + "/spool.salvaged";
  std::error_code error;
  if (!fs::exists(salvaged, error)) return Status::Ok();
  // The damaged file did not move yet: it is salvaged again.
  if (fs::exists(spool, error)) {
    fs::remove(salvaged, error);
    return Status::Ok();
  }
  // Its log would be taken for the new file's.
  if (fs::exists(spool + "-wal", error))
    LV_RETURN_IF_ERROR(Rename(spool + "-wal", dir + "/" + FreeNameAside(dir) + "-wal"));
  fs::remove(spool + "-shm", error);
  LV_RETURN_IF_ERROR(Rename(salvaged, spool));
  return Sync(dir);
}

Result<SalvageReport> Salvage(const std::string& dir, const std::string& host,
                              const std::optional<evidence::VerifierKey>& vault_key,
                              std::vector<std::string> faults) {
  SalvageReport report;
  report.faults = std::move(faults);
  report.kept_as = FreeNameAside(dir);
  Status built = BuildFrom(dir, host, vault_key, report);
  std::error_code error;
  fs::remove(dir + "/spool.flat", error);
  if (!built.ok()) return built.WithContext("salvaging the spool");
  LV_CRASH_POINT("salvage.filled");
  LV_RETURN_IF_ERROR(Sync(dir + "/spool.salvage"));
  LV_RETURN_IF_ERROR(Rename(dir + "/spool.salvage", dir + "/spool.salvaged"));
  LV_RETURN_IF_ERROR(Sync(dir));
  LV_CRASH_POINT("salvage.ready");
  LV_RETURN_IF_ERROR(Rename(SpoolFile(dir), dir + "/" + report.kept_as));
  LV_CRASH_POINT("salvage.aside");
  if (fs::exists(SpoolFile(dir) + "-wal", error))
    LV_RETURN_IF_ERROR(Rename(SpoolFile(dir) + "-wal", dir + "/" + report.kept_as + "-wal"));
  LV_CRASH_POINT("salvage.log_aside");
  LV_RETURN_IF_ERROR(FinishSalvage(dir));
  return report;
}

}  // namespace logvault::forwarder
