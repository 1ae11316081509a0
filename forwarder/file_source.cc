#include "forwarder/file_source.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "forwarder/rotated_name.h"

namespace logvault::forwarder {

namespace {

std::string_view StateFor(const Status& trouble) {
  return trouble.code() == StatusCode::kNotFound ? "missing" : "unreadable";
}

// A path may hold bytes that are not UTF-8.
std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

FileSource::FileSource(FileSourceOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), pattern_(options_.path) {
  rules_.format = options_.format;
  rules_.zone = options_.zone;
  rules_.final = options_.drain;
}

bool FileSource::Resume(const std::vector<evidence::PositionEntry>& position, bool known) {
  files_.clear();
  tracked_.clear();
  rewritten_.clear();
  past_.Clear();
  changes_.clear();
  suspects_.clear();
  lost_.clear();
  rotated_.clear();
  left_names_.clear();
  unread_since_.clear();
  in_round_ = false;
  first_scan_ = true;
  next_look_ = next_scan_ = INT64_MIN;
  active_until_ = clock_.Monotonic() + kActiveNanos;
  skip_existing_ = options_.from_end && !known;
  for (const evidence::PositionEntry& entry : position) {
    Result<FilePosition> parsed = FilePosition::Parse(entry);
    if (parsed.ok()) {
      past_.Put(*std::move(parsed));
      continue;
    }
    // Reading that file again from its beginning is safe; not knowing why would not be.
    Say("warning", options_.path, parsed.status().message());
  }
  return true;
}

Source::Outcome FileSource::Read(OpenBatch& batch) {
  if (!in_round_) {
    TakeNews();
    if (clock_.Monotonic() < next_look_ || IsQuiet()) return Outcome::kIdle;
    BeginRound();
  }
  while (cursor_ < files_.size()) {
    LookAt(files_[cursor_]);
    // What it was before comes first, where that is still to be had.
    if (CatchUpLost(cursor_)) continue;
    if (!ReadEntry(files_[cursor_], batch)) return Outcome::kFull;
    if (IsOver(files_[cursor_])) {
      Forget(files_[cursor_]);
      files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(cursor_));
    } else {
      ++cursor_;
    }
    if (opened_ > kMaxOpenFiles) CloseQuietFiles();
  }
  EndRound();
  return Outcome::kIdle;
}

void FileSource::Watch() {
  TakeNews();
  if (clock_.Monotonic() >= next_scan_ && !options_.drain) Scan();
}

void FileSource::BeginRound() {
  if (!options_.drain) {
    for (Entry& entry : files_) entry.looked = false;
  }
  round_trouble_ = Status::Ok();
  if (clock_.Monotonic() >= next_scan_) Scan();
  cursor_ = 0;
  in_round_ = true;
}

void FileSource::EndRound() {
  in_round_ = false;
  next_look_ = clock_.Monotonic() + kLookIntervalNanos;
  next_slow_look_ = clock_.Monotonic() + kSlowLookNanos;
  const Status& trouble = scan_trouble_.ok() ? round_trouble_ : scan_trouble_;
  if (!trouble.ok() && trouble.message() != trouble_.detail) {
    Say("warning", options_.path, trouble.message());
  }
  trouble_.state = trouble.ok() ? "ok" : StateFor(trouble);
  trouble_.detail = trouble.message();
}

void FileSource::NoteTrouble(const Status& trouble) {
  if (round_trouble_.ok()) round_trouble_ = trouble;
}

void FileSource::LookAt(Entry& entry) {
  if (entry.looked || entry.gone) return;
  entry.looked = true;
  TrackedFile& file = *entry.file;
  if (!file.is_open()) {
    if (entry.on_path && file.IsUntouched(entry.facts)) return;
    Status opened = file.Open();
    if (opened.ok()) ++opened_;
    if (opened.code() == StatusCode::kCorruption) return StartOver(entry);
    bool elsewhere =
        opened.code() == StatusCode::kNotFound || opened.code() == StatusCode::kAborted;
    if (elsewhere && !entry.on_path) return Lose(entry, false);
    if (elsewhere) return;  // The next scan finds out.
    if (!opened.ok()) return NoteTrouble(opened);
  }
  TrackedFile::Look look = file.LookAgain();
  if (look == TrackedFile::Look::kRewritten) return StartOver(entry);
  if (look == TrackedFile::Look::kGrown) NoteUnread(entry);
  // A network file system may have lost the file behind the descriptor.
  if (look == TrackedFile::Look::kFailed) file.Close();
}

void FileSource::StartOver(Entry& entry) {
  Say("rotated", entry.file->path(), "truncated or overwritten");
  Lose(entry, true);
}

bool FileSource::ReadRewritten(OpenBatch& batch) {
  while (!rewritten_.empty()) {
    if (rewritten_.front()->ReadBuffered(batch) == TrackedFile::Outcome::kFull) return false;
    rewritten_.erase(rewritten_.begin());
  }
  return true;
}

// False where the batch is full.
bool FileSource::ReadEntry(Entry& entry, OpenBatch& batch) {
  if (!ReadRewritten(batch)) return false;
  TrackedFile& file = *entry.file;
  if (!file.is_open()) return true;
  TrackedFile::Outcome outcome = file.Read(batch);
  if (std::uint64_t hole = file.TakeHole(); hole > 0) {
    Say("warning", file.path(),
        std::to_string(hole) + " bytes left out that were never written: a hole at the beginning");
  }
  if (outcome == TrackedFile::Outcome::kFailed) {
    NoteTrouble(Unavailable(file.path() + ": cannot be read"));
    file.Close();
  }
  if (outcome != TrackedFile::Outcome::kAtEnd) return outcome != TrackedFile::Outcome::kFull;
  if (IsOver(entry) || IsDamaged(entry) || IsLeftBehind(entry)) outcome = file.ReadRest(batch);
  if (outcome == TrackedFile::Outcome::kFull) return false;
  if (IsDamaged(entry) && !std::exchange(entry.damage_told, true))
    SayGap(file.path(), file.damage().message(), 0);
  // A decoder is not kept in memory for a file that is done.
  if (entry.on_path && file.compressed() && (file.damage().ok() || entry.damage_told)) {
    file.MarkOver();
    file.Close();
  }
  return true;
}

// What seems damaged may still be in the making: only where nothing was added for a while it is damaged.
bool FileSource::IsDamaged(const Entry& entry) const {
  const TrackedFile& file = *entry.file;
  if (file.damage().ok() || !file.is_open()) return false;
  return options_.drain || clock_.Monotonic() - file.last_growth() >= kRotationGraceNanos;
}

// A glob goes on naming what rotation made of a file, and nobody ends the last line of that.
bool FileSource::IsLeftBehind(const Entry& entry) const {
  const TrackedFile& file = *entry.file;
  if (!pattern_.is_glob() || !file.HasUnread()) return false;
  if (clock_.Monotonic() - file.last_growth() < kRotationGraceNanos) return false;
  const std::vector<std::string> names = LiveNamesOfPath(file.path());
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return FactsOf(name).ok(); });
}

