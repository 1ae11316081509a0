#include "forwarder/spool_status.h"

#include <filesystem>

#include "evidence/checkpoint.h"
#include "forwarder/spool_tables.h"
#include "forwarder/sqlite.h"

namespace logvault::forwarder {
namespace {

Status ReadItems(Database& db, SpoolStatus& status) {
  return ForEachRow(db, "SELECT state, COUNT(*), SUM(bytes) FROM item GROUP BY state",
                    [&](const Statement& row) {
                      const auto count = static_cast<std::uint64_t>(row.Int(1));
                      const auto bytes = static_cast<std::uint64_t>(row.Int(2));
                      const bool waiting = row.Int(0) == static_cast<int>(ItemState::kWaiting);
                      if (waiting) status.waiting_items = count;
                      (waiting ? status.waiting_bytes : status.kept_bytes) += bytes;
                      if (row.Int(0) == static_cast<int>(ItemState::kSetAside))
                        status.set_aside = count;
                    });
}

Status ReadStreams(Database& db, SpoolStatus& status) {
  return ForEachRow(
      db, "SELECT source, next_seq, acked_seq FROM stream ORDER BY source",
      [&](const Statement& row) {
        status.streams.push_back({row.Text(0), static_cast<std::uint64_t>(row.Int(1)) - 1,
                                  static_cast<std::uint64_t>(row.Int(2))});
      });
}

Status ReadNotes(Database& db, SpoolStatus& status) {
  LV_RETURN_IF_ERROR(ForEachRow(
      db, "SELECT key, value FROM meta WHERE key IN ('host', 'note', 'contradiction', 'refused')",
      [&](const Statement& row) {
        const std::string key = row.Text(0);
        (key == "host"            ? status.host
         : key == "note"          ? status.note
         : key == "contradiction" ? status.contradiction
                                  : status.refused) = row.Blob(1);
      }));
  return ForEachRow(db, "SELECT note FROM older_note ORDER BY id",
                    [&](const Statement& row) { status.older_notes.push_back(row.Blob(0)); });
}

}  // namespace

Result<SpoolStatus> ReadSpoolStatus(const std::string& dir) {
  const std::string path = dir + "/spool.sqlite";
  if (!std::filesystem::exists(path)) return NotFound("there is no spool in " + dir);
  Result<Database> db = Database::OpenReadOnly(path);
  if (!db.ok()) return db.status().WithContext(path);
  SpoolStatus status;
  Status read = ReadItems(*db, status);
  if (read.ok()) read = ReadStreams(*db, status);
  if (read.ok()) read = ReadNotes(*db, status);
  if (!read.ok()) return read.WithContext(path);
  return status;
}

bool HasProofOfFork(const SpoolStatus& status, const evidence::VerifierKey& vault_key) {
  return !status.contradiction.empty() &&
         evidence::OpenCheckpoint(status.contradiction, vault_key).ok();
}

bool HasRefused(const SpoolStatus& status, const evidence::VerifierKey& vault_key) {
  const auto is_foreign = [&vault_key](const std::string& note) {
    return !note.empty() && !evidence::OpenCheckpoint(note, vault_key).ok();
  };
  return is_foreign(status.contradiction) || is_foreign(status.refused);
}

std::string DescribeQueue(const SpoolStatus& status) {
  std::string text = "spool: " + std::to_string(status.waiting_items) + " items wait (" +
                     std::to_string(status.waiting_bytes) + " bytes), " +
                     std::to_string(status.kept_bytes) + " bytes kept, " +
                     std::to_string(status.set_aside) + " batches set aside\n";
  for (const SpoolStatus::Stream& stream : status.streams) {
    text += "source " + stream.source + ": sealed to record " + std::to_string(stream.last_seq) +
            ", in the vault to record " + std::to_string(stream.acked_seq) + "\n";
  }
  return text;
}

std::string Describe(const SpoolStatus& status, const evidence::VerifierKey& vault_key, bool all) {
  std::string text =
      "host " + status.host + ", vault " + vault_key.name + "\n" + DescribeQueue(status);
  if (HasProofOfFork(status, vault_key)) {
    text +=
        "FORK OR ROLLBACK: the vault signed this, which contradicts the newest checkpoint "
        "below:\n" +
        status.contradiction;  // a valid note has no control characters
  }
  if (HasRefused(status, vault_key))
    text += "REFUSED: something that is not signed by the vault's key answered in its place\n";
  text += std::to_string(status.older_notes.size()) + " older checkpoints are kept\n";
  if (all) {
    for (const std::string& note : status.older_notes) text += "\n" + note;
  }
  if (status.note.empty()) return text + "no checkpoint was verified yet\n";
  return text + "the newest checkpoint that was verified:\n\n" + status.note;
}

}  // namespace logvault::forwarder
