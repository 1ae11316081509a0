// ExportReport: report.html, the export for people: what was asked, by whom, what is there, and the first records.  A
// function of the manifest's statements and the records, so that whoever checks an export makes it again.  Log text is
// hostile: every byte of it is escaped, and the page carries no script and asks for nothing from anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/export_manifest.h"
#include "evidence/export_lines.h"

namespace logvault::cli {

inline constexpr std::uint64_t kMaxReportedRecords = 1000;

class ExportReport {
 public:
  // The records in the order of records.jsonl.
  void Add(const evidence::RecordLine& record, std::string_view bytes);
  // The page; `manifest` needs everything but its files.
  [[nodiscard]] std::string Page(const ExportManifest& manifest) const;

 private:
  std::uint64_t records_ = 0;
  std::string rows_;
};

}  // namespace logvault::cli
