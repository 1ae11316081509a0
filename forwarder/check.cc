#include "forwarder/check.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "forwarder/file_finder.h"
#include "forwarder/journal_folder.h"
#include "forwarder/make_source.h"

namespace logvault::forwarder {

namespace {

using config::ExitCode;

ExitCode CheckFiles(const config::SourceConfig& source) {
  FilePattern pattern(source.path);
  Status trouble;
  std::vector<FoundFile> found = pattern.Find(&trouble);
  for (const FoundFile& file : found) {
    if (::access(file.path.c_str(), R_OK) != 0)
      trouble = PermissionDenied(file.path + ": " + std::strerror(errno));
  }
  if (pattern.is_glob() && found.empty())
    spdlog::warn("source {}: no file matches {}", source.name, source.path);
  if (trouble.ok()) return ExitCode::kOk;
  spdlog::warn("source {}: {}", source.name, trouble.message());
  return ExitCode::kAttention;
}

ExitCode CheckJournal(const config::SourceConfig& source) {
  Status trouble;
  (void)JournalFolder(source.directory).Find(&trouble);
  if (trouble.ok()) return ExitCode::kOk;
  spdlog::warn("source {}: {}", source.name, trouble.message());
  return ExitCode::kAttention;
}

}  // namespace

ExitCode CheckSources(const config::ForwarderConfig& config) {
  ExitCode code = ExitCode::kOk;
  for (const config::SourceConfig& source : config.sources) {
    if (Status supported = CheckSource(source); !supported.ok()) {
      spdlog::error("{}", supported.message());
      return ExitCode::kUsage;
    }
    if (source.type == config::SourceType::kFile) code = config::Worse(code, CheckFiles(source));
    if (source.type == config::SourceType::kJournal)
      code = config::Worse(code, CheckJournal(source));
  }
  return code;
}

}  // namespace logvault::forwarder
