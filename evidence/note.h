// Signed notes, as c2sp.org/signed-note v1.0.0 has them: text that ends in a newline, an empty line, and
// signature lines "— name base64(key id[4] || signature)".  Only Ed25519 (type 0x01) is known here; other
// signatures are carried and ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/keys.h"

namespace logvault::evidence {

inline constexpr std::size_t kMaxNoteSize = 64 * 1024;

// "<name>+<8 hex digits>+<base64(0x01 || public key)>", the first line of vault.pub; and, where the key was changed, those
// that it followed.
struct VerifierKey {
  static constexpr std::uint64_t kInForce = UINT64_MAX;
  // A key of the same name: what it signed counts for trees up to last_size.
  struct Earlier {
    std::string public_key;
    std::uint64_t last_size = kInForce;
    bool operator==(const Earlier&) const = default;
  };

  std::string name;
  std::uint32_t id = 0;
  std::string public_key;        // 32 bytes
  std::vector<Earlier> earlier;  // newest first

  static Result<VerifierKey> Parse(std::string_view text);
  static VerifierKey For(std::string_view name, std::string_view public_key);
  [[nodiscard]] std::string ToString() const;  // without the earlier ones
  // The key that the vault was made with, which its name is derived from.
  [[nodiscard]] const std::string& first_public_key() const {
    return earlier.empty() ? public_key : earlier.back().public_key;
  }
  // The same with what `other`, of the same vault, knows of the ends of its earlier keys.
  [[nodiscard]] VerifierKey NarrowedBy(const VerifierKey& other) const;
  bool operator==(const VerifierKey&) const = default;
};

// Returns the note: `text`, an empty line and one signature line.  REQUIRES: text ends in '\n'.
std::string SignNote(std::string_view text, std::string_view key_name, const SigningKey& key);

// `note` with one signature line more.  REQUIRES: it is a note.
std::string AddSignature(std::string_view note, std::string_view key_name, const SigningKey& key);

// Whether `text` means to be a note: it has a signature line behind an empty one.  Says nothing of what that is worth.
bool LooksLikeNote(std::string_view text);

// The text of `note` once the signature by `key` is verified.  Refuses a note without a signature by that
// key, or with a wrong one (kCorruption).  Knows nothing of the keys before it: that is OpenCheckpoint's.
Result<std::string> OpenNote(std::string_view note, const VerifierKey& key);

}  // namespace logvault::evidence
