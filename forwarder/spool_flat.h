// A damaged spool's file and log as one file that SQLite can read as far as possible.
#pragma once

#include <string>

#include "common/status.h"

namespace logvault::forwarder {

// Writes `out`: the pages of `path`, over them those of its log, without regard to the log's checksums where it is
// damaged: what the pages hold is checked row by row by whoever reads them.  What the first page says of the file's format
// is what `sample`, an empty spool, says of it.  Where SQLite cannot read the list of tables,
// the whole page becomes that of `sample`: tables always stand where they stand there.
Status FlattenSpool(const std::string& path, const std::string& sample, const std::string& out);

}  // namespace logvault::forwarder
