// FileSource: the stream of one configured path or glob, across rotation.
//
// Files are read oldest first, each to its present end.  A renamed file is followed by its descriptor, or found
// again beside its old place, compressed or not; a truncated one starts over, and what its copy still holds is
// read from there; what is lost is told to the forwarder's own stream.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "forwarder/directory_watch.h"
#include "forwarder/file_finder.h"
#include "forwarder/past_files.h"
#include "forwarder/rotated_chain.h"
#include "forwarder/source.h"
#include "forwarder/tracked_file.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxOpenFiles = 64;  // a source
// A renamed or deleted file is given up after this long without growth; a new file that looks like a copy of one
// being read is left alone this long, until the other is truncated or it turns out to be a file of its own.
inline constexpr std::int64_t kRotationGraceNanos = 5 * kNanosPerSecond;
// A file that grew within this time before it was truncated or vanished may have lost bytes that nobody saw.
inline constexpr std::int64_t kBusyNanos = 60 * kNanosPerSecond;
inline constexpr std::int64_t kLookIntervalNanos = kNanosPerSecond / 20;
inline constexpr std::int64_t kScanIntervalNanos = kNanosPerSecond / 2;  // of a glob
// Looks go on this long after the kernel told of something; then there is one in kSlowLookNanos all the same, and a
// glob is scanned every kSlowScanNanos (what is written through mapped memory or another link is not told).
inline constexpr std::int64_t kActiveNanos = 10 * kNanosPerSecond;
inline constexpr std::int64_t kSlowLookNanos = kNanosPerSecond;
inline constexpr std::int64_t kSlowScanNanos = 5 * kNanosPerSecond;
inline constexpr std::size_t kMaxLossesTold = 20;  // one by one, of one scan
// Who still writes to a file that was left behind is noticed after this long.
inline constexpr std::int64_t kPastLookIntervalNanos = 10 * kNanosPerSecond;

struct FileSourceOptions {
  std::string name;
  std::string path;  // or glob
  formats::Format format = formats::Format::kPlain;
  formats::TimeZone zone = formats::TimeZone::Utc();
  bool from_end = false;
  bool watch = true;  // ask the kernel what changed, where it can tell
  bool drain =
      false;  // read each file to the end it has at first sight, its unterminated last line too
};

class FileSource final : public Source {
 public:
  // `clock` must outlive the source.
  FileSource(FileSourceOptions options, const Clock& clock);

  Outcome Read(OpenBatch& batch) override;
  void Watch() override;
  std::vector<evidence::PositionEntry> TakePosition() override;
  bool Resume(const std::vector<evidence::PositionEntry>& position, bool known) override;
  OwnRecords TakeOwnRecords() override;
  [[nodiscard]] SourceState state() const override;
  [[nodiscard]] int poll_fd() const override;

 private:
  struct Entry {
    std::unique_ptr<TrackedFile> file;
    FileFacts facts;  // when the pattern last named it
    UnixNanos order =
        0;  // what is read first: its mtime, or of a chain, not before its predecessor's
    bool on_path = true;              // the pattern names it now
    std::int64_t detached_since = 0;  // Clock::Monotonic, once it does not
    bool looked = false;              // this round; in drain, ever: its end is fixed
    bool gone = false;                // no longer where it was: LostTrack has it
    bool damage_told = false;
    // Nothing of it was read before, and it has changed since it was seen.
    bool resumed_unread = false;
  };
  // A file whose bytes behind `position` are no longer where they were read.
  struct LostTrack {
    FilePosition position;
    std::uint64_t read_end = 0;    // what is in memory included
    std::uint64_t size_known = 0;  // the most it was seen to have
    bool truncated = false;        // else renamed, deleted or replaced
    bool busy = true;              // more may have been written since it was last looked at
    std::unique_ptr<TrackedFile> in_memory;
  };
  // A file that looks like a copy of one being read.
  struct Suspect {
    std::int64_t since = 0;  // Clock::Monotonic, of its last growth
    std::uint64_t size = 0;
  };

  // file_source.cc: the round
  void BeginRound();
  void LookAt(Entry& entry);
  void StartOver(Entry& entry);
  bool ReadRewritten(OpenBatch& batch);
  bool ReadEntry(Entry& entry, OpenBatch& batch);
  [[nodiscard]] bool IsOver(const Entry& entry) const;
  [[nodiscard]] bool IsDamaged(const Entry& entry) const;
  [[nodiscard]] bool IsLeftBehind(const Entry& entry) const;
  void Forget(Entry& entry);
  void CloseQuietFiles();
  void EndRound();
  void NoteTrouble(const Status& trouble);
  void Say(std::string_view type, const std::string& path, std::string_view reason);
  void SayGap(const std::string& path, std::string_view reason, std::uint64_t bytes);

