#include "forwarder/decompressor.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace logvault::forwarder {

namespace {

constexpr std::size_t kInputBytes = 64 * 1024;

// As kCompressionSuffixes.
constexpr std::array kCompressions = {Compression::kGzip, Compression::kXz, Compression::kZstd,
                                      Compression::kBzip2};

}  // namespace

Compression CompressionOf(std::string_view path) {
  for (std::size_t i = 0; i < kCompressions.size(); ++i) {
    if (path.ends_with(kCompressionSuffixes[i])) return kCompressions[i];
  }
  return Compression::kNone;
}

std::string_view WithoutCompression(std::string_view path) {
  for (std::string_view suffix : kCompressionSuffixes) {
    if (path.ends_with(suffix)) return path.substr(0, path.size() - suffix.size());
  }
  return path;
}

Result<std::unique_ptr<Decompressor>> Decompressor::Open(Compression compression, int fd,
                                                         std::uint64_t max_bytes) {
  Result<std::unique_ptr<Codec>> codec = MakeCodec(compression);
  if (!codec.ok()) return codec.status();
  return std::unique_ptr<Decompressor>(new Decompressor(*std::move(codec), fd, max_bytes));
}

Decompressor::Decompressor(std::unique_ptr<Codec> codec, int fd, std::uint64_t max_bytes)
    : codec_(std::move(codec)), fd_(fd), bytes_left_(max_bytes) {}

Result<std::size_t> Decompressor::Read(std::span<char> out) {
  std::span<char> left = out;
  if (trouble_.ok()) trouble_ = Fill(&left);
  std::size_t got = out.size() - left.size();
  if (got == 0 && !trouble_.ok()) return trouble_;
  return got;
}

Status Decompressor::Fill(std::span<char>* out) {
  while (!out->empty() && !at_end_) {
    if (unused_.empty() && !holds_output_) {
      Result<bool> more = Refill();
      if (!more.ok()) return more.status();
      if (!*more) {
        at_end_ = true;
        return between_members_ && any_member_ ? Status::Ok() : Corruption("damaged: cut short");
      }
    }
    if (between_members_) {
      // Padding, as tapes and block devices leave it.
      unused_.remove_prefix(std::min(unused_.find_first_not_of('\0'), unused_.size()));
      if (unused_.empty()) continue;
    }
    std::span<char> room = out->first(std::min<std::uint64_t>(out->size(), bytes_left_));
    if (room.empty()) return ResourceExhausted("expands to too many bytes");
    const std::size_t room_size = room.size();
    Result<bool> ended = codec_->Run(&unused_, &room);
    const std::size_t got = room_size - room.size();
    *out = out->subspan(got);
    bytes_left_ -= got;
    if (!ended.ok()) return ended.status();
    between_members_ = *ended;
    any_member_ = any_member_ || *ended;
    holds_output_ = room.empty() && !*ended;
  }
  return Status::Ok();
}

Result<bool> Decompressor::Refill() {
  input_.resize(kInputBytes);
  ssize_t n = -1;
  do {
    n = ::pread(fd_, input_.data(), input_.size(), static_cast<off_t>(input_offset_));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Unavailable(std::string("read: ") + std::strerror(errno));
  input_offset_ += static_cast<std::uint64_t>(n);
  unused_ = std::string_view(input_).substr(0, static_cast<std::size_t>(n));
  return n > 0;
}

}  // namespace logvault::forwarder
