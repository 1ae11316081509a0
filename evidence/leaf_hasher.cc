#include "evidence/leaf_hasher.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "common/check.h"
#include "evidence/sha256_many.h"

namespace logvault::evidence {
namespace {

constexpr std::size_t kRoomBytes = 96u << 10;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// The fixed part of a record leaf, leading 0x00 included, up to the length of the origin.
constexpr std::size_t kLeafPrefixSize = 1 + kSaltSize + 8 + 8 + 8 + 4 + 2;

template <std::size_t kSize>
char* PutBigEndian(std::uint64_t value, char* out) {
  for (std::size_t i = 0; i < kSize; ++i)
    out[i] = static_cast<char>(value >> (8 * (kSize - 1 - i)));
  return out + kSize;
}

std::array<char, kLeafPrefixSize> LeafPrefix(std::string_view salt, std::uint64_t seq,
                                             const RecordView& record) {
  std::array<char, kLeafPrefixSize> prefix{};
  char* out = std::copy(salt.begin(), salt.end(), prefix.data() + 1);
  out = PutBigEndian<8>(seq, out);
  out = PutBigEndian<8>(static_cast<std::uint64_t>(record.event_time), out);
  out = PutBigEndian<8>(static_cast<std::uint64_t>(record.read_time), out);
  out = PutBigEndian<4>(record.flags, out);
  PutBigEndian<2>(record.origin.size(), out);
  return prefix;
}

}  // namespace

LeafHasher::LeafHasher(std::uint32_t record_count) {
  leaves_.reserve(record_count);
  room_.reserve(kRoomBytes);
}

void LeafHasher::Add(std::string_view salt, std::uint64_t seq, const RecordView& record) {
  const std::size_t size = kLeafPrefixSize + record.origin.size() + record.bytes.size();
  if (room_.size() + size > kRoomBytes) HashRoom();
  if (size > kRoomBytes) {
    leaves_.push_back(RecordLeaf(salt, seq, record));
    return;
  }
  const std::array<char, kLeafPrefixSize> prefix = LeafPrefix(salt, seq, record);
  const char* begin = room_.data() + room_.size();
  room_.append(prefix.data(), prefix.size()).append(record.origin).append(record.bytes);
  messages_.emplace_back(begin, size);
}

std::vector<Hash> LeafHasher::Finish() {
  HashRoom();
  return std::move(leaves_);
}

void LeafHasher::HashRoom() {
  const std::size_t hashed = leaves_.size();
  leaves_.resize(hashed + messages_.size());
  Sha256Many(messages_, std::span(leaves_).subspan(hashed));
  messages_.clear();
  room_.clear();
}

std::string RecordSalts(std::string_view batch_key, std::uint32_t record_count) {
  LV_CHECK(batch_key.size() == kBatchKeySize);
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  static constexpr unsigned char kZeroIv[16] = {};
  std::string salts(record_count * kSaltSize, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(salts.data());
  int size = 0;
  LV_CHECK(EVP_EncryptInit_ex2(context.get(), EVP_aes_256_ctr(),
                               reinterpret_cast<const unsigned char*>(batch_key.data()), kZeroIv,
                               nullptr) == 1);
  LV_CHECK(EVP_EncryptUpdate(context.get(), bytes, &size, bytes, static_cast<int>(salts.size())) ==
           1);
  LV_CHECK(static_cast<std::size_t>(size) == salts.size());
  return salts;
}

Hash RecordLeaf(std::string_view salt, std::uint64_t seq, const RecordView& record) {
  LV_CHECK(salt.size() == kSaltSize);
  LV_CHECK(record.origin.size() <= kMaxOriginSize);
  const std::array<char, kLeafPrefixSize> prefix = LeafPrefix(salt, seq, record);
  return Sha256({{prefix.data(), prefix.size()}, record.origin, record.bytes});
}

}  // namespace logvault::evidence
