// Checking an export, with the vault's key and nothing else, in memory that does not grow with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cli/export_manifest.h"
#include "common/status.h"
#include "evidence/auditor.h"
#include "evidence/note.h"

namespace logvault::cli {

// A file of the export that is not as it must be, and what of it, where that can be told.
using OnBadFile = std::function<void(std::string_view file, const evidence::Finding& finding)>;

struct ExportVerdict {
  ExportManifest manifest;  // meaningful where bad is 0
  std::uint64_t bad = 0;    // calls of on_bad
  // README.txt and report.html are of a version that is not known here: signed, and not compared with the evidence.
  bool texts_unknown = false;
};

// kInvalidArgument where `path` cannot be read or is no export at all.
Result<ExportVerdict> CheckExport(const std::string& path, const evidence::VerifierKey& key,
                                  const OnBadFile& on_bad);

}  // namespace logvault::cli
