#include "cli/tar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/check.h"

namespace logvault::cli {
namespace {

constexpr std::size_t kNameSize = 100;
constexpr std::size_t kSizeOffset = 124;
constexpr std::size_t kChecksumOffset = 148;
constexpr std::size_t kPrefixOffset = 345;
constexpr std::size_t kPrefixSize = 155;

std::string Octal(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; value >>= 3) text[i] = static_cast<char>('0' + (value & 7));
  LV_CHECK(value == 0);
  return text;
}

void Put(std::string& header, std::size_t at, std::string_view text) {
  header.replace(at, text.size(), text);
}

bool AllZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

// A field's text up to its first NUL.
std::string_view Text(std::string_view field) { return field.substr(0, field.find('\0')); }

// The member that `header` begins, if it is the header that a member of such a name and size has.
Result<TarMember> ParseHeader(std::string_view header) {
  const std::string_view name = Text(header.substr(0, kNameSize));
  const std::string_view prefix = Text(header.substr(kPrefixOffset, kPrefixSize));
  TarMember member;
  member.name = prefix.empty() ? std::string(name) : std::string(prefix).append("/").append(name);
  for (char digit : header.substr(kSizeOffset, 11)) {
    if (digit < '0' || digit > '7') return Corruption("a member's size is not a number");
    member.size = member.size << 3 | static_cast<unsigned>(digit - '0');
  }
  const std::size_t slash = member.name.rfind('/');
  const bool fits = member.name.size() - (slash + 1) <= kNameSize &&
                    (slash == member.name.npos || slash <= kPrefixSize);
  if (!fits || TarHeader(member.name, member.size) != header)
    return Corruption("a member's header is not the one that its name and size have");
  return member;
}

}  // namespace

std::string TarHeader(std::string_view name, std::uint64_t size) {
  const std::size_t slash = name.rfind('/');
  const std::string_view prefix = slash == name.npos ? "" : name.substr(0, slash);
  const std::string_view last = slash == name.npos ? name : name.substr(slash + 1);
  LV_CHECK(last.size() <= kNameSize && prefix.size() <= kPrefixSize && size <= kMaxTarMember);
  std::string header(kTarBlock, '\0');
  Put(header, 0, last);
  Put(header, 100, "0000644");  // mode
  Put(header, 108, "0000000");  // owner
  Put(header, 116, "0000000");  // group
  Put(header, kSizeOffset, Octal(size, 11));
  Put(header, 136, "00000000000");  // time
  Put(header, kChecksumOffset, "        ");
  Put(header, 156, "0");  // a regular file
  Put(header, 257, std::string_view("ustar\00000", 8));
  Put(header, 329, "0000000");  // device numbers
  Put(header, 337, "0000000");
  Put(header, kPrefixOffset, prefix);
  std::uint64_t sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  Put(header, kChecksumOffset, Octal(sum, 6) + std::string("\0 ", 2));
  return header;
}

Result<InputFile> InputFile::Open(const std::string& path) {
  // Not blocking: a named pipe in the place of a file must not hold us up.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return InvalidArgument("cannot read " + path + ": " + std::generic_category().message(errno));
  struct stat info;
  InputFile file(fd, 0);
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    return InvalidArgument(path + " is not a regular file");
  file.size_ = static_cast<std::uint64_t>(info.st_size);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> InputFile::Read(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset) return Corruption("the file is cut off");
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t got =
        ::pread(fd_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Corruption("the file cannot be read to its end");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::vector<TarMember>> ListTar(const InputFile& file) {
  std::vector<TarMember> members;
  for (std::uint64_t at = 0;;) {
    Result<std::string> header = file.Read(at, kTarBlock);
    if (!header.ok()) return Corruption("the tar ends without its end");
    at += kTarBlock;
    if (AllZero(*header)) {
      Result<std::string> end = file.Read(at, kTarBlock);
      if (end.ok() && AllZero(*end) && at + kTarBlock == file.size()) return members;
      return Corruption("the tar does not end as it must");
    }
    Result<TarMember> member = ParseHeader(*header);
    if (!member.ok())
      return member.status().WithContext("behind " + std::to_string(members.size()) + " members");
    if (members.size() == kMaxTarMembers) return Corruption("more members than an export has");
    member->offset = at;
    const std::uint64_t padding = TarPadding(member->size);
    if (file.size() - at < member->size + padding)
      return Corruption(member->name + ": the file is cut off");
    Result<std::string> zeros = file.Read(at + member->size, padding);
    if (!zeros.ok() || !AllZero(*zeros))
      return Corruption(member->name + ": other bytes than zeros behind it");
    at += member->size + padding;
    members.push_back(*std::move(member));
  }
}

}  // namespace logvault::cli
