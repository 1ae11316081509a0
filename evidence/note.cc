#include "evidence/note.h"

#include <algorithm>
#include <charconv>

#include "common/bytes.h"
#include "common/check.h"

namespace logvault::evidence {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a blank begin each signature line
constexpr char kEd25519 = 0x01;
constexpr std::size_t kMaxSignatures = 100;

// Non-empty, without '+' and without Unicode white space.
bool IsKeyName(std::string_view name) {
  static constexpr std::string_view kSpaces[] = {" "sv,
                                                 "\t"sv,
                                                 "\n"sv,
                                                 "\v"sv,
                                                 "\f"sv,
                                                 "\r"sv,
                                                 "\xC2\x85"sv,
                                                 "\xC2\xA0"sv,
                                                 "\xE1\x9A\x80"sv,
                                                 "\xE2\x80\xA8"sv,
                                                 "\xE2\x80\xA9"sv,
                                                 "\xE2\x80\xAF"sv,
                                                 "\xE2\x81\x9F"sv,
                                                 "\xE3\x80\x80"sv};
  if (name.empty() || name.find('+') != name.npos) return false;
  for (std::string_view space : kSpaces) {
    if (name.find(space) != name.npos) return false;
  }
  for (char last = '\x80'; last <= '\x8A'; ++last) {  // U+2000 to U+200A
    const char space[] = {'\xE2', '\x80', last};
    if (name.find(std::string_view(space, 3)) != name.npos) return false;
  }
  return true;
}

std::uint32_t KeyId(std::string_view name, std::string_view public_key) {
  Hash hash = Sha256({name, "\n\x01"sv, public_key});
  ByteReader reader(hash.view());
  return reader.U32();
}

struct SignatureLine {
  std::string_view name;
  std::uint32_t id = 0;
  std::string signature;
};

Result<SignatureLine> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kDash))
    return Corruption("note: a signature line does not begin with an em dash");
  line.remove_prefix(kDash.size());
  std::size_t blank = line.find(' ');
  if (blank == line.npos) return Corruption("note: a signature line without signature");
  SignatureLine parsed;
  parsed.name = line.substr(0, blank);
  Result<std::string> blob = FromBase64(line.substr(blank + 1));
  if (!IsKeyName(parsed.name) || !blob.ok() || blob->size() < 5)
    return Corruption("note: a malformed signature line");
  ByteReader reader(*blob);
  parsed.id = reader.U32();
  parsed.signature = std::string(reader.rest());
  return parsed;
}

// The line, with its LF.
std::string SignatureOf(std::string_view text, std::string_view key_name, const SigningKey& key) {
  std::string blob;
  ByteWriter writer(blob);
  writer.U32(KeyId(key_name, key.public_key()));
  writer.Bytes(key.Sign(text));
  return std::string(kDash) + std::string(key_name) + " " + ToBase64(blob) + "\n";
}

}  // namespace

VerifierKey VerifierKey::For(std::string_view name, std::string_view public_key) {
  LV_CHECK(IsKeyName(name) && public_key.size() == kPublicKeySize);
  return {std::string(name), KeyId(name, public_key), std::string(public_key), {}};
}

Result<VerifierKey> VerifierKey::Parse(std::string_view text) {
  std::size_t first = text.find('+');
  std::size_t second = first == text.npos ? first : text.find('+', first + 1);
  if (second == text.npos) return InvalidArgument("verifier key: not of the form NAME+ID+KEY");
  std::string_view name = text.substr(0, first);
  std::string_view id_text = text.substr(first + 1, second - first - 1);
  std::uint32_t id = 0;
  auto [end, error] = std::from_chars(id_text.data(), id_text.data() + id_text.size(), id, 16);
  Result<std::string> key = FromBase64(text.substr(second + 1));
  if (!IsKeyName(name) || id_text.size() != 8 || error != std::errc() ||
      end != id_text.data() + 8 || !key.ok()) {
    return InvalidArgument("verifier key: not of the form NAME+ID+KEY");
  }
  if (key->size() != 1 + kPublicKeySize || (*key)[0] != kEd25519) {
    return InvalidArgument("verifier key: not an Ed25519 key");
  }
  VerifierKey parsed = For(name, std::string_view(*key).substr(1));
  if (parsed.id != id)
    return InvalidArgument("verifier key: its id does not belong to its name and key");
  return parsed;
}

std::string VerifierKey::ToString() const {
  std::string id_bytes;
  ByteWriter(id_bytes).U32(id);
  return name + "+" + ToHex(id_bytes) + "+" + ToBase64(std::string(1, kEd25519) + public_key);
}

VerifierKey VerifierKey::NarrowedBy(const VerifierKey& other) const {
  VerifierKey narrowed = *this;
  for (Earlier& mine : narrowed.earlier) {
    for (const Earlier& theirs : other.earlier) {
      if (theirs.public_key == mine.public_key)
        mine.last_size = std::min(mine.last_size, theirs.last_size);
    }
  }
  return narrowed;
}

std::string SignNote(std::string_view text, std::string_view key_name, const SigningKey& key) {
  LV_CHECK(text.ends_with('\n'));
  return std::string(text) + "\n" + SignatureOf(text, key_name, key);
}

std::string AddSignature(std::string_view note, std::string_view key_name, const SigningKey& key) {
  const std::size_t split = note.rfind("\n\n");
  LV_CHECK(split != note.npos);
  return std::string(note) + SignatureOf(note.substr(0, split + 1), key_name, key);
}

bool LooksLikeNote(std::string_view text) {
  return text.find("\n\n" + std::string(kDash)) != std::string_view::npos;
}

Result<std::string> OpenNote(std::string_view note, const VerifierKey& key) {
  if (note.size() > kMaxNoteSize) return Corruption("note: longer than 64 KiB");
  auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  if (std::any_of(note.begin(), note.end(), is_control))
    return Corruption("note: has control characters");
  std::size_t split = note.rfind("\n\n");
  if (split == note.npos || !note.ends_with('\n')) return Corruption("note: no signatures");
  std::string_view text = note.substr(0, split + 1);
  std::string_view lines = note.substr(split + 2);
  if (lines.empty()) return Corruption("note: no signatures");

  bool verified = false;
  for (std::size_t count = 0; !lines.empty(); ++count) {
    if (count == kMaxSignatures) return Corruption("note: more than 100 signatures");
    std::size_t end = lines.find('\n');
    Result<SignatureLine> line = ParseSignatureLine(lines.substr(0, end));
    if (!line.ok()) return line.status();
    lines.remove_prefix(end + 1);
    if (line->name != key.name || line->id != key.id) continue;
    if (Status status = VerifyEd25519(key.public_key, text, line->signature); !status.ok()) {
      return status.WithContext("note: signature of " + key.name);
    }
    verified = true;
  }
  if (!verified) return Corruption("note: not signed by " + key.name);
  return std::string(text);
}

}  // namespace logvault::evidence
