#include "evidence/checkpoint.h"

#include "evidence/decimal.h"

namespace logvault::evidence {
namespace {

// Takes the first line off `text`; false where it is not ended by '\n' or is empty.
bool TakeLine(std::string_view& text, std::string_view& line) {
  std::size_t end = text.find('\n');
  if (end == text.npos || end == 0) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

// By exactly this key.
Result<Checkpoint> OpenAs(std::string_view note, const VerifierKey& key) {
  Result<std::string> text = OpenNote(note, key);
  if (!text.ok()) return text.status();
  Result<Checkpoint> checkpoint = Checkpoint::Parse(*text);
  if (!checkpoint.ok()) return checkpoint;
  if (checkpoint->origin != key.name)
    return Corruption("checkpoint: is of " + checkpoint->origin + ", not of " + key.name);
  return checkpoint;
}

}  // namespace

Result<Checkpoint> Checkpoint::Parse(std::string_view text) {
  Checkpoint parsed;
  std::string_view origin, size, root;
  if (!TakeLine(text, origin) || !TakeLine(text, size) || !TakeLine(text, root)) {
    return Corruption("checkpoint: needs lines for origin, size and root");
  }
  for (std::string_view extension; !text.empty();) {
    if (!TakeLine(text, extension))
      return Corruption("checkpoint: an empty or unended extension line");
  }
  if (!ParseDecimal(size, parsed.size))
    return Corruption("checkpoint: the size is not a decimal number");
  Result<std::string> root_bytes = FromBase64(root);
  if (!root_bytes.ok() || root_bytes->size() != kHashSize)
    return Corruption("checkpoint: the root is not a hash");
  parsed.origin = std::string(origin);
  parsed.root = *Hash::FromBytes(*root_bytes);
  return parsed;
}

std::string Checkpoint::ToString() const {
  return origin + "\n" + std::to_string(size) + "\n" + ToBase64(root.view()) + "\n";
}

std::string OriginFor(std::string_view vault_name, std::string_view vault_public_key) {
  return std::string(vault_name) + "/" + Sha256(vault_public_key).Hex().substr(0, 8);
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key) {
  return SignNote(checkpoint.ToString(), checkpoint.origin, key);
}

Result<Checkpoint> UnverifiedCheckpoint(std::string_view note) {
  const std::size_t split = note.rfind("\n\n");
  if (split == note.npos) return Corruption("note: no signatures");
  return Checkpoint::Parse(note.substr(0, split + 1));
}

Result<Checkpoint> OpenCheckpoint(std::string_view note, const VerifierKey& key) {
  Result<Checkpoint> checkpoint = OpenAs(note, key);
  for (const VerifierKey::Earlier& earlier : key.earlier) {
    if (checkpoint.ok()) break;
    Result<Checkpoint> older = OpenAs(note, VerifierKey::For(key.name, earlier.public_key));
    if (!older.ok()) continue;
    if (older->size <= earlier.last_size) return older;
    return Corruption("checkpoint: of " + std::to_string(older->size) +
                      " blocks, signed by a key that was retired at " +
                      std::to_string(earlier.last_size));
  }
  return checkpoint;
}

}  // namespace logvault::evidence
