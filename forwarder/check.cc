#include "forwarder/check.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/clock.h"
#include "forwarder/file_finder.h"
#include "forwarder/journal_folder.h"
#include "forwarder/make_source.h"
#include "pki/tls_server.h"

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

// The files that senders over TLS are met with.
Status CheckSenderFiles(const config::SourceConfig& source, const config::TlsFiles& tls) {
  const SystemClock clock;
  const pki::TlsServerFiles files{
      .ca = tls.ca, .cert = tls.cert, .key = tls.key, .crl = source.crl};
  const Status usable = pki::TlsServer::Open(files, clock).status();
  return usable.ok() ? usable : usable.WithContext(source.place + ": source " + source.name);
}

// It is made where it is missing.
Status CheckSpool(const std::string& dir) {
  std::error_code error;
  const std::filesystem::file_status there = std::filesystem::status(dir, error);
  if (!std::filesystem::exists(there) || std::filesystem::is_directory(there)) return Status::Ok();
  return FailedPrecondition("spool.dir: " + dir + " is not a folder");
}

Status CheckWhatStartNeeds(const config::SourceConfig& source, const config::TlsFiles& tls) {
  LV_RETURN_IF_ERROR(CheckSource(source));
  return source.tls.empty() ? Status::Ok() : CheckSenderFiles(source, tls);
}

}  // namespace

ExitCode CheckSources(const config::ForwarderConfig& config) {
  if (Status spool = CheckSpool(config.spool.dir); !spool.ok()) {
    spdlog::error("{}", spool.message());
    return ExitCode::kUsage;
  }
  ExitCode code = ExitCode::kOk;
  for (const config::SourceConfig& source : config.sources) {
    if (Status usable = CheckWhatStartNeeds(source, config.tls); !usable.ok()) {
      spdlog::error("{}", usable.message());
      return ExitCode::kUsage;
    }
    if (source.type == config::SourceType::kFile) code = config::Worse(code, CheckFiles(source));
    if (source.type == config::SourceType::kJournal)
      code = config::Worse(code, CheckJournal(source));
  }
  return code;
}

}  // namespace logvault::forwarder
