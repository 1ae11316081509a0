// Month names as logs abbreviate them, in the languages that Java and syslog daemons write.
#pragma once

#include <string_view>

namespace logvault::formats {

// 1..12 for "Sep", "AUG", "gen", "août", "5月", "janv."; 0 for anything else.
int MonthByName(std::string_view name);

}  // namespace logvault::formats
