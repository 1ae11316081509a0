// The tar of an export: plain ustar members, each with the one header that its name and size have, so that whatever a tar
// could say beside them (owners, times, links, extensions, a second spelling) is neither written nor read.  Why no tar
// library: one is made to read every dialect, and here all but one spelling must be refused.  docs/FORMAT.md, "Export".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace logvault::cli {

inline constexpr std::uint64_t kTarBlock = 512;
inline constexpr std::uint64_t kMaxTarMember = (std::uint64_t{1} << 33) - 1;  // eleven octal digits
inline constexpr std::size_t kMaxTarMembers = 10'000;

// The zeros behind a member of `size` bytes.
constexpr std::uint64_t TarPadding(std::uint64_t size) {
  return (kTarBlock - size % kTarBlock) % kTarBlock;
}

// 512 bytes.  REQUIRES: size at most kMaxTarMember; the part of `name` behind its last '/' at most 100 bytes, the part
// before it at most 155.
std::string TarHeader(std::string_view name, std::uint64_t size);

struct TarMember {
  std::string name;
  std::uint64_t offset = 0;  // of its bytes in the file
  std::uint64_t size = 0;
};

// A regular file read at places.  Not for several threads.
class InputFile {
 public:
  // Errors as config::ReadSmallFile's.
  static Result<InputFile> Open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Exactly `size` bytes from `offset` on; kCorruption where the file has not so many.
  [[nodiscard]] Result<std::string> Read(std::uint64_t offset, std::uint64_t size) const;

 private:
  InputFile(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  int fd_;
  std::uint64_t size_;
};

// The members of the tar that `file` is, in order.  kCorruption where a byte of it is not as it must be: a header, the
// zeros behind a member, the two blocks of zeros that end it, or anything behind them.
Result<std::vector<TarMember>> ListTar(const InputFile& file);

}  // namespace logvault::cli
