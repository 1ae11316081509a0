#include "forwarder/journal_source.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "formats/event_time.h"

namespace logvault::forwarder {

JournalSource::JournalSource(JournalSourceOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      folder_(options_.directory),
      skip_existing_(options_.from_end) {}

bool JournalSource::Resume(const std::vector<evidence::PositionEntry>& position, bool known) {
  files_.clear();
  resumed_.clear();
  changed_.clear();
  unread_.clear();
  moving_ = nullptr;
  last_.reset();
  in_round_ = false;
  first_scan_ = true;
  skip_existing_ = options_.from_end && !known;
  next_look_ = next_scan_ = INT64_MIN;
  for (const evidence::PositionEntry& entry : position) {
    Result<JournalPlace> place = JournalPlace::Parse(entry);
    if (place.ok()) {
      resumed_.emplace(entry.key, *std::move(place));
    } else {
      // To read that file again from its beginning is safe; not to know why would not be.
      Say("warning", entry.key, place.status().message());
    }
  }
  return true;
}

Source::Outcome JournalSource::Read(OpenBatch& batch) {
  if (!in_round_) {
    if (clock_.Monotonic() < next_look_) return Outcome::kIdle;
    BeginRound();
  }
  while (Tracked* next = moving_ != nullptr ? moving_ : Oldest()) {
    if (!Move(*next, batch)) return Outcome::kFull;
  }
  EndRound();
  return Outcome::kIdle;
}

void JournalSource::Watch() {
  if (!in_round_ && clock_.Monotonic() >= next_scan_) Scan();
}

void JournalSource::BeginRound() {
  if (clock_.Monotonic() >= next_scan_) Scan();
  in_round_ = true;
  unread_.clear();
  for (auto& [id, tracked] : files_) {
    if (tracked.file == nullptr) continue;
    Look(tracked);
    if (!tracked.unread()) continue;
    unread_.push_back(&tracked);
    if (tracked.place.taken > 0) moving_ = &tracked;
  }
}

// At the header, which may be damaged too, or that of an older copy put back.
void JournalSource::Look(Tracked& tracked) {
  JournalPlace& place = tracked.place;
  Result<JournalHeader> header = tracked.file->Header();
  if (header.ok()) tracked.header = *std::move(header);
  place.entries = tracked.header.entries;
  place.archived = tracked.header.archived || place.path.ends_with('~');
  if (place.read <= place.entries) return;
  Say("warning", place.path, "the journal file has fewer entries than were read from it");
  place.read = place.entries;
  if (tracked.file->SkipToEnd().ok()) place.cursor = tracked.file->cursor();
  Changed(tracked);
}

void JournalSource::EndRound() {
  in_round_ = false;
  next_look_ = clock_.Monotonic() + kJournalLookNanos;
  for (auto next = files_.begin(); next != files_.end();) {
    auto at = next++;
    Tracked& tracked = at->second;
    if (tracked.unread()) continue;
    if (tracked.place.archived && tracked.file != nullptr) {
      tracked.file.reset();
      Changed(tracked);
    }
    if (!tracked.on_path) {
      Changed(tracked);
      files_.erase(at);
    }
  }
}

JournalSource::Tracked* JournalSource::Oldest() {
  Tracked* oldest = nullptr;
  const JournalCursor* oldest_cursor = nullptr;
  std::erase_if(unread_, [&](Tracked* tracked) {
    if (!tracked->unread()) {
      tracked->file->Release();
      return true;
    }
    Result<const JournalCursor*> cursor = tracked->file->Peek();
    if (!cursor.ok() || *cursor == nullptr) {
      Stuck(*tracked, cursor.status());
      return true;
    }
    if (oldest == nullptr || Compare(**cursor, *oldest_cursor) < 0) {
      oldest = tracked;
      oldest_cursor = *cursor;
    }
    return false;
  });
  return oldest;
}

// Less came out of the file than it says it holds.  It gets one more chance: the writer may be at work.
void JournalSource::Stuck(Tracked& tracked, const Status& trouble) {
  tracked.file->Release();
  if (!std::exchange(tracked.stuck, true)) return;
  const std::string why = trouble.ok() ? "" : ": " + trouble.message();
  Say("gap", tracked.place.path, "the journal file is damaged, entries cannot be read" + why,
      tracked.header.entries - tracked.place.read);
  tracked.place.read = tracked.header.entries;
  tracked.place.taken = 0;
  Changed(tracked);
}

// False where the batch has no room.
bool JournalSource::Move(Tracked& tracked, OpenBatch& batch) {
  if (tracked.pending.empty() && !Load(tracked)) return true;
  const std::string_view rest = std::string_view(tracked.pending).substr(tracked.place.taken);
  const std::string_view piece = rest.substr(0, evidence::kMaxRecordSize);
  const bool last = piece.size() == rest.size();
  formats::TimeContext times;
  evidence::RecordView record;
  record.read_time = clock_.Now();
  record.event_time = formats::EventTime(formats::Format::kJournal, tracked.pending, times);
  record.origin = tracked.place.path;
  record.bytes = piece;
  if (last) record.flags |= tracked.pending_flags;
  if (tracked.place.taken > 0) {
    record.flags |= evidence::kRecordContinues;
    record.event_time = kNoTime;
  }
  if (!batch.Add(record)) return false;
  tracked.place.taken += piece.size();
  moving_ = &tracked;
  if (last) Passed(tracked);
  Changed(tracked);
  return true;
}

// The next entry becomes the pending one; false where it was passed over.
bool JournalSource::Load(Tracked& tracked) {
  Result<const JournalCursor*> cursor = tracked.file->Peek();
  if (!cursor.ok() || *cursor == nullptr) {
    moving_ = nullptr;
    Stuck(tracked, cursor.status());
    std::erase(unread_, &tracked);
    return false;
  }
  const bool duplicate = last_.has_value() && Compare(**cursor, *last_) == 0;
  last_ = **cursor;
  if (tracked.file->cursor_vanished()) {
    tracked.place.taken = 0;
    Say("gap", tracked.place.path, "the entry read last is no longer in the journal file",
        std::nullopt, false);
  }
  Result<JournalEntry> entry = tracked.file->Read();
  if (!entry.ok())
    Say("gap", tracked.place.path, "an entry cannot be read: " + entry.status().message(), 1);
  if (duplicate || !entry.ok()) {
    Passed(tracked);
    Changed(tracked);
    return false;
  }
  if (entry->damaged || entry->cut) {
    const char* why =
        entry->cut ? "an entry is longer than " : "an entry cannot be read to its end; it has ";
    Say("warning", tracked.place.path, why + std::to_string(entry->bytes.size()) + " bytes here");
  }
  tracked.pending = std::move(entry->bytes);
  tracked.pending_flags = entry->damaged || entry->cut ? evidence::kRecordPartial : 0;
  return true;
}

void JournalSource::Passed(Tracked& tracked) {
  tracked.file->Pop();
  tracked.place.cursor = tracked.file->cursor();
  tracked.place.taken = 0;
  ++tracked.place.read;
  tracked.stuck = false;
  tracked.pending.clear();
  moving_ = nullptr;
}

void JournalSource::Changed(const Tracked& tracked) { changed_.insert(tracked.place.file_id); }

std::vector<evidence::PositionEntry> JournalSource::TakePosition() {
  std::vector<evidence::PositionEntry> changes;
  for (const std::string& id : std::exchange(changed_, {})) {
    auto tracked = files_.find(id);
    const bool forgotten = tracked == files_.end();
    changes.push_back(forgotten ? JournalPlace::Removal(id) : tracked->second.place.ToEntry());
  }
  return changes;
}

void JournalSource::Say(std::string_view type, const std::string& path, const std::string& reason,
                        std::optional<std::uint64_t> records, bool exact) {
  nlohmann::json said = {
      {"type", type}, {"source", options_.name}, {"path", path}, {"reason", reason}};
  if (type == "gap") said["exact"] = exact;
  if (records.has_value()) said["records"] = *records;
  own_.push_back(said.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

OwnRecords JournalSource::TakeOwnRecords() { return std::exchange(own_, {}); }

// Bytes of files, by the share of their entries that is not read yet.
SourceState JournalSource::state() const {
  SourceState state = trouble_;
  for (const auto& [id, tracked] : files_) {
    if (!tracked.unread() || tracked.header.entries == 0) continue;
    const double share = static_cast<double>(tracked.header.entries - tracked.place.read) /
                         static_cast<double>(tracked.header.entries);
    state.lag_bytes +=
        static_cast<std::uint64_t>(share * static_cast<double>(tracked.header.used_bytes));
  }
  return state;
}

}  // namespace logvault::forwarder