  // file_discovery.cc: which files there are
  void Scan();
  void Take(const std::vector<FoundFile>& found);
  void PlanNextScan(std::int64_t begin);
  void MatchEntries(const std::vector<FoundFile>& found);
  void Detach(Entry& entry);
  void NoteUnread(Entry& entry);
  void NoteNewLiveFiles();
  void LookAtOpenFiles();
  void Discover(const FoundFile& found);
  void DiscoverCompressed();
  bool ResumeKnown(const FoundFile& found);
  void ResumeOnOtherDisks();
  bool ResumeMoved(const FoundFile& found);
  static bool MayBeginWith(const Entry& entry, ContentProbe& probe);
  static bool HoldsBytesOf(Entry& entry, ContentProbe& probe);
  bool IsCopyOfTracked(const FoundFile& found);
  bool MayBeCopy(const FoundFile& found);
  void DropOldSuspects();
  bool IsStillSuspect(const FoundFile& found);
  void LookAtPastFiles();
  Entry& Track(FilePosition position, const FileFacts& facts, bool on_path, std::size_t place);
  void ResumeAt(const FilePosition& known, const FoundFile& found, bool on_path);

  // file_watching.cc: when there is something to look at
  void WatchFolders();
  void TakeNews();
  void NoteChange(const std::string& path, std::int64_t now);
  void NoteWrite(const std::string& path, std::int64_t now);
  [[nodiscard]] bool IsQuiet() const;

  // file_catch_up.cc: where the bytes went
  void Lose(Entry& entry, bool truncated);
  // True where files were put before `place`.
  bool CatchUpLost(std::size_t place);
  void LosePast();
  // By live name.
  using LostFamilies = std::map<std::string, std::vector<LostTrack>>;
  std::size_t CatchUpFamily(const std::string& live, std::vector<LostTrack> lost,
                            const LostFamilies& others, FolderCache& folders, std::size_t place);
  static bool HoldsBytesOfAny(const FoundFile& found, const LostFamilies& families);
  void Supersede(const FilePosition& before);
  void TakeLocated(const FilePosition& before, const FilePosition& now);
  static bool WillBeRead(const TrackedFile& in_memory, const CatchUp& result);
  void Settle(LostTrack lost, const CatchUp& result);
  void SayLoss(const LostTrack& lost, std::uint64_t kept);
  void SayOtherLosses();

  const FileSourceOptions options_;
  const Clock& clock_;
  const FilePattern pattern_;
  ReadRules rules_;

  std::deque<Entry> files_;   // oldest first
  std::set<FileId> tracked_;  // of files_, without those that are gone
  PastFiles past_;
  std::map<FileId, evidence::PositionEntry> changes_;  // that no tracked file tells
  std::vector<LostTrack> lost_;
  std::set<std::string> rotated_;  // live names whose file was renamed: was there another between?
  std::set<std::string> left_names_;  // of files that have another name within the glob now
  // By live name: the mtime of a file of which nothing was read.
  std::map<std::string, UnixNanos> unread_since_;
  std::map<FileId, Suspect> suspects_;
  std::vector<FoundFile> unclaimed_;  // named by the pattern in this scan and not tracked
  std::vector<std::unique_ptr<TrackedFile>>
      rewritten_;  // what was read of them is still to be moved
  OwnRecords own_records_;
  std::size_t losses_ = 0;  // of this scan
  std::uint64_t other_losses_bytes_ = 0;
  bool first_scan_ = true;
  bool skip_existing_ = false;
  bool in_round_ = false;
  std::size_t cursor_ = 0;
  DirectoryWatch watch_;
  bool watching_ = false;  // the kernel tells of everything that matters
  // Clock::Monotonic, all of them
  std::int64_t next_news_ = INT64_MIN;
  std::int64_t active_until_ = INT64_MIN;
  std::int64_t next_slow_look_ = INT64_MIN;
  std::int64_t last_scan_ = 0;
  std::int64_t scan_pause_ = 0;  // between two scans at least
  std::int64_t next_look_ = INT64_MIN;
  std::int64_t next_scan_ = INT64_MIN;
  std::int64_t next_past_look_ = INT64_MIN;
  std::size_t opened_ =
      0;                  // since the quiet ones were closed; at most twice kMaxOpenFiles are open
  Status scan_trouble_;   // what the newest scan met
  Status round_trouble_;  // what this round meets
  SourceState trouble_;   // as of the newest whole round
};

}  // namespace logvault::forwarder