bool FileSource::IsOver(const Entry& entry) const {
  if (entry.gone) return true;
  if (entry.on_path) return false;
  if (options_.drain) return true;
  if (entry.file->is_open() && entry.file->compressed() && entry.file->damage().ok()) return true;
  std::int64_t since = std::max(entry.detached_since, entry.file->last_growth());
  return clock_.Monotonic() - since >= kRotationGraceNanos && entry.file->is_open();
}

void FileSource::Forget(Entry& entry) {
  if (entry.gone) return;
  TrackedFile& file = *entry.file;
  tracked_.erase(file.id());
  bool deleted = file.IsDeleted();
  Say("rotated", file.path(), deleted ? "deleted" : "renamed");
  file.FollowName();
  file.MarkOver();
  FilePosition position = file.Position();
  changes_.insert_or_assign(position.id, position.ToEntry());
  past_.Put(std::move(position));
  for (const FilePosition& surplus : past_.TakeSurplus())
    changes_.insert_or_assign(surplus.id, surplus.Removal());
}

void FileSource::CloseQuietFiles() {
  std::vector<Entry*> open;
  for (Entry& entry : files_) {
    if (entry.file->is_open()) open.push_back(&entry);
  }
  opened_ = 0;
  if (open.size() <= kMaxOpenFiles) return;
  std::stable_sort(open.begin(), open.end(), [](const Entry* a, const Entry* b) {
    return a->file->last_growth() < b->file->last_growth();
  });
  open.resize(open.size() - kMaxOpenFiles);
  for (Entry* entry : open) entry->file->Close();
}

std::vector<evidence::PositionEntry> FileSource::TakePosition() {
  for (Entry& entry : files_) {
    if (entry.file->TakeMoved()) {
      changes_.insert_or_assign(entry.file->id(), entry.file->Position().ToEntry());
    }
  }
  std::vector<evidence::PositionEntry> entries;
  entries.reserve(changes_.size());
  for (auto& [id, entry] : changes_) entries.push_back(std::move(entry));
  changes_.clear();
  return entries;
}

void FileSource::Say(std::string_view type, const std::string& path, std::string_view reason) {
  own_records_.push_back(
      Dump({{"type", type}, {"source", options_.name}, {"path", path}, {"reason", reason}}));
}

// `bytes` are certain; there may have been more.
void FileSource::SayGap(const std::string& path, std::string_view reason, std::uint64_t bytes) {
  own_records_.push_back(Dump({{"type", "gap"},
                               {"source", options_.name},
                               {"path", path},
                               {"reason", reason},
                               {"bytes", bytes},
                               {"exact", false}}));
}

OwnRecords FileSource::TakeOwnRecords() { return std::exchange(own_records_, {}); }

SourceState FileSource::state() const {
  SourceState state = trouble_;
  for (const Entry& entry : files_) {
    if (entry.gone || entry.file->compressed()) continue;  // Nobody knows what it expands to.
    std::uint64_t size = std::max(entry.facts.size, entry.file->size_seen());
    if (size > entry.file->offset()) state.lag_bytes += size - entry.file->offset();
  }
  if (state.state == "ok" && pattern_.is_glob() && files_.empty())
    state.detail = "no file matches " + options_.path;
  return state;
}

}  // namespace logvault::forwarder
