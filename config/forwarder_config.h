// forwarder.yaml as a struct.  Keys and defaults are a contract: deploy/forwarder.yaml shows all of
// them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "config/collector_config.h"

namespace logvault::config {

// What `format:` may say.  formats/ lies above this layer, so the names stand here once more; a
// test holds them against formats::kFormats, and formats::FormatByName knows every one of them.
inline constexpr std::array<std::string_view, 8> kFormatNames = {
    "syslog", "auditd", "geoserver", "access", "sqlserver", "json", "journal", "plain"};

enum class SourceType { kFile, kSyslog, kJournal, kAudit };
enum class ReadFrom { kBeginning, kEnd };
enum class WhenFull { kBlock, kDropOldest };

struct SourceConfig {
  std::string name;  // as a host's; `logvault` is the forwarder's own
  SourceType type = SourceType::kFile;
  std::string format;  // one of kFormatNames; syslog's is syslog, audit's auditd, journal's journal
  std::string path;    // file: a path or a glob
  std::string
      timezone;  // IANA name; empty: the host's.  Whoever loads it finds out whether it exists.
  ReadFrom read_from = ReadFrom::kBeginning;
  std::string udp, tcp, tls, unix_path;  // syslog; at least one
  std::string crl;                       // syslog over TLS: of senders' certificates; may be empty
  std::uint64_t sender_rate = 8ull << 20;  // syslog: bytes a second of one sender; 0: any
  std::string directory;                   // journal; empty: the system's
  std::string socket;                      // audit
  std::string place;                       // FILE:LINE of the source, for later errors
  bool operator==(const SourceConfig&) const = default;
};

struct SpoolConfig {
  std::string dir;
  std::uint64_t max_bytes = 1ull << 30;
  WhenFull when_full = WhenFull::kBlock;
  std::uint64_t keep_acked_bytes = 1ull << 30;
  bool operator==(const SpoolConfig&) const = default;
};

struct ForwarderConfig {
  std::vector<std::string> collectors;  // tried in order; at least one
  TlsFiles tls;
  std::string vault_key;                       // vault.pub
  std::int64_t heartbeat_ns = 30'000'000'000;  // at least 1 s
  std::optional<std::string> metrics;
  SpoolConfig spool;
  std::vector<SourceConfig> sources;
  bool operator==(const ForwarderConfig&) const = default;
};

// As for the collector's.
Result<ForwarderConfig> ParseForwarderConfig(std::string_view text, const std::string& path);
Result<ForwarderConfig> LoadForwarderConfig(const std::string& path);

}  // namespace logvault::config
