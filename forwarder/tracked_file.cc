#include "forwarder/tracked_file.h"

#include <algorithm>
#include <utility>

#include "evidence/hash.h"
#include "formats/fields.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kBlockSize = 256 * 1024;
constexpr std::size_t kBannerWithinRecords = 16;
// A line without an end is read in growing blocks, so that looking for its end stays linear.
constexpr std::size_t kMaxBlockSize = 4 * 1024 * 1024;

constexpr std::uint64_t kEndUnknown = UINT64_MAX;

}  // namespace

TrackedFile::TrackedFile(FilePosition position, const ReadRules& rules, const Clock& clock)
    : rules_(rules), clock_(clock), position_(std::move(position)) {
  times_.zone = rules_.zone;
  times_.banner_offset = position_.banner_offset;
  last_growth_ = clock_.Monotonic();
}

void TrackedFile::Close() {
  if (!is_open()) return;
  position_ = Position();
  bytes_.reset();
  head_ = {};
  buffer_ = {};
  cuts_ = {};
  begin_ = next_cut_ = 0;
  tried_read_end_ = UINT64_MAX;
}

Status TrackedFile::Open() {
  if (is_open()) return Status::Ok();
  Result<std::unique_ptr<FileBytes>> opened = FileBytes::Open(path());
  if (!opened.ok()) return opened.status();
  FileBytes& bytes = **opened;
  Result<FileFacts> facts = bytes.Facts();
  if (!facts.ok()) return facts.status();
  if (facts->id != id()) return Aborted(path() + " is another file now");
  const std::size_t checked = position_.checked_bytes();
  Result<std::string> head = checked > 0 ? bytes.ReadAt(0, checked) : std::string();
  if (!head.ok()) return head.status();
  Result<std::string> tail = checked < offset() ? bytes.ReadAt(offset() - checked, checked) : head;
  if (!tail.ok()) return tail.status();
  if (checked > 0 && (evidence::Sha256(*head) != position_.head_hash ||
                      evidence::Sha256(*tail) != position_.tail_hash)) {
    return Corruption(path() + " no longer has the bytes that were read");
  }
  bytes_ = *std::move(opened);
  head_ = *std::move(head);
  buffer_ = *std::move(tail);
  begin_ = buffer_.size();
  encoding_known_ = offset() > 0;
  cut_continues_ = position_.continues;
  block_ = kBlockSize;
  size_ = offset();  // Nothing is read before the first look.
  damage_ = Status::Ok();
  position_.born = facts->born;
  position_.stored.reset();
  if (std::string target = bytes_->PathNow(); target != path()) position_.target = target;
  return Status::Ok();
}

TrackedFile::Look TrackedFile::LookAgain() {
  Result<FileFacts> now = bytes_->Facts();
  if (!now.ok()) return Look::kFailed;
  if (bytes_->compressed()) return LookAtCompressed(*now);
  if (now->size == size_ && now->mtime == mtime_) return Look::kSame;
  if (now->size < read_end() || !StillMatches()) return Look::kRewritten;
  // Of a file of which nothing is read yet only its size can tell: it is smaller than it was, or was written to and is
  // empty all the same.
  const bool emptied = now->size == 0 && mtime_ != 0;
  if (read_end() == 0 && (emptied || now->size < size_seen_)) return Look::kRewritten;
  bool grown = now->size > size_;
  if (grown) last_growth_ = clock_.Monotonic();
  size_ = now->size;
  size_seen_ = std::max(size_seen_, size_);
  position_.mtime = mtime_ = now->mtime;
  return grown ? Look::kGrown : Look::kSame;
}

// It is written once; where it changes it was still being made, and what seemed damage was only its end.
TrackedFile::Look TrackedFile::LookAtCompressed(const FileFacts& now) {
  StoredFile stored{now.size, now.mtime};
  if (position_.stored == stored) return Look::kSame;
  position_.stored = stored;
  position_.mtime = mtime_ = now.mtime;
  last_growth_ = clock_.Monotonic();
  if (!damage_.ok()) bytes_->Restart();
  damage_ = Status::Ok();
  size_ = kEndUnknown;
  return Look::kGrown;
}

void TrackedFile::NoteSize(std::uint64_t size) {
  if (size > size_seen_ && is_open() && StillMatches()) size_seen_ = size;
}

// The last bytes read still stand where they were read.
bool TrackedFile::StillMatches() const {
  std::size_t size = std::min(buffer_.size(), kIdentityBytes);
  Result<std::string> now = bytes_->ReadAt(read_end() - size, size);
  return now.ok() && *now == std::string_view(buffer_).substr(buffer_.size() - size);
}

TrackedFile::Outcome TrackedFile::Read(OpenBatch& batch) {
  if (rules_.final) return ReadTo(formats::End::kFinal, batch);
  if (bytes_->compressed()) {
    Outcome outcome = ReadTo(formats::End::kMore, batch);
    // Nobody adds to it; only what looks damaged may still be in the making.
    return outcome == Outcome::kAtEnd && damage_.ok() ? ReadRest(batch) : outcome;
  }
  bool idle = clock_.Monotonic() - last_growth_ >= kRecordIdleNanos;
  return ReadTo(idle ? formats::End::kIdle : formats::End::kMore, batch);
}

