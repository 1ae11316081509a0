// Which files the journal has: found by their own ids, under whatever names.
#include <algorithm>
#include <utility>

#include "forwarder/journal_source.h"

namespace logvault::forwarder {

namespace {

// A file that is being made cannot be read at first.
constexpr int kScansBeforeUnreadable = 3;

Result<JournalHeader> HeaderAt(const std::string& path, std::unique_ptr<JournalFile>* file) {
  Result<std::unique_ptr<JournalFile>> opened = JournalFile::Open(path);
  if (!opened.ok()) return opened.status();
  Result<JournalHeader> header = (*opened)->Header();
  if (!header.ok()) return header.status().WithContext(path);
  *file = *std::move(opened);
  return header;
}

}  // namespace

void JournalSource::Scan() {
  next_scan_ = clock_.Monotonic() + kJournalScanNanos;
  Status trouble;
  std::vector<FoundJournal> found = folder_.Find(&trouble);
  const bool whole = trouble.ok();
  by_path_.clear();
  for (auto& [id, tracked] : files_) {
    tracked.on_path = !whole;
    by_path_.emplace(tracked.place.path, &tracked);
  }
  for (const FoundJournal& file : found) Track(file, &trouble);
  if (whole) {
    JudgeVanished();
    first_scan_ = skip_existing_ = false;
  }
  if (!trouble.ok() && trouble.message() != trouble_.detail)
    Say("warning", options_.directory, trouble.message());
  trouble_.state = trouble.ok()                              ? "ok"
                   : trouble.code() == StatusCode::kNotFound ? "missing"
                                                             : "unreadable";
  trouble_.detail = trouble.message();
}

// The file that `found` names, known by its own id: a new one, a known one under whatever name, or a copy of one.
void JournalSource::Track(const FoundJournal& found, Status* trouble) {
  if (auto known = by_path_.find(found.path);
      known != by_path_.end() && known->second->id == found.id) {
    known->second->on_path = true;
    return;
  }
  std::unique_ptr<JournalFile> file;
  Result<JournalHeader> header = HeaderAt(found.path, &file);
  if (!header.ok()) {
    if (header.status().code() == StatusCode::kNotFound) return;
    if (++unreadable_[found.id] >= kScansBeforeUnreadable) *trouble = header.status();
    return;
  }
  unreadable_.erase(found.id);
  auto [at, added] = files_.try_emplace(header->file_id);
  Tracked& tracked = at->second;
  if (!added && tracked.on_path) return;
  tracked.on_path = true;
  tracked.id = found.id;
  tracked.place.path = found.path;
  if (!added) return;
  tracked.header = *std::move(header);
  tracked.file = std::move(file);
  Begin(tracked);
}

// Where reading a file begins.
void JournalSource::Begin(Tracked& tracked) {
  JournalPlace& place = tracked.place;
  place.file_id = tracked.header.file_id;
  if (auto known = resumed_.find(place.file_id); known != resumed_.end()) {
    const std::string path = place.path;
    place = known->second;
    place.path = path;
    resumed_.erase(known);
    tracked.file->SetCursor(place.cursor);
    return;
  }
  if (!skip_existing_) return;
  if (Status skipped = tracked.file->SkipToEnd(); !skipped.ok()) {
    Say("warning", place.path, skipped.message());
    return;
  }
  place.cursor = tracked.file->cursor();
  place.read = place.entries = tracked.header.entries;
  Changed(tracked);
}

// Files that the position names and that nobody sees any more.
void JournalSource::JudgeVanished() {
  for (const auto& [id, place] : std::exchange(resumed_, {})) {
    changed_.insert(id);
    const bool was_read = place.archived && place.read >= place.entries;
    if (!was_read) TellVanished(place);
  }
}

// What journald numbered next to it, and is still there, says how much is gone at most.
void JournalSource::TellVanished(const JournalPlace& place) {
  constexpr const char* kReason = "journal file removed before it was read to its end";
  const std::optional<JournalCursor> cursor = JournalCursor::Parse(place.cursor);
  std::optional<std::uint64_t> between;
  for (const auto& [id, tracked] : files_) {
    const JournalHeader& header = tracked.header;
    if (!cursor.has_value() || header.seqnum_id != cursor->seqnum_id) continue;
    if (header.entries == 0 || header.head_seqnum <= cursor->seqnum) continue;
    const std::uint64_t gap = header.head_seqnum - cursor->seqnum - 1;
    between = std::min(between.value_or(gap), gap);
  }
  if (between == 0) return;
  const std::uint64_t known = place.entries - std::min(place.read, place.entries);
  if (place.archived) return Say("gap", place.path, kReason, known, true);
  if (between.has_value()) return Say("gap", place.path, kReason, *between, false);
  Say("gap", place.path, kReason, known > 0 ? std::optional(known) : std::nullopt, false);
}

}  // namespace logvault::forwarder
