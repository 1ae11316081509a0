#include "forwarder/spool_command.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include "forwarder/spool_check.h"
#include "forwarder/spool_status.h"

namespace logvault::forwarder {

namespace {

using config::ExitCode;

std::string_view StateName(ItemState state) {
  switch (state) {
    case ItemState::kWaiting:
      return "waiting";
    case ItemState::kAcknowledged:
      return "acknowledged";
    case ItemState::kSetAside:
      return "set aside";
  }
  return "unknown state";
}

std::string ItemLine(const Statement& row) {
  std::string line = "item " + std::to_string(row.Int(0)) + " " +
                     std::string(StateName(static_cast<ItemState>(row.Int(1)))) + ": ";
  line += row.Int(2) == static_cast<int>(ItemKind::kBatch)
              ? row.Text(3) + " " + std::to_string(row.Int(5)) + "-" + std::to_string(row.Int(6))
              : std::string("registration");
  return line + " epoch " + std::to_string(row.Int(4)) + ", " + std::to_string(row.Int(7)) +
         " bytes\n";
}

// Acknowledged items are only counted: they may be many, and the vault has them.
Result<std::string> ItemLines(const std::string& path) {
  Result<Database> db = Database::OpenReadOnly(path);
  if (!db.ok()) return db.status();
  std::string text;
  LV_RETURN_IF_ERROR(ForEachRow(*db,
                                "SELECT id, state, kind, source, epoch, first_seq, last_seq, bytes "
                                "FROM item WHERE state<>1 ORDER BY id",
                                [&](const Statement& row) { text += ItemLine(row); }));
  LV_RETURN_IF_ERROR(
      ForEachRow(*db, "SELECT record FROM owed ORDER BY id",
                 [&](const Statement& row) { text += "not said yet: " + row.Text(0) + "\n"; }));
  return text;
}

// Files that an earlier salvage put beside the spool.
std::string FilesAside(const std::string& dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with("spool.sqlite.damaged-")) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += "kept aside, damaged: " + name + "\n";
  return text;
}

SpoolAnswer Failure(const Status& failure) {
  const bool damaged = failure.code() == StatusCode::kCorruption;
  return {damaged ? ExitCode::kIntegrity : ExitCode::kUsage, "", failure.message()};
}

}  // namespace

SpoolAnswer InspectSpool(const std::string& dir) {
  Result<SpoolStatus> status = ReadSpoolStatus(dir);
  if (!status.ok()) return Failure(status.status());
  Result<std::string> items = ItemLines(SpoolFile(dir));
  if (!items.ok()) return Failure(items.status());
  return {ExitCode::kOk,
          "host " + status->host + "\n" + *items + DescribeQueue(*status) + FilesAside(dir), ""};
}

SpoolAnswer VerifySpool(const std::string& dir) {
  const std::string path = SpoolFile(dir);
  if (!std::filesystem::exists(path)) return Failure(NotFound("there is no spool in " + dir));
  Result<SpoolFaults> faults = FindFaults(path, CheckScope::kEverything);
  if (!faults.ok()) return Failure(faults.status().WithContext(path));
  SpoolAnswer answer;
  for (const std::string& fault : faults->found) answer.text += "damaged: " + fault + "\n";
  if (faults->found.empty())
    answer.text = std::to_string(faults->items_checked) + " items verified, no damage\n";
  answer.text += FilesAside(dir);
  if (faults->found.empty()) return answer;
  answer.code = ExitCode::kIntegrity;
  answer.trouble = "the spool in " + dir +
                   " is damaged; the next start of the forwarder keeps the "
                   "file aside and salvages what verifies";
  return answer;
}

}  // namespace logvault::forwarder
