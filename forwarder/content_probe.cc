#include "forwarder/content_probe.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "evidence/hash.h"

namespace logvault::forwarder {

const std::string& ContentProbe::Head() {
  if (head_.has_value()) return *head_;
  head_.emplace();
  Result<std::unique_ptr<FileBytes>> opened = FileBytes::Open(found_.path);
  if (!opened.ok()) return *head_;
  Result<FileFacts> facts = (*opened)->Facts();
  if (!facts.ok() || facts->id != found_.facts.id) return *head_;
  bytes_ = *std::move(opened);
  Result<std::string> head = bytes_->ReadAt(0, kIdentityBytes);
  if (head.ok()) head_ = *std::move(head);
  return *head_;
}

bool ContentProbe::CanOpen() {
  Head();
  return bytes_ != nullptr;
}

std::uint64_t ContentProbe::Fingerprint() { return FingerprintOf(Head()); }

bool ContentProbe::Has(const FilePosition& position, std::uint64_t min_bytes) {
  if (position.offset == 0 || position.offset < min_bytes) return false;
  bool plain = CompressionOf(found_.path) == Compression::kNone;
  if (plain && found_.facts.size < position.offset) return false;
  const std::size_t checked = position.checked_bytes();
  if (!HasHash(0, checked, position.head_hash)) return false;
  return checked == position.offset ||
         HasHash(position.offset - checked, checked, position.tail_hash);
}

bool ContentProbe::MayBecome(const FilePosition& position) {
  if (position.offset < kMinContentMatch || Fingerprint() != position.fingerprint) return false;
  const std::size_t checked = position.checked_bytes();
  return Head().size() < checked || HasHash(0, checked, position.head_hash);
}

std::optional<FilePosition> ContentProbe::EndBefore(const FilePosition& position) {
  if (!CanOpen() || Head().size() < kMinContentMatch || Fingerprint() != position.fingerprint)
    return std::nullopt;
  if (Head().size() == kIdentityBytes && !HasHash(0, kIdentityBytes, position.head_hash))
    return std::nullopt;
  if (Result<std::string> last = bytes_->ReadAt(position.offset - 1, 1);
      !last.ok() || !last->empty())
    return std::nullopt;
  FilePosition end = position;
  if (bytes_->compressed()) {
    end.stored = StoredFile{found_.facts.size, found_.facts.mtime};
    return end;
  }
  end.offset = found_.facts.size;
  Result<std::string> tail = bytes_->ReadAt(end.offset - end.checked_bytes(), end.checked_bytes());
  if (!tail.ok() || tail->size() != end.checked_bytes()) return std::nullopt;
  end.tail_hash = evidence::Sha256(*tail);
  end.head_hash = evidence::Sha256(std::string_view(Head()).substr(0, end.checked_bytes()));
  return end;
}

bool ContentProbe::MayBeginWith(ContentProbe& beginning) {
  if (!CanOpen() || !beginning.CanOpen()) return true;
  if (bytes_->compressed() || beginning.bytes_->compressed()) return true;
  const std::uint64_t end = beginning.found_.facts.size;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end, kIdentityBytes));
  Result<std::string> theirs = beginning.bytes_->ReadAt(end - size, size);
  Result<std::string> ours = bytes_->ReadAt(end - size, size);
  return !theirs.ok() || !ours.ok() || *theirs == *ours;
}

bool ContentProbe::HasHash(std::uint64_t offset, std::size_t size, const evidence::Hash& hash) {
  const std::string& head = Head();
  if (bytes_ == nullptr) return false;
  if (offset == 0) {
    return head.size() >= size && evidence::Sha256(std::string_view(head).substr(0, size)) == hash;
  }
  Result<std::string> bytes = bytes_->ReadAt(offset, size);
  return bytes.ok() && bytes->size() == size && evidence::Sha256(*bytes) == hash;
}

}  // namespace logvault::forwarder
