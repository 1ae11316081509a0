// Which file names a rotation makes of a live one: app.log.1, app-20260131.log.gz, geoserver-1.log, ERRORLOG.2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace logvault::forwarder {

struct RotatedName {
  std::string token;  // what rotation added, without its separator; empty where only compressed
  std::optional<unsigned> rank;  // the token as a number, where it is one of a numbered chain
  bool appended = false;         // behind the whole name, where a higher rank is always older
};

// Both are names within one folder.  The added part is digits with . _ - : T + between, or one of a few words, after
// the whole name or before its last extension; a compression suffix may follow.  Nothing where `name` is `live`.
std::optional<RotatedName> ParseRotatedName(std::string_view live, std::string_view name);

// The live names of which rotation may have made `name`.
std::vector<std::string> LiveNamesOf(std::string_view name);
// The same with the folder before them.
std::vector<std::string> LiveNamesOfPath(std::string_view path);

// Whether both are, say, app-1.log and app-2.log.gz: equal but for digits and compression.
bool DifferInDigitsOnly(std::string_view a, std::string_view b);

}  // namespace logvault::forwarder
