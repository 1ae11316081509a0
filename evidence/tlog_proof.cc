#include "evidence/tlog_proof.h"

#include "evidence/decimal.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMaxHashes = 64;  // a tree of 2^64 leaves

// A file whose first line alone is damaged is a damaged proof rather than no proof.
bool LooksLikeProof(std::string_view text) {
  if (text.starts_with(kHeader)) return true;
  const std::string_view rest = text.substr(std::min(text.size(), kHeader.size()));
  return rest.starts_with(kExtra) || rest.starts_with(kIndex);
}

// Takes what stands behind `prefix` on the first line of `text`, and the line with it.
bool TakeLine(std::string_view& text, std::string_view prefix, std::string_view& value) {
  if (!text.starts_with(prefix)) return false;
  const std::size_t end = text.find('\n');
  if (end == text.npos) return false;
  value = text.substr(prefix.size(), end - prefix.size());
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

Result<TlogProof> TlogProof::Parse(std::string_view text) {
  if (!LooksLikeProof(text)) return InvalidArgument("not a C2SP tlog-proof");
  if (!text.starts_with(kHeader)) return Corruption("proof: its first line was altered");
  text.remove_prefix(kHeader.size());
  TlogProof proof;
  std::string_view value;
  if (TakeLine(text, kExtra, value)) {
    Result<std::string> extra = FromBase64(value);
    if (!extra.ok() || extra->empty()) return Corruption("proof: the extra line is not base64");
    proof.extra = *std::move(extra);
  }
  if (!TakeLine(text, kIndex, value) || !ParseDecimal(value, proof.index))
    return Corruption("proof: no line with the entry's index");
  while (!text.starts_with('\n')) {
    if (!TakeLine(text, "", value)) return Corruption("proof: ends before its checkpoint");
    Result<std::string> bytes = FromBase64(value);
    if (!bytes.ok() || bytes->size() != kHashSize || proof.hashes.size() == kMaxHashes)
      return Corruption("proof: a line of its path is not a hash");
    proof.hashes.push_back(*Hash::FromBytes(*bytes));
  }
  proof.note = std::string(text.substr(1));
  return proof;
}

std::string TlogProof::Serialize() const {
  std::string text(kHeader);
  if (!extra.empty()) text += std::string(kExtra) + ToBase64(extra) + "\n";
  text += std::string(kIndex) + std::to_string(index) + "\n";
  for (const Hash& hash : hashes) text += ToBase64(hash.view()) + "\n";
  return text + "\n" + note;
}

}  // namespace logvault::evidence
