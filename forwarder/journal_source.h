// JournalSource: the stream of systemd's journal, one record an entry in export format.
//
// Every file of the journal is read to its end by itself (`journal_file.h`), and always the oldest entry that any of
// them has comes next: the order of `journalctl`, without what journalctl passes over - entries that came late, and those
// behind damage, which are counted against what the file says it holds.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "forwarder/journal_file.h"
#include "forwarder/journal_folder.h"
#include "forwarder/journal_place.h"
#include "forwarder/source.h"

namespace logvault::forwarder {

// How often the files are asked whether they grew, and their folder for new ones.
inline constexpr std::int64_t kJournalLookNanos = kNanosPerSecond / 10;
inline constexpr std::int64_t kJournalScanNanos = kNanosPerSecond;

struct JournalSourceOptions {
  std::string name;
  std::string directory;  // empty: this machine's
  bool from_end = false;
};

class JournalSource final : public Source {
 public:
  // `clock` must outlive the source.
  JournalSource(JournalSourceOptions options, const Clock& clock);

  Outcome Read(OpenBatch& batch) override;
  void Watch() override;
  std::vector<evidence::PositionEntry> TakePosition() override;
  bool Resume(const std::vector<evidence::PositionEntry>& position, bool known) override;
  OwnRecords TakeOwnRecords() override;
  [[nodiscard]] SourceState state() const override;

 private:
  struct Tracked {
    JournalPlace place;
    FileId id;
    JournalHeader header;               // as of the newest look
    std::unique_ptr<JournalFile> file;  // null once it is archived and read
    std::string pending;                // the entry that is being moved, in export format
    std::uint32_t pending_flags = 0;
    bool on_path = true;
    bool stuck = false;  // the newest look got less out of it than its header promises

    [[nodiscard]] bool unread() const { return file != nullptr && place.read < header.entries; }
  };

  void BeginRound();
  void Look(Tracked& tracked);
  void EndRound();
  void Scan();
  void Track(const FoundJournal& found, Status* trouble);
  void Begin(Tracked& tracked);
  void JudgeVanished();
  void TellVanished(const JournalPlace& place);
  Tracked* Oldest();
  void Stuck(Tracked& tracked, const Status& trouble);
  bool Move(Tracked& tracked, OpenBatch& batch);
  bool Load(Tracked& tracked);
  void Passed(Tracked& tracked);
  void Changed(const Tracked& tracked);
  void Say(std::string_view type, const std::string& path, const std::string& reason,
           std::optional<std::uint64_t> records = std::nullopt, bool exact = true);

  const JournalSourceOptions options_;
  const Clock& clock_;
  const JournalFolder folder_;
  std::map<std::string, Tracked> files_;         // by the file's own id
  std::map<std::string, JournalPlace> resumed_;  // positions whose file was not seen yet
  std::map<std::string, Tracked*> by_path_;      // of this scan
  std::map<FileId, int> unreadable_;             // scans that could not read it
  std::vector<Tracked*> unread_;                 // of this round
  Tracked* moving_ = nullptr;                    // parts of its entry are records already
  std::optional<JournalCursor> last_;            // of the newest entry
  std::set<std::string> changed_;                // ids; of a file that is gone, too
  OwnRecords own_;
  SourceState trouble_;
  bool in_round_ = false;
  bool first_scan_ = true;
  bool skip_existing_ = false;
  std::int64_t next_look_ = INT64_MIN;  // Clock::Monotonic
  std::int64_t next_scan_ = INT64_MIN;
};

}  // namespace logvault::forwarder
