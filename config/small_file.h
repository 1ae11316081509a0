// Small whole files: configurations, keys, certificates, lists.  Read with a limit, replaced
// atomically.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::config {

inline constexpr std::size_t kSmallFileMax = 1 << 20;

// The bytes of `path`.  kNotFound where there is no such file, kPermissionDenied where it may not
// be read, kInvalidArgument where it is not a regular file or longer than `max_bytes`.
Result<std::string> ReadSmallFile(const std::string& path, std::size_t max_bytes = kSmallFileMax);

enum class FileMode { kPublic, kPrivate };  // 0644, 0600

// Replaces `path` as a whole: a temporary file beside it, synced, renamed over it, and the folder
// synced. Readers see the old bytes or the new ones; after a crash too.
Status WriteSmallFile(const std::string& path, std::string_view bytes, FileMode mode);

}  // namespace logvault::config
