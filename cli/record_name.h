// RecordName: HOST/SOURCE/SEQ, how the command line names one record.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::cli {

struct RecordName {
  std::string host;
  std::string source;
  std::uint64_t seq = 0;

  [[nodiscard]] std::string ToString() const {
    return host + "/" + source + "/" + std::to_string(seq);
  }

  static Result<RecordName> Parse(std::string_view text) {
    const std::size_t first = text.find('/');
    const std::size_t last = text.rfind('/');
    RecordName name;
    if (first == std::string_view::npos || first == last || first == 0 || last == first + 1 ||
        text.find('/', first + 1) != last) {
      return Bad(text);
    }
    name.host = std::string(text.substr(0, first));
    name.source = std::string(text.substr(first + 1, last - first - 1));
    const char* const end = text.data() + text.size();
    auto [parsed, error] = std::from_chars(text.data() + last + 1, end, name.seq);
    if (error != std::errc() || parsed != end || name.seq == 0) return Bad(text);
    return name;
  }

 private:
  static Status Bad(std::string_view text) {
    return InvalidArgument(
        "'" + std::string(text) +
        "' does not name a record; write HOST/SOURCE/SEQ, as in geo01/access/17");
  }
};

}  // namespace logvault::cli
