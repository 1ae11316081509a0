// UTF-16LE as UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace logvault::formats {

// A surrogate without its partner, or a lone last byte, becomes U+FFFD.  A byte order mark is kept.
std::string Utf16LeToUtf8(std::string_view bytes);

}  // namespace logvault::formats
