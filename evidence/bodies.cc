#include "evidence/bodies.h"

#include <algorithm>

#include "common/bytes.h"
#include "evidence/batch.h"
#include "evidence/keys.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kGenesisMagic = "logvault/gen/v1\n";
constexpr std::string_view kStreamMagic = "logvault/str/v1\n";
constexpr std::string_view kKeyMagic = "logvault/key/v1\n";

Hash TakeHash(ByteReader& reader) {
  Result<Hash> hash = Hash::FromBytes(reader.Bytes(kHashSize));
  return hash.ok() ? *hash : Hash{};
}

// Whether a key can be named so: what is read here becomes a VerifierKey's name, which is checked no more.
bool IsOrigin(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c > ' ' && c < '\x7f' && c != '+'; });
}

}  // namespace

Result<GenesisBody> GenesisBody::Parse(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Bytes(kGenesisMagic.size()) != kGenesisMagic)
    return Corruption("GENESIS: not of version 1");
  GenesisBody body;
  body.origin = std::string(reader.String16());
  body.vault_public_key = std::string(reader.Bytes(kPublicKeySize));
  body.opening_public_key = std::string(reader.Bytes(kPublicKeySize));
  body.retention_min_ns = reader.U64();
  body.ca_pem = std::string(reader.String32());
  if (!reader.Done()) return Corruption("GENESIS: cut off, or longer than its fields");
  if (!IsOrigin(body.origin)) return Corruption("GENESIS: its origin names no key");
  return body;
}

std::string GenesisBody::Serialize() const {
  std::string bytes(kGenesisMagic);
  ByteWriter writer(bytes);
  writer.String16(origin);
  writer.Bytes(vault_public_key);
  writer.Bytes(opening_public_key);
  writer.U64(retention_min_ns);
  writer.String32(ca_pem);
  return bytes;
}

Result<StreamBody> StreamBody::Parse(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Bytes(kStreamMagic.size()) != kStreamMagic)
    return Corruption("STREAM: not of version 1");
  Hash stream_id = TakeHash(reader);
  StreamBody body;
  body.host = std::string(reader.String16());
  body.source = std::string(reader.String16());
  body.format = std::string(reader.String16());
  body.descriptor = std::string(reader.String32());
  if (!reader.Done()) return Corruption("STREAM: cut off, or longer than its fields");
  if (stream_id != StreamId(body.host, body.source)) {
    return Corruption("STREAM: its id is not that of host " + body.host + " and source " +
                      body.source);
  }
  return body;
}

std::string StreamBody::Serialize() const {
  std::string bytes(kStreamMagic);
  ByteWriter writer(bytes);
  writer.Bytes(StreamId(host, source).view());
  writer.String16(host);
  writer.String16(source);
  writer.String16(format);
  writer.String32(descriptor);
  return bytes;
}

Result<KeyBody> KeyBody::Parse(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Bytes(kKeyMagic.size()) != kKeyMagic) return Corruption("KEY: not of version 1");
  KeyBody body;
  body.host = std::string(reader.String16());
  body.epoch = reader.U64();
  body.epoch_public_key = std::string(reader.Bytes(kPublicKeySize));
  body.k0_hash = TakeHash(reader);
  body.box_hash = TakeHash(reader);
  body.previous_epoch = reader.U64();
  body.certificate_der = std::string(reader.String32());
  body.signature = std::string(reader.String16());
  if (!reader.Done()) return Corruption("KEY: cut off, or longer than its fields");
  if (body.previous_epoch >= body.epoch)
    return Corruption("KEY: the epoch is not later than the one before");
  return body;
}

std::string KeyBody::SignedBytes() const {
  std::string bytes(kKeyMagic);
  ByteWriter writer(bytes);
  writer.String16(host);
  writer.U64(epoch);
  writer.Bytes(epoch_public_key);
  writer.Bytes(k0_hash.view());
  writer.Bytes(box_hash.view());
  writer.U64(previous_epoch);
  writer.String32(certificate_der);
  return bytes;
}

std::string KeyBody::Serialize() const {
  std::string bytes = SignedBytes();
  ByteWriter(bytes).String16(signature);
  return bytes;
}

}  // namespace logvault::evidence
