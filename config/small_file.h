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

// OK where a file may be put in the place of `path`: nothing is there, or a file.  Renaming over it would replace a device
// (/dev/null, for root) for everybody on the machine.
Status CheckReplaceable(const std::string& path);

// Replaces `path`, a CheckReplaceable one, as a whole: a temporary file beside it, synced, renamed over it, and the folder
// synced. Readers see the old bytes or the new ones; after a crash too.
Status WriteSmallFile(const std::string& path, std::string_view bytes, FileMode mode);

}  // namespace logvault::config
