// The real log files of the sample data, each with the format it is written in.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"
#include "tests/support/shared_data.h"

namespace logvault::formats {

struct SampleFile {
  std::string path;  // below data/logs
  Format format;
  std::string bytes;
};

// By the folder a file lies in; what is not a log (expected outputs, layouts) is left out.
inline std::optional<Format> FormatOfSample(std::string_view path) {
  const auto in = [path](std::string_view part) {
    return path.find(part) != std::string_view::npos;
  };
  if (path.ends_with(".json") || path.ends_with(".jsonl")) return Format::kJson;
  if (in("access")) return Format::kAccess;
  if (path.starts_with("auditd/") && (path.ends_with(".log") || path.ends_with(".txt"))) {
    return Format::kAuditd;
  }
  if (in("log4j2/geoserver") || in("requestlogging")) return Format::kGeoserver;
  if (in("ERRORLOG") || in("errorlog")) return Format::kSqlserver;
  if (path.starts_with("syslog/") && !in("parser-tests") && !in("wazuh")) return Format::kSyslog;
  return std::nullopt;
}

inline std::vector<SampleFile> SampleFiles() {
  std::vector<SampleFile> files;
  const std::optional<std::filesystem::path> root = testing::SharedData("logs");
  if (!root) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = std::filesystem::relative(entry.path(), *root).string();
    const std::optional<Format> format = FormatOfSample(path);
    if (!format) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({path, *format, std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

}  // namespace logvault::formats
