// FileSource: the stream of one configured path or glob, across rotation.
//
// Files are read oldest first, each to its present end.  A renamed file is followed by its descriptor, or found
// again beside its old place after a restart; a truncated one starts over, and what its copy still holds is
// read from there; what is certainly lost is told to the forwarder's own stream.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "forwarder/file_finder.h"
#include "forwarder/source.h"
#include "forwarder/tracked_file.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxOpenFiles = 64;         // a source
inline constexpr std::size_t kMaxForgottenFiles = 1000;  // positions kept of files that are gone
inline constexpr std::size_t kMaxOrphans = 64;
// A renamed or deleted file is given up after this long without growth; a new file that looks like a copy of one
// being read is left alone this long, until the other is truncated or it turns out to be a file of its own.
inline constexpr std::int64_t kRotationGraceNanos = 5 * kNanosPerSecond;
inline constexpr std::int64_t kLookIntervalNanos = kNanosPerSecond / 20;
inline constexpr std::int64_t kScanIntervalNanos = kNanosPerSecond / 2;  // of a glob

struct FileSourceOptions {
  std::string name;
  std::string path;  // or glob
  formats::Format format = formats::Format::kPlain;
  formats::TimeZone zone = formats::TimeZone::Utc();
  bool from_end = false;
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

 private:
  struct Entry {
    std::unique_ptr<TrackedFile> file;
    FileFacts facts;                  // when the pattern last named it
    bool on_path = true;              // the pattern names it now
    std::int64_t detached_since = 0;  // Clock::Monotonic, once it does not
    bool looked = false;              // this round; in drain, ever: its end is fixed
  };

  void BeginRound();
  void Scan();
  void Discover(const FoundFile& found);
  Entry& Track(FilePosition position, const FileFacts& facts, bool on_path);
  bool ResumeKnown(const FoundFile& found);
  bool ResumeMoved(const FoundFile& found);
  void ResumeAt(const FilePosition& known, const FoundFile& found);
  bool MayBeCopy(const FoundFile& found);
  void FollowForgotten();
  bool FollowElsewhere(const FilePosition& position);
  void Detach(Entry& entry);
  void LookAt(Entry& entry);
  void StartOver(Entry& entry);
  void Orphan(FilePosition position);
  bool ReadRewritten(OpenBatch& batch);
  bool ReadEntry(Entry& entry, OpenBatch& batch);
  [[nodiscard]] bool IsOver(const Entry& entry) const;
  void Forget(Entry& entry);
  void CloseQuietFiles();
  [[nodiscard]] bool IsTracked(const FileId& id) const;
  void Say(std::string_view type, const std::string& path, std::string_view reason,
           std::uint64_t bytes);
  void EndRound();
  void NoteTrouble(const Status& trouble);

  const FileSourceOptions options_;
  const Clock& clock_;
  const FilePattern pattern_;
  ReadRules rules_;

  std::deque<Entry> files_;                            // oldest first; references survive push_back
  std::map<FileId, FilePosition> forgotten_;           // read before, not tracked now
  std::map<FileId, evidence::PositionEntry> changes_;  // that no tracked file tells
  std::vector<FilePosition> orphans_;        // truncated: their bytes may turn up in a copy
  std::map<FileId, std::int64_t> suspects_;  // may be copies, since when
  std::vector<std::unique_ptr<TrackedFile>>
      rewritten_;  // what was read of them is still to be moved
  OwnRecords own_records_;
  bool first_scan_ = true;
  bool skip_existing_ = false;
  bool in_round_ = false;
  std::size_t cursor_ = 0;
  std::int64_t next_look_ = INT64_MIN;
  std::int64_t next_scan_ = INT64_MIN;
  std::size_t opened_ =
      0;                  // since the quiet ones were closed; at most twice kMaxOpenFiles are open
  Status scan_trouble_;   // what the newest scan met
  Status round_trouble_;  // what this round meets
  SourceState trouble_;   // as of the newest whole round
};

}  // namespace logvault::forwarder
