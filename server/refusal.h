// Which failures are the sender's for good, and which are ours or pass.
#pragma once

#include <string_view>

#include "common/status.h"

namespace logvault::server {

// What a host sent is wrong and will stay so: it must not be sent again.
bool WillStayWrong(StatusCode code);

// A failed read of our own vault, as kUnavailable: it must not be taken for a fault of what was
// sent.
Status OurFault(const Status& status);

}  // namespace logvault::server
