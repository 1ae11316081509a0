// The decoders of gzip, xz, zstd and bzip2, each by its own library.
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "forwarder/decompressor.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kMaxStep = std::numeric_limits<unsigned>::max() / 2;
constexpr int kZstdWindowLogMax = 26;  // 64 MiB

Status Damaged(std::string_view what) { return Corruption("damaged: " + std::string(what)); }
Status TooMuchMemory() { return ResourceExhausted("asks for too much memory to decompress"); }

void Advance(std::string_view* in, std::size_t in_left, std::span<char>* out,
             std::size_t out_left) {
  in->remove_prefix(in->size() - in_left);
  *out = out->last(out_left);
}

class GzipCodec final : public Codec {
 public:
  ~GzipCodec() override { inflateEnd(&stream_); }
  bool Init() { return inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK; }

  Result<bool> Run(std::string_view* in, std::span<char>* out) override {
    std::size_t in_size = std::min(in->size(), kMaxStep);
    std::size_t out_size = std::min(out->size(), kMaxStep);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in->data()));
    stream_.avail_in = static_cast<uInt>(in_size);
    stream_.next_out = reinterpret_cast<Bytef*>(out->data());
    stream_.avail_out = static_cast<uInt>(out_size);
    int result = inflate(&stream_, Z_NO_FLUSH);
    Advance(in, in->size() - in_size + stream_.avail_in, out,
            out->size() - out_size + stream_.avail_out);
    if (result == Z_STREAM_END) {
      inflateReset(&stream_);
      return true;
    }
    if (result == Z_OK || result == Z_BUF_ERROR) return false;
    return Damaged(stream_.msg != nullptr ? stream_.msg : "gzip");
  }

 private:
  z_stream stream_{};
};

class XzCodec final : public Codec {
 public:
  ~XzCodec() override { lzma_end(&stream_); }
  bool Init() { return lzma_stream_decoder(&stream_, kMaxDecoderBytes, 0) == LZMA_OK; }

  Result<bool> Run(std::string_view* in, std::span<char>* out) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in->data());
    stream_.avail_in = in->size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out->data());
    stream_.avail_out = out->size();
    lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    Advance(in, stream_.avail_in, out, stream_.avail_out);
    if (result == LZMA_STREAM_END) return Init() ? Result<bool>(true) : TooMuchMemory();
    if (result == LZMA_OK || result == LZMA_BUF_ERROR) return false;
    if (result == LZMA_MEMLIMIT_ERROR || result == LZMA_MEM_ERROR) return TooMuchMemory();
    return Damaged("xz");
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class ZstdCodec final : public Codec {
 public:
  ~ZstdCodec() override { ZSTD_freeDStream(stream_); }
  bool Init() {
    return stream_ != nullptr && ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax,
                                                                     kZstdWindowLogMax)) == 0;
  }

  Result<bool> Run(std::string_view* in, std::span<char>* out) override {
    ZSTD_inBuffer input{in->data(), in->size(), 0};
    ZSTD_outBuffer output{out->data(), out->size(), 0};
    std::size_t result = ZSTD_decompressStream(stream_, &output, &input);
    Advance(in, input.size - input.pos, out, output.size - output.pos);
    if (ZSTD_isError(result) != 0) {
      std::string_view name = ZSTD_getErrorName(result);
      bool memory = name.find("memory") != std::string_view::npos;
      return memory ? TooMuchMemory() : Damaged(name);
    }
    return result == 0;
  }

 private:
  ZSTD_DStream* stream_ = ZSTD_createDStream();
};

class Bzip2Codec final : public Codec {
 public:
  ~Bzip2Codec() override { BZ2_bzDecompressEnd(&stream_); }
  bool Init() { return BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }

  Result<bool> Run(std::string_view* in, std::span<char>* out) override {
    std::size_t in_size = std::min(in->size(), kMaxStep);
    std::size_t out_size = std::min(out->size(), kMaxStep);
    stream_.next_in = const_cast<char*>(in->data());
    stream_.avail_in = static_cast<unsigned>(in_size);
    stream_.next_out = out->data();
    stream_.avail_out = static_cast<unsigned>(out_size);
    int result = BZ2_bzDecompress(&stream_);
    Advance(in, in->size() - in_size + stream_.avail_in, out,
            out->size() - out_size + stream_.avail_out);
    if (result == BZ_STREAM_END) {
      BZ2_bzDecompressEnd(&stream_);
      stream_ = {};
      return Init() ? Result<bool>(true) : TooMuchMemory();
    }
    if (result == BZ_OK) return false;
    return result == BZ_MEM_ERROR ? TooMuchMemory() : Damaged("bzip2");
  }

 private:
  bz_stream stream_{};
};

template <typename C>
Result<std::unique_ptr<Codec>> Made() {
  auto codec = std::make_unique<C>();
  if (!codec->Init()) return TooMuchMemory();
  return std::unique_ptr<Codec>(std::move(codec));
}

}  // namespace

Result<std::unique_ptr<Codec>> MakeCodec(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      break;
    case Compression::kGzip:
      return Made<GzipCodec>();
    case Compression::kXz:
      return Made<XzCodec>();
    case Compression::kZstd:
      return Made<ZstdCodec>();
    case Compression::kBzip2:
      return Made<Bzip2Codec>();
  }
  return InvalidArgument("not compressed");
}

}  // namespace logvault::forwarder
