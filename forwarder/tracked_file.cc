#include "forwarder/tracked_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "evidence/hash.h"
#include "formats/fields.h"

namespace logvault::forwarder {

namespace {

constexpr std::size_t kBlockSize = 256 * 1024;
constexpr std::size_t kBannerWithinRecords = 16;
// A line without an end is read in growing blocks, so that looking for its end stays linear.
constexpr std::size_t kMaxBlockSize = 4 * 1024 * 1024;

Status ErrnoStatus(const std::string& path) {
  std::string message = path + ": " + std::strerror(errno);
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return NotFound(message);
    case EACCES:
    case EPERM:
      return PermissionDenied(message);
    default:
      return Unavailable(message);
  }
}

FileFacts FactsFrom(const struct stat& facts) {
  FileFacts result;
  result.id = {static_cast<std::uint64_t>(facts.st_dev), static_cast<std::uint64_t>(facts.st_ino)};
  result.size = static_cast<std::uint64_t>(facts.st_size);
  result.mtime =
      static_cast<UnixNanos>(facts.st_mtim.tv_sec) * kNanosPerSecond + facts.st_mtim.tv_nsec;
  return result;
}

// `size` bytes at `offset`, or fewer where the file ends.
Result<std::string> ReadAt(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    ssize_t n = ::pread(fd, bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Unavailable(std::string("read: ") + std::strerror(errno));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace

Result<FileFacts> FactsOf(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return ErrnoStatus(path);
  if (S_ISDIR(facts.st_mode)) return FailedPrecondition(path + " is a directory");
  if (!S_ISREG(facts.st_mode)) return FailedPrecondition(path + " is not a regular file");
  return FactsFrom(facts);
}

TrackedFile::TrackedFile(FilePosition position, const ReadRules& rules, const Clock& clock)
    : rules_(rules), clock_(clock), position_(std::move(position)) {
  times_.zone = rules_.zone;
  times_.banner_offset = position_.banner_offset;
  last_growth_ = clock_.Monotonic();
}

TrackedFile::~TrackedFile() { Close(); }

void TrackedFile::Close() {
  if (fd_ < 0) return;
  position_ = Position();
  ::close(std::exchange(fd_, -1));
  head_ = {};
  buffer_ = {};
  cuts_ = {};
  begin_ = next_cut_ = 0;
  tried_read_end_ = UINT64_MAX;
}

Status TrackedFile::Open() {
  if (is_open()) return Status::Ok();
  // O_NONBLOCK: a pipe that took the file's place must not hold us up.
  int fd = ::open(path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return ErrnoStatus(path());
  struct stat facts {};
  if (::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || FactsFrom(facts).id != id()) {
    ::close(fd);
    return Aborted(path() + " is another file now");
  }
  const std::size_t checked = position_.checked_bytes();
  Result<std::string> head = ReadAt(fd, 0, checked);
  Result<std::string> tail = ReadAt(fd, offset() - checked, checked);
  if (!head.ok() || !tail.ok()) {
    ::close(fd);
    return head.ok() ? tail.status() : head.status();
  }
  if (checked > 0 && (evidence::Sha256(*head) != position_.head_hash ||
                      evidence::Sha256(*tail) != position_.tail_hash)) {
    ::close(fd);
    return Corruption(path() + " no longer has the bytes that were read");
  }
  fd_ = fd;
  head_ = *std::move(head);
  buffer_ = *std::move(tail);
  begin_ = buffer_.size();
  encoding_known_ = offset() > 0;
  cut_continues_ = position_.continues;
  block_ = kBlockSize;
  size_ = offset();  // Nothing is read before the first look.
  return Status::Ok();
}

TrackedFile::Look TrackedFile::LookAgain() {
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0) return Look::kFailed;
  FileFacts now = FactsFrom(facts);
  if (now.size == size_ && now.mtime == mtime_) return Look::kSame;
  if (now.size < read_end() || !StillMatches()) return Look::kRewritten;
  bool grown = now.size > size_;
  if (grown) last_growth_ = clock_.Monotonic();
  size_ = now.size;
  NoteSize(size_);
  mtime_ = now.mtime;
  return grown ? Look::kGrown : Look::kSame;
}

// The last bytes read still stand where they were read.
bool TrackedFile::StillMatches() const {
  std::size_t size = std::min(buffer_.size(), kIdentityBytes);
  Result<std::string> now = ReadAt(fd_, read_end() - size, size);
  return now.ok() && *now == std::string_view(buffer_).substr(buffer_.size() - size);
}

TrackedFile::Outcome TrackedFile::Read(OpenBatch& batch) {
  if (rules_.final) return ReadTo(formats::End::kFinal, batch);
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
  struct stat facts {};
  return is_open() && ::fstat(fd_, &facts) == 0 && facts.st_nlink == 0;
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
  std::uint64_t end = read_end();
  if (end >= size_) return false;
  DropHistory();
  std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - end, block_));
  std::size_t old_size = buffer_.size();
  buffer_.resize(old_size + size);
  ssize_t n = -1;
  do {
    n = ::pread(fd_, buffer_.data() + old_size, size, static_cast<off_t>(end));
  } while (n < 0 && errno == EINTR);
  buffer_.resize(old_size + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  if (n < 0) return ErrnoStatus(path());
  if (n == 0) {
    size_ = end;  // Shorter than it was a moment ago; the next look finds out.
    return false;
  }
  read_time_ = clock_.Now();
  return true;
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
    if (offset() < reread_until_) record.flags |= evidence::kRecordReread;
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
  std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(size_, kIdentityBytes));
  Result<std::string> head = ReadAt(fd_, 0, size);
  if (!head.ok()) return head.status();
  Result<std::string> tail = ReadAt(fd_, size_ - size, size);
  if (!tail.ok()) return tail.status();
  position_.encoding = formats::DetectEncoding(*head);
  position_.offset = size_;
  std::string_view line_end = position_.encoding == formats::Encoding::kUtf16Le
                                  ? std::string_view("\n\0", 2)
                                  : std::string_view("\n");
  position_.continues = !tail->ends_with(line_end);
  encoding_known_ = size_ >= 2;
  head_ = *std::move(head);
  buffer_ = *std::move(tail);
  begin_ = buffer_.size();
  moved_ = true;
  return Status::Ok();
}

FilePosition TrackedFile::Position() {
  if (!is_open()) return position_;
  std::size_t checked = position_.checked_bytes();
  position_.head_hash = evidence::Sha256(std::string_view(head_).substr(0, checked));
  position_.tail_hash =
      evidence::Sha256(std::string_view(buffer_).substr(begin_ - checked, checked));
  position_.banner_offset = times_.banner_offset;
  position_.seen = clock_.Now() / kNanosPerSecond;
  return position_;
}

bool TrackedFile::TakeMoved() { return std::exchange(moved_, false); }

}  // namespace logvault::forwarder
