// Writing an export: from a plan to a tar that is complete but not yet in its place.
#pragma once

#include <string>

#include "cli/export_file.h"
#include "cli/export_manifest.h"
#include "cli/export_plan.h"
#include "cli/export_source.h"
#include "cli/signer.h"
#include "common/status.h"
#include "evidence/keys.h"
#include "pki/certificate.h"

namespace logvault::cli {

// How many streams one export may show: each has a file open while it is written.
inline constexpr std::size_t kMaxExportedStreams = 500;

// `manifest` has everything that does not follow from the blocks.  The evidence is audited as it is written: kIntegrity
// where the vault gave something that would not stand.  Returns the finished manifest.
Result<ExportManifest> WriteExport(ExportSource& source, const ExportPlan& plan,
                                   ExportManifest manifest, const Signer& investigator,
                                   const std::string& path, ExportFile& file);

}  // namespace logvault::cli
