// TrackedFile: one regular file, read from its position to its present end, record by record.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "formats/event_time.h"
#include "formats/format.h"
#include "formats/framer.h"
#include "formats/time_zone.h"
#include "forwarder/file_bytes.h"
#include "forwarder/open_batch.h"
#include "forwarder/position.h"

namespace logvault::forwarder {

// A multi-line record without a next header closes after this long without bytes.
inline constexpr std::int64_t kRecordIdleNanos = kNanosPerSecond;

// How every file of a source is read.
struct ReadRules {
  formats::Format format = formats::Format::kPlain;
  formats::TimeZone zone = formats::TimeZone::Utc();
  bool final = false;  // there is no later: an unterminated last line is a record
};

// Owns the descriptor while open, and a buffer of what was read and not cut.  Not for several threads.
class TrackedFile {
 public:
  // `rules` and `clock` must outlive the file.
  TrackedFile(FilePosition position, const ReadRules& rules, const Clock& clock);
  TrackedFile(const TrackedFile&) = delete;
  TrackedFile& operator=(const TrackedFile&) = delete;

  // Opens position().path.  kAborted where another file stands there, kCorruption where the bytes before the
  // offset are not those that were read.
  Status Open();
  [[nodiscard]] bool is_open() const { return bytes_ != nullptr; }
  // Gives the descriptor and the memory back; Open() goes on where reading stopped.
  void Close();

  // Where the file stands now; reading goes up to the size it had then.
  enum class Look { kSame, kGrown, kRewritten, kFailed };
  Look LookAgain();

  enum class Outcome { kAtEnd, kFull, kFailed };
  // Moves records into `batch` up to the end that LookAgain() saw.
  Outcome Read(OpenBatch& batch);
  // As Read, and what is left without its terminator becomes a record too: the file ends here.
  Outcome ReadRest(OpenBatch& batch);

  // As ReadRest, of what is in memory already: the file has other bytes now.
  Outcome ReadBuffered(OpenBatch& batch);
  // Open, and no name leads to it any more.
  [[nodiscard]] bool IsDeleted() const;

  // Leaves out everything up to the present end.  REQUIRES: open, nothing read yet.
  Status SkipToEnd();

  // Why a compressed file cannot be read beyond read_end(); OK where it can.
  [[nodiscard]] const Status& damage() const { return damage_; }
  // Bytes before the first that was written, left out since the last call: a writer kept its offset over a truncation.
  std::uint64_t TakeHole() { return std::exchange(hole_, 0); }

  // With the hashes as of the last record moved.
  FilePosition Position();
  // As if all that is in memory had been moved.  REQUIRES: open.
  [[nodiscard]] FilePosition Ahead() const;
  [[nodiscard]] const FileId& id() const { return position_.id; }
  [[nodiscard]] const std::string& path() const { return position_.path; }
  void set_path(std::string path);
  // Where path() leads through symbolic links, where that is elsewhere.
  [[nodiscard]] const std::string& target() const { return position_.target; }
  // The pattern no longer names it: `path` becomes where it lies now.
  void FollowName();
  // Nothing more is expected of it.
  void MarkOver();
  [[nodiscard]] std::uint64_t offset() const { return position_.offset; }
  [[nodiscard]] std::uint64_t read_end() const { return position_.offset + unread().size(); }
  // The largest size the file was ever seen to have.
  [[nodiscard]] std::uint64_t size_seen() const { return size_seen_; }
  // The file had `size` a moment ago.  Counts only where it still holds what was read: another content's size would be
  // told as lost with this one.
  void NoteSize(std::uint64_t size);
  [[nodiscard]] UnixNanos mtime() const { return mtime_; }
  [[nodiscard]] std::int64_t last_growth() const { return last_growth_; }  // Clock::Monotonic
  [[nodiscard]] bool compressed() const { return CompressionOf(path()) != Compression::kNone; }
  // Closed, and nothing has changed since it was read to its end.
  [[nodiscard]] bool IsUntouched(const FileFacts& facts) const;
  // Of the position; cheap.
  [[nodiscard]] std::uint64_t fingerprint();
  // Of the file as it begins now, read or not.
  [[nodiscard]] std::uint64_t FingerprintNow();
  // Lines without an end wait for it.
  [[nodiscard]] bool HasUnread() const { return !unread().empty(); }
  // Records were moved since the last call.
  bool TakeMoved();

 private:
  // Bytes read and not yet moved into a batch.
  [[nodiscard]] std::string_view unread() const { return std::string_view(buffer_).substr(begin_); }
  Outcome ReadTo(formats::End at_end, OpenBatch& batch);
  bool MoveCuts(OpenBatch& batch);
  void CutUnread(formats::End end);
  // False at the end; fills the buffer otherwise.
  Result<bool> ReadBlock();
  Look LookAtCompressed(const FileFacts& now);
  Status SkipHole();
  void DropHistory();
  void TrimBuffer();
  [[nodiscard]] bool StillMatches() const;
  UnixNanos EventTimeOf(std::string_view bytes, const formats::Cut& cut);
  void LookForBanner();

  const ReadRules& rules_;
  const Clock& clock_;
  FilePosition position_;
  std::unique_ptr<FileBytes> bytes_;  // null while closed
  std::uint64_t size_ = 0;  // as LookAgain() saw it; UINT64_MAX before a compressed file's end
  std::uint64_t size_seen_ = 0;
  UnixNanos mtime_ = 0;
  std::int64_t last_growth_ = 0;
  std::uint64_t hole_ = 0;
  Status damage_;
  bool moved_ = false;
  bool encoding_known_ = false;

  std::string head_;
  std::string buffer_;       // up to kIdentityBytes already moved, then what is unread
  std::size_t begin_ = 0;    // of the unread bytes
  std::size_t block_ = 0;    // bytes to read next
  UnixNanos read_time_ = 0;  // of the newest block
  std::vector<formats::Cut> cuts_;
  std::size_t next_cut_ = 0;
  bool cut_continues_ = false;  // as CutRecords left it
  // The newest cut that found everything there was: cutting the same bytes again is useless.
  std::uint64_t tried_read_end_ = UINT64_MAX;
  formats::End tried_ = formats::End::kMore;
  formats::TimeContext times_;
};

}  // namespace logvault::forwarder