TrackedFile::Outcome TrackedFile::ReadRest(OpenBatch& batch) {
  return ReadTo(formats::End::kFinal, batch);
}

TrackedFile::Outcome TrackedFile::ReadBuffered(OpenBatch& batch) {
  size_ = read_end();
  return ReadTo(formats::End::kFinal, batch);
}

bool TrackedFile::IsDeleted() const {
  if (!is_open()) return false;
  Result<FileFacts> facts = bytes_->Facts();
  return facts.ok() && facts->links == 0;
}

void TrackedFile::set_path(std::string path) {
  if (path == position_.path) return;
  position_.path = std::move(path);
  position_.live.clear();
}

void TrackedFile::FollowName() {
  std::string now = is_open() ? bytes_->PathNow() : std::string();
  if (now.empty() || now == path()) return;
  if (position_.live.empty()) position_.live = position_.path;
  position_.path = std::move(now);
  position_.target.clear();
}

bool TrackedFile::IsUntouched(const FileFacts& facts) const {
  if (is_open()) return false;
  if (compressed()) return position_.stored == StoredFile{facts.size, facts.mtime};
  return facts.size == offset() && facts.mtime == mtime_;
}

std::uint64_t TrackedFile::fingerprint() {
  if (position_.fingerprint == 0 && read_end() >= kFingerprintBytes && is_open())
    position_.fingerprint =
        FingerprintOf(head_ + std::string(unread().substr(0, kFingerprintBytes)));
  return position_.fingerprint;
}

std::uint64_t TrackedFile::FingerprintNow() {
  if (const std::uint64_t known = fingerprint(); known != 0 || !is_open() || compressed())
    return known;
  Result<std::string> head = bytes_->ReadAt(0, kFingerprintBytes);
  return head.ok() ? FingerprintOf(*head) : 0;
}

void TrackedFile::MarkOver() {
  moved_ = moved_ || !position_.over;
  position_.over = true;
}

TrackedFile::Outcome TrackedFile::ReadTo(formats::End at_end, OpenBatch& batch) {
  while (true) {
    if (!MoveCuts(batch)) return Outcome::kFull;
    Result<bool> more = ReadBlock();
    if (!more.ok()) return Outcome::kFailed;
    CutUnread(*more ? formats::End::kMore : at_end);
    if (!*more && cuts_.empty()) {
      TrimBuffer();
      return Outcome::kAtEnd;
    }
  }
}

// A file that stands at its end must not keep a block's memory.
void TrackedFile::TrimBuffer() {
  if (buffer_.capacity() < kBlockSize / 4 || unread().size() > buffer_.capacity() / 2) return;
  DropHistory();
  buffer_.shrink_to_fit();
}

Result<bool> TrackedFile::ReadBlock() {
  if (read_end() == 0 && size_ > 0) LV_RETURN_IF_ERROR(SkipHole());
  std::uint64_t end = read_end();
  if (end >= size_) return false;
  DropHistory();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - end, block_));
  Result<std::size_t> got = bytes_->AppendAt(end, size, buffer_);
  if (!got.ok() && bytes_->compressed()) {
    damage_ = got.status();
    size_ = end;
    return false;
  }
  if (!got.ok()) return got.status();
  // The end of what is compressed; of another file, shorter than a moment ago: the next look finds out.
  if (*got == 0) size_ = end;
  if (*got == 0) return false;
  read_time_ = clock_.Now();
  return true;
}

// Where a writer that kept its offset writes into a truncated file, zeros stand that nobody wrote.
Status TrackedFile::SkipHole() {
  const std::uint64_t data = std::min(bytes_->AfterHole(0), size_);
  if (data == 0) return Status::Ok();
  Result<std::string> block = bytes_->ReadAt(data, kIdentityBytes);
  if (!block.ok()) return block.status();
  const std::size_t zeros = std::min(block->find_first_not_of('\0'), block->size());
  position_.offset = hole_ = data + zeros;
  const std::size_t checked = position_.checked_bytes();
  head_.assign(checked, '\0');
  buffer_.assign(checked, '\0');
  begin_ = checked;
  return Status::Ok();
}

// Keeps the bytes that the next look compares and that the position's hash covers.
void TrackedFile::DropHistory() {
  if (begin_ <= kIdentityBytes) return;
  buffer_.erase(0, begin_ - kIdentityBytes);
  begin_ = kIdentityBytes;
}

