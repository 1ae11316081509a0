#include "forwarder/text_pages.h"

#include <sys/mman.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

namespace logvault::forwarder {

namespace {

// "7f01…-7f02… r-xp OFFSET DEVICE INODE PATH": executable, never writable, of a file.
bool IsText(std::string_view line) {
  const std::size_t blank = line.find(' ');
  return blank != std::string_view::npos && line.substr(blank + 1, 4) == "r-xp" &&
         line.find(" /") != std::string_view::npos;
}

}  // namespace

void ReleaseTextPages() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!IsText(line)) continue;
    std::uintptr_t begin = 0, end = 0;
    const char* const last = line.data() + line.size();
    const auto [dash, error] = std::from_chars(line.data(), last, begin, 16);
    if (error != std::errc() || dash == last) continue;
    if (std::from_chars(dash + 1, last, end, 16).ec != std::errc() || end <= begin) continue;
    // Of a private mapping that was never written to, this forgets nothing.
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

}  // namespace logvault::forwarder
