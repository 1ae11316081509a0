// The manifest of an export: who took what out of which vault, by which question, and the hash of every file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/export_audit.h"
#include "query/search.h"

namespace logvault::cli {

struct ExportedFile {
  std::string name;
  std::uint64_t size = 0;
  std::string sha256;  // hexadecimal
  bool operator==(const ExportedFile&) const = default;
};

struct ExportManifest {
  std::uint64_t texts = 1;  // version of README.txt and report.html (cli/export_text.h)
  std::string origin;       // the vault
  std::uint64_t tree_size = 0;
  std::string root;  // hexadecimal
  std::string query;
  std::string redact;  // empty: nothing was redacted
  // As RFC 3339, or empty; globs as given.
  std::string since, until, by, host, source, record_origin;
  std::string investigator;        // spiffe://VAULT/ROLE/NAME
  std::string certificate_sha256;  // of the DER, hexadecimal
  UnixNanos made_at = 0;
  bool offline = false;                      // read from a folder: the vault recorded nothing
  std::vector<std::uint64_t> access_blocks;  // the vault's records of this reading
  bool complete = false;                     // the search could look everywhere
  std::vector<std::string> problems;         // where it could not
  std::uint64_t shown = 0;
  std::uint64_t redacted = 0;
  std::vector<evidence::ExportedStream> streams;  // by host, source
  std::vector<ExportedFile> files;  // in the order of the tar, behind the manifest's own three

  bool operator==(const ExportManifest&) const = default;

  // JSON, indented, ASCII; the bytes that are signed.
  [[nodiscard]] std::string ToJson() const;
  // Accepts exactly what ToJson writes.
  static Result<ExportManifest> Parse(std::string_view text);
};

}  // namespace logvault::cli
