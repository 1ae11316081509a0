// `logvault-forwarder spool inspect|verify`: the spool for a person, read beside a running forwarder, without its lock.
#pragma once

#include <string>

#include "config/exit_code.h"

namespace logvault::forwarder {

struct SpoolAnswer {
  config::ExitCode code = config::ExitCode::kOk;
  std::string text;     // for stdout, whole lines
  std::string trouble;  // for stderr, one line; empty for none
};

// What the spool in `dir` holds: a line an item that waits or was set aside, a line a stream, the sums.  4 where a table
// cannot be read; 2 without a spool.
SpoolAnswer InspectSpool(const std::string& dir);

// Whether all that the spool in `dir` holds is what was written: a line a fault.  4 where there is one; 2 without a
// spool.
SpoolAnswer VerifySpool(const std::string& dir);

}  // namespace logvault::forwarder
