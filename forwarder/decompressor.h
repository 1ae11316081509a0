// Decompressor: the bytes of a compressed file, in order and with bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::forwarder {

enum class Compression { kNone, kGzip, kXz, kZstd, kBzip2 };

inline constexpr std::array<std::string_view, 4> kCompressionSuffixes = {".gz", ".xz", ".zst",
                                                                         ".bz2"};
// By the end of the name alone: a damaged file must not pass for text.
Compression CompressionOf(std::string_view path);
// The name without that end.
std::string_view WithoutCompression(std::string_view path);

// What a decoder may take: enough for `xz -9` and `zstd -19`.
inline constexpr std::uint64_t kMaxDecoderBytes = 72 * 1024 * 1024;
// What one file may expand to.
inline constexpr std::uint64_t kMaxExpandedBytes = 16ULL * 1024 * 1024 * 1024;

// One format's decoder.
class Codec {
 public:
  virtual ~Codec() = default;
  // Takes from the front of `*in` and fills the front of `*out`; true where a member of the file has just ended.
  // kCorruption for damaged bytes, kResourceExhausted where they ask for too much memory.
  virtual Result<bool> Run(std::string_view* in, std::span<char>* out) = 0;
};
// `compression` is not kNone.
Result<std::unique_ptr<Codec>> MakeCodec(Compression compression);

// Not for several threads.
class Decompressor {
 public:
  // `fd` must outlive it; read with pread from 0.
  static Result<std::unique_ptr<Decompressor>> Open(Compression compression, int fd,
                                                    std::uint64_t max_bytes = kMaxExpandedBytes);

  // Fills `out` as far as the file goes: fewer bytes only at its end.  Where it is damaged, cut short or too large,
  // the bytes before that come first and the reason, as Codec gives it, with the next call.
  Result<std::size_t> Read(std::span<char> out);

 private:
  Decompressor(std::unique_ptr<Codec> codec, int fd, std::uint64_t max_bytes);
  Status Fill(std::span<char>* out);
  // False at the end of the file.
  Result<bool> Refill();

  const std::unique_ptr<Codec> codec_;
  const int fd_;
  std::uint64_t bytes_left_;
  std::uint64_t input_offset_ = 0;
  std::string input_;
  std::string_view unused_;      // of input_
  bool between_members_ = true;  // nothing of the next one was seen
  bool any_member_ = false;
  bool holds_output_ = false;  // the decoder filled all it was given
  bool at_end_ = false;
  Status trouble_;
};

}  // namespace logvault::forwarder
