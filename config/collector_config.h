// collector.yaml as a struct.  Keys and defaults are a contract: deploy/collector.yaml shows all of
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::config {

// Paths are absolute once loaded: relative ones are relative to the configuration file.
struct TlsFiles {
  std::string ca;
  std::string cert;
  std::string key;
  std::string crl;  // collector only
  bool operator==(const TlsFiles&) const = default;
};

struct CollectorConfig {
  std::string listen_ingest = "127.0.0.1:7443";
  std::string listen_query = "127.0.0.1:7444";
  TlsFiles tls;
  std::string vault_dir;
  std::string vault_name;
  std::string signing_key;
  std::string anchor;                              // default: vault_dir + ".anchor"
  std::int64_t retention_min_ns = 0;               // of a vault that is made: no rule may keep less
  std::int64_t silence_after_ns = 90'000'000'000;  // at least 1 s
  std::optional<std::string> metrics;
  std::uint64_t host_bytes_per_day = 20ull << 30;
  bool operator==(const CollectorConfig&) const = default;
};

// Pure: `path` is only named in messages and resolves relative paths.
Result<CollectorConfig> ParseCollectorConfig(std::string_view text, const std::string& path);

// kInvalidArgument naming file and line (and, for an unknown key, the nearest known one); kNotFound
// for a file that is not there.
Result<CollectorConfig> LoadCollectorConfig(const std::string& path);

}  // namespace logvault::config