void TrackedFile::CutUnread(formats::End end) {
  cuts_.clear();
  next_cut_ = 0;
  std::string_view text = unread();
  if (text.empty() || (tried_read_end_ == read_end() && tried_ == end)) return;
  tried_read_end_ = read_end();
  tried_ = end;
  if (!encoding_known_) {
    if (text.size() < 2 && end == formats::End::kMore) return;
    position_.encoding = formats::DetectEncoding(text);
    encoding_known_ = text.size() >= 2;
  }
  cut_continues_ = position_.continues;
  formats::CutRecords(rules_.format, position_.encoding, text, end, evidence::kMaxRecordSize,
                      &cut_continues_, cuts_);
  LookForBanner();
  block_ = cuts_.empty() ? std::min(std::max(block_, text.size()), kMaxBlockSize) : kBlockSize;
}

// False where the batch is full.
bool TrackedFile::MoveCuts(OpenBatch& batch) {
  for (; next_cut_ < cuts_.size(); ++next_cut_) {
    const formats::Cut& cut = cuts_[next_cut_];
    std::string_view bytes = unread().substr(0, cut.length);
    evidence::RecordView record;
    record.read_time = read_time_;
    record.origin = std::string_view(path()).substr(0, evidence::kMaxOriginSize);
    record.bytes = bytes;
    if (cut.continues) record.flags |= evidence::kRecordContinues;
    if (cut.partial) record.flags |= evidence::kRecordPartial;
    if (position_.encoding == formats::Encoding::kUtf16Le) record.flags |= evidence::kRecordUtf16Le;
    record.event_time = EventTimeOf(bytes, cut);
    if (!batch.Add(record)) return false;
    if (head_.size() < kIdentityBytes) head_.append(bytes.substr(0, kIdentityBytes - head_.size()));
    begin_ += cut.length;
    position_.offset += cut.length;
    bool last = next_cut_ + 1 == cuts_.size();
    position_.continues = cut.partial || (last ? cut_continues_ : cuts_[next_cut_ + 1].continues);
    moved_ = true;
  }
  return true;
}

UnixNanos TrackedFile::EventTimeOf(std::string_view bytes, const formats::Cut& cut) {
  if (cut.continues || rules_.format == formats::Format::kPlain) return kNoTime;
  times_.not_after = std::min(read_time_, mtime_);
  if (position_.encoding == formats::Encoding::kBytes) {
    return formats::EventTime(rules_.format, bytes, times_);
  }
  return formats::EventTime(rules_.format, formats::RecordText(bytes, true), times_);
}

// The server states its zone in a line behind its version: the lines before are of that zone too.
void TrackedFile::LookForBanner() {
  if (rules_.format != formats::Format::kSqlserver || times_.banner_offset.has_value()) return;
  std::string_view text = unread();
  const std::size_t looked_at = std::min(cuts_.size(), kBannerWithinRecords);
  for (std::size_t i = 0; i < looked_at && !times_.banner_offset.has_value(); ++i) {
    (void)EventTimeOf(text.substr(0, cuts_[i].length), cuts_[i]);
    text.remove_prefix(cuts_[i].length);
  }
}

Status TrackedFile::SkipToEnd() {
  LookAgain();
  moved_ = true;
  if (bytes_->compressed()) {
    MarkOver();
    size_ = 0;
    return Status::Ok();
  }
  std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(size_, kIdentityBytes));
  Result<std::string> head = bytes_->ReadAt(0, size);
  if (!head.ok()) return head.status();
  Result<std::string> tail = bytes_->ReadAt(size_ - size, size);
  if (!tail.ok()) return tail.status();
  position_.encoding = formats::DetectEncoding(*head);
  position_.offset = size_;
  std::string_view line_end = position_.encoding == formats::Encoding::kUtf16Le
                                  ? std::string_view("\n\0", 2)
                                  : std::string_view("\n");
  position_.continues = size_ > 0 && !tail->ends_with(line_end);
  encoding_known_ = size_ >= 2;
  head_ = *std::move(head);
  buffer_ = *std::move(tail);
  begin_ = buffer_.size();
  return Status::Ok();
}

FilePosition TrackedFile::Position() {
  if (!is_open()) return position_;
  std::size_t checked = position_.checked_bytes();
  std::string_view head = std::string_view(head_).substr(0, checked);
  position_.head_hash = evidence::Sha256(head);
  position_.tail_hash =
      evidence::Sha256(std::string_view(buffer_).substr(begin_ - checked, checked));
  position_.fingerprint = fingerprint();
  position_.banner_offset = times_.banner_offset;
  return position_;
}

FilePosition TrackedFile::Ahead() const {
  FilePosition ahead = position_;
  ahead.offset = read_end();
  const std::size_t checked = ahead.checked_bytes();
  std::string head = head_ + std::string(unread().substr(0, kIdentityBytes));
  ahead.head_hash = evidence::Sha256(std::string_view(head).substr(0, checked));
  ahead.tail_hash =
      evidence::Sha256(std::string_view(buffer_).substr(buffer_.size() - checked, checked));
  return ahead;
}

bool TrackedFile::TakeMoved() { return std::exchange(moved_, false); }

}  // namespace logvault::forwarder
