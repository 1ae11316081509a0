#include "forwarder/spool_wal.h"

#include <bit>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "common/bytes.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kHeaderSize = 32;
constexpr std::size_t kFrameHeaderSize = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // its lowest bit: checksums over big-endian words

struct Checksum {
  std::uint32_t a = 0, b = 0;
  bool operator==(const Checksum&) const = default;
};

Checksum Add(Checksum sum, std::string_view bytes, bool big_endian) {
  ByteReader reader(bytes);
  while (!reader.rest().empty()) {
    std::uint32_t x = reader.U32(), y = reader.U32();
    if (!big_endian) {
      x = __builtin_bswap32(x);
      y = __builtin_bswap32(y);
    }
    sum.a += x + sum.b;
    sum.b += y + sum.a;
  }
  return sum;
}

struct Header {
  bool intact = false;
  bool big_endian = false;
  std::uint64_t salt = 0;
  Checksum checksum;
};

Header ParseHeader(std::string_view bytes) {
  ByteReader reader(bytes);
  Header header;
  const std::uint32_t magic = reader.U32();
  header.big_endian = (magic & 1) != 0;
  const bool version = reader.U32() == 3'007'000;
  const bool page_size = reader.U32() == kSpoolPageSize;
  (void)reader.U32();  // how often the log was folded back
  header.salt = reader.U64();
  header.checksum = {reader.U32(), reader.U32()};
  header.intact = (magic & ~1u) == kMagic && version && page_size &&
                  Add({}, bytes.substr(0, 24), header.big_endian) == header.checksum;
  return header;
}

struct RawFrame {
  WalFrame frame;
  std::uint64_t salt = 0;
  Checksum checksum;
};

RawFrame ParseFrame(std::string_view bytes, const Checksum& before, bool big_endian) {
  ByteReader reader(bytes);
  RawFrame raw;
  raw.frame.page = reader.U32();
  raw.frame.commit_pages = reader.U32();
  raw.salt = reader.U64();
  raw.checksum = {reader.U32(), reader.U32()};
  Checksum sum = Add(before, bytes.substr(0, 8), big_endian);
  raw.frame.intact = Add(sum, bytes.substr(kFrameHeaderSize), big_endian) == raw.checksum;
  return raw;
}

Result<SpoolWal> ReadOnce(std::istream& file, std::string* header_bytes) {
  SpoolWal wal;
  header_bytes->resize(kHeaderSize);
  if (!file.read(header_bytes->data(), kHeaderSize)) return wal;
  Header header = ParseHeader(*header_bytes);
  wal.header_intact = header.intact;
  std::string bytes(kFrameHeaderSize + kSpoolPageSize, '\0');
  Checksum before = header.checksum;
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    RawFrame raw = ParseFrame(bytes, before, header.big_endian);
    // Without a header the first frame says which run this is.
    if (!header.intact && wal.frames.empty()) {
      header.salt = raw.salt;
      header.big_endian = std::endian::native == std::endian::big;
    }
    before = raw.checksum;
    raw.frame.present = raw.salt == header.salt;
    raw.frame.intact = raw.frame.intact && raw.frame.present;
    wal.frames.push_back(raw.frame);
  }
  // What an earlier, longer run left behind the end of this one.
  while (!wal.frames.empty() && !wal.frames.back().intact) wal.frames.pop_back();
  return wal;
}

}  // namespace

bool SpoolWal::damaged() const {
  bool broken = !header_intact, commit_after_break = false;
  for (const WalFrame& frame : frames) {
    if (commit_after_break) return true;  // this frame was written after that commit was synced
    broken = broken || !frame.intact;
    commit_after_break = broken && frame.present && frame.commit_pages != 0;
  }
  return false;
}

std::size_t SpoolWal::usable() const {
  const bool all = damaged();
  if (!header_intact && !all) return 0;
  std::size_t usable = 0;
  for (std::size_t i = 0; i < frames.size() && (all || frames[i].intact); ++i) {
    if (frames[i].present && frames[i].commit_pages != 0) usable = i + 1;
  }
  return usable;
}

std::uint64_t SpoolWal::PageOffset(std::size_t frame) {
  return kHeaderSize + frame * (kFrameHeaderSize + kSpoolPageSize) + kFrameHeaderSize;
}

Result<SpoolWal> ReadSpoolWal(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    SpoolWal none;
    none.header_intact = true;
    return none;
  }
  // A log that begins a new run while it is read is read again.
  for (std::string first, second;;) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return FailedPrecondition(path + " cannot be read");
    Result<SpoolWal> wal = ReadOnce(file, &first);
    std::ifstream again(path, std::ios::binary);
    second.resize(kHeaderSize);
    again.read(second.data(), kHeaderSize);
    if (!wal.ok() || first == second || !again) return wal;
  }
}

}  // namespace logvault::forwarder
