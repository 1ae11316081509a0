// --out FILE: where a command's one result goes, - being standard output.
#pragma once

#include <string>
#include <string_view>

#include "cli/output_stream.h"
#include "common/status.h"
#include "config/small_file.h"

namespace logvault::cli {

// A file is replaced as a whole.
inline Status WriteResult(const std::string& file, std::string_view bytes, OutputStream& out) {
  if (file != "-") return config::WriteSmallFile(file, bytes, config::FileMode::kPublic);
  out.buffer() += bytes;
  out.Flush();
  return Status::Ok();
}

}  // namespace logvault::cli
