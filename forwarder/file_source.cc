#include "forwarder/file_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace logvault::forwarder {

namespace {

FilePosition BeginningOf(const FoundFile& found) {
  FilePosition position;
  position.id = found.facts.id;
  position.path = found.path;
  return position;
}

std::string_view StateFor(const Status& trouble) {
  return trouble.code() == StatusCode::kNotFound ? "missing" : "unreadable";
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
  rewritten_.clear();
  forgotten_.clear();
  changes_.clear();
  orphans_.clear();
  suspects_.clear();
  in_round_ = false;
  first_scan_ = true;
  next_look_ = next_scan_ = INT64_MIN;
  skip_existing_ = options_.from_end && !known;
  for (const evidence::PositionEntry& entry : position) {
    Result<FilePosition> parsed = FilePosition::Parse(entry);
    if (parsed.ok()) {
      const FileId id = parsed->id;
      forgotten_.insert_or_assign(id, *std::move(parsed));
      continue;
    }
    // Reading that file again from its beginning is safe; not knowing why would not be.
    Say("warning", options_.path, parsed.status().message(), 0);
  }
  return true;
}

Source::Outcome FileSource::Read(OpenBatch& batch) {
  if (!in_round_) {
    if (clock_.Monotonic() < next_look_) return Outcome::kIdle;
    BeginRound();
  }
  while (cursor_ < files_.size()) {
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
  if (clock_.Monotonic() >= next_scan_ && !options_.drain) Scan();
}

void FileSource::BeginRound() {
  if (clock_.Monotonic() >= next_scan_) Scan();
  if (!options_.drain) {
    for (Entry& entry : files_) entry.looked = false;
  }
  round_trouble_ = Status::Ok();
  cursor_ = 0;
  in_round_ = true;
}

void FileSource::EndRound() {
  in_round_ = false;
  next_look_ = clock_.Monotonic() + kLookIntervalNanos;
  const Status& trouble = scan_trouble_.ok() ? round_trouble_ : scan_trouble_;
  if (!trouble.ok() && trouble.message() != trouble_.detail) {
    Say("warning", options_.path, trouble.message(), 0);
  }
  trouble_.state = trouble.ok() ? "ok" : StateFor(trouble);
  trouble_.detail = trouble.message();
}

void FileSource::NoteTrouble(const Status& trouble) {
  if (round_trouble_.ok()) round_trouble_ = trouble;
}

void FileSource::Scan() {
  const std::int64_t begin = clock_.Monotonic();
  scan_trouble_ = Status::Ok();
  std::vector<FoundFile> found = pattern_.Find(&scan_trouble_);
  std::map<FileId, const FoundFile*> named;
  for (const FoundFile& file : found) named.emplace(file.facts.id, &file);
  for (Entry& entry : files_) {
    auto match = named.find(entry.file->id());
    if (match == named.end()) {
      Detach(entry);
      continue;
    }
    entry.file->set_path(match->second->path);
    entry.file->NoteSize(match->second->facts.size);
    entry.facts = match->second->facts;
    entry.on_path = true;
  }
  if (!first_scan_ && !in_round_) {
    // Truncation first: a new file may be the copy.
    for (std::size_t i = 0; i < files_.size(); ++i) LookAt(files_[i]);
  }
  std::set<FileId> tracked;
  for (const Entry& entry : files_) tracked.insert(entry.file->id());
  for (const FoundFile& file : found) {
    if (!tracked.contains(file.facts.id) && !IsTracked(file.facts.id)) Discover(file);
  }
  if (first_scan_) FollowForgotten();
  if (!in_round_) {
    std::stable_sort(files_.begin(), files_.end(), [](const Entry& a, const Entry& b) {
      // The kernel's clock ticks every few milliseconds: of two files of one tick, the rotated one is older.
      return std::tie(a.facts.mtime, a.on_path, a.file->path()) <
             std::tie(b.facts.mtime, b.on_path, b.file->path());
    });
  }
  first_scan_ = skip_existing_ = false;
  std::int64_t cost = clock_.Monotonic() - begin;
  std::int64_t pause =
      pattern_.is_glob() ? std::max(kScanIntervalNanos, 50 * cost) : kLookIntervalNanos;
  next_scan_ = options_.drain ? INT64_MAX : begin + pause;
}

bool FileSource::IsTracked(const FileId& id) const {
  return std::any_of(files_.begin(), files_.end(),
                     [&id](const Entry& entry) { return entry.file->id() == id; });
}

FileSource::Entry& FileSource::Track(FilePosition position, const FileFacts& facts, bool on_path) {
  Entry entry;
  entry.file = std::make_unique<TrackedFile>(std::move(position), rules_, clock_);
  entry.facts = facts;
  entry.on_path = on_path;
  entry.detached_since = clock_.Monotonic();
  files_.push_back(std::move(entry));
  return files_.back();
}

void FileSource::Discover(const FoundFile& found) {
  if (ResumeKnown(found) || ResumeMoved(found) || MayBeCopy(found)) return;
  suspects_.erase(found.facts.id);
  Entry& entry = Track(BeginningOf(found), found.facts, true);
  if (!skip_existing_) return;
  Status opened = entry.file->Open();
  if (opened.ok()) opened = entry.file->SkipToEnd();
  if (!opened.ok()) Say("warning", found.path, opened.message(), 0);
}

// The same inode as before: its bytes decide.
bool FileSource::ResumeKnown(const FoundFile& found) {
  auto known = forgotten_.find(found.facts.id);
  if (known == forgotten_.end()) return false;
  FilePosition position = known->second;
  position.path = found.path;
  forgotten_.erase(known);
  TrackedFile probe(position, rules_, clock_);
  Status opened =
      found.facts.size < position.offset ? Corruption("shorter than before") : probe.Open();
  if (opened.code() != StatusCode::kCorruption) {
    Track(std::move(position), found.facts, true);
    return true;
  }
  changes_.insert_or_assign(position.id, position.Removal());
  Say("rotated", found.path, "replaced or truncated while not being read", 0);
  if (!FollowElsewhere(position)) Orphan(std::move(position));
  return false;  // The inode was handed out again: whose bytes are these?
}

// Another inode, but the bytes of a file we read before: moved, copied or restored.
bool FileSource::ResumeMoved(const FoundFile& found) {
  ContentProbe probe(found);
  for (const auto& [id, known] : forgotten_) {
    if (!probe.Has(known)) continue;
    ResumeAt(known, found);
    changes_.insert_or_assign(id, known.Removal());
    forgotten_.erase(id);
    return true;
  }
  auto orphan = std::find_if(orphans_.begin(), orphans_.end(),
                             [&probe](const FilePosition& known) { return probe.Has(known); });
  if (orphan == orphans_.end()) return false;
  ResumeAt(*orphan, found);
  orphans_.erase(orphan);
  return true;
}

void FileSource::ResumeAt(const FilePosition& known, const FoundFile& found) {
  FilePosition position = known;
  position.id = found.facts.id;
  position.path = found.path;
  changes_.insert_or_assign(position.id, position.ToEntry());
  Track(std::move(position), found.facts, true);
}

// copytruncate makes its copy first: reading that at once would send everything again.
bool FileSource::MayBeCopy(const FoundFile& found) {
  if (first_scan_ || options_.drain) return false;
  ContentProbe probe(found);
  bool alike = std::any_of(files_.begin(), files_.end(), [&probe](const Entry& entry) {
    return entry.on_path && probe.Has(entry.file->Position());
  });
  if (!alike) return false;
  auto [suspect, added] = suspects_.try_emplace(found.facts.id, clock_.Monotonic());
  return clock_.Monotonic() - suspect->second < kRotationGraceNanos;
}

void FileSource::FollowForgotten() {
  std::map<FileId, FilePosition> forgotten = forgotten_;
  for (const auto& [id, position] : forgotten) FollowElsewhere(position);
}

// Tracks the file that holds what follows `position` under a name that the pattern does not have.
bool FileSource::FollowElsewhere(const FilePosition& position) {
  for (const FoundFile& sibling : Siblings(position)) {
    if (IsTracked(sibling.facts.id)) continue;
    if (sibling.facts.id != position.id && !ContentProbe(sibling).Has(position)) continue;
    FilePosition there = position;
    there.id = sibling.facts.id;
    there.path = sibling.path;
    TrackedFile probe(there, rules_, clock_);
    if (!probe.Open().ok()) continue;
    forgotten_.erase(position.id);
    if (there.id != position.id) {
      changes_.insert_or_assign(position.id, position.Removal());
      changes_.insert_or_assign(there.id, there.ToEntry());
    }
    bool nothing_added = sibling.facts.size == there.offset;
    if (nothing_added) forgotten_.insert_or_assign(there.id, there);
    if (!nothing_added) Track(std::move(there), sibling.facts, false);
    return true;
  }
  return false;
}

// The pattern no longer names the file.
void FileSource::Detach(Entry& entry) {
  if (!entry.on_path) return;
  entry.on_path = false;
  entry.detached_since = clock_.Monotonic();
  if (entry.file->is_open() || entry.facts.size <= entry.file->offset()) return;
  for (const FoundFile& sibling : Siblings(entry.file->Position())) {
    if (sibling.facts.id == entry.file->id()) entry.file->set_path(sibling.path);
  }
}

void FileSource::LookAt(Entry& entry) {
  if (entry.looked) return;
  entry.looked = true;
  TrackedFile& file = *entry.file;
  if (!file.is_open()) {
    bool quiet = entry.facts.size == file.offset() && entry.facts.mtime == file.mtime();
    if (quiet && entry.on_path) return;
    Status opened = file.Open();
    if (opened.ok()) ++opened_;
    if (opened.code() == StatusCode::kCorruption) {
      StartOver(entry);
      return;
    }
    if (!opened.ok()) {
      if (entry.on_path) NoteTrouble(opened);
      return;
    }
  }
  if (file.LookAgain() == TrackedFile::Look::kRewritten) StartOver(entry);
}

void FileSource::StartOver(Entry& entry) {
  std::unique_ptr<TrackedFile> old = std::move(entry.file);
  FilePosition before = old->Position();
  FoundFile same{before.path, entry.facts};
  same.facts.id = before.id;
  changes_.insert_or_assign(before.id, before.Removal());
  entry.file = std::make_unique<TrackedFile>(BeginningOf(same), rules_, clock_);
  if (entry.file->Open().ok()) entry.file->LookAgain();
  Say("rotated", before.path, "truncated or overwritten", 0);
  if (FollowElsewhere(before)) return;
  Orphan(before);
  if (old->size_seen() > old->read_end()) {
    Say("gap", before.path, "truncated before it was read", old->size_seen() - old->read_end());
  }
  if (old->is_open()) rewritten_.push_back(std::move(old));
}

void FileSource::Orphan(FilePosition position) {
  if (orphans_.size() == kMaxOrphans) orphans_.erase(orphans_.begin());
  orphans_.push_back(std::move(position));
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
  LookAt(entry);
  if (!ReadRewritten(batch)) return false;
  if (!entry.file->is_open()) return true;
  TrackedFile::Outcome outcome = entry.file->Read(batch);
  if (outcome == TrackedFile::Outcome::kFailed) {
    NoteTrouble(Unavailable(entry.file->path() + ": cannot be read"));
  }
  if (outcome == TrackedFile::Outcome::kAtEnd && IsOver(entry))
    outcome = entry.file->ReadRest(batch);
  return outcome != TrackedFile::Outcome::kFull;
}

bool FileSource::IsOver(const Entry& entry) const {
  if (entry.on_path) return false;
  if (options_.drain || !entry.file->is_open()) return true;
  std::int64_t since = std::max(entry.detached_since, entry.file->last_growth());
  return clock_.Monotonic() - since >= kRotationGraceNanos;
}

void FileSource::Forget(Entry& entry) {
  TrackedFile& file = *entry.file;
  FilePosition position = file.Position();
  bool deleted = file.IsDeleted();
  Say("rotated", position.path, deleted ? "deleted" : "renamed", 0);
  if (!file.is_open() && entry.facts.size > position.offset) {
    Say("gap", position.path, "gone before it was read", entry.facts.size - position.offset);
  }
  if (deleted) {
    changes_.insert_or_assign(position.id, position.Removal());
    return;
  }
  if (file.TakeMoved()) changes_.insert_or_assign(position.id, position.ToEntry());
  forgotten_.insert_or_assign(position.id, std::move(position));
  if (forgotten_.size() <= kMaxForgottenFiles) return;
  auto oldest =
      std::min_element(forgotten_.begin(), forgotten_.end(),
                       [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; });
  changes_.insert_or_assign(oldest->first, oldest->second.Removal());
  forgotten_.erase(oldest);
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

void FileSource::Say(std::string_view type, const std::string& path, std::string_view reason,
                     std::uint64_t bytes) {
  nlohmann::json record = {
      {"type", type}, {"source", options_.name}, {"path", path}, {"reason", reason}};
  if (bytes > 0) record.update({{"bytes", bytes}, {"exact", false}});
  // A path may hold bytes that are not UTF-8.
  own_records_.push_back(record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

OwnRecords FileSource::TakeOwnRecords() { return std::exchange(own_records_, {}); }

SourceState FileSource::state() const {
  SourceState state = trouble_;
  for (const Entry& entry : files_) {
    std::uint64_t size = std::max(entry.facts.size, entry.file->size_seen());
    if (size > entry.file->offset()) state.lag_bytes += size - entry.file->offset();
  }
  if (state.state == "ok" && pattern_.is_glob() && files_.empty())
    state.detail = "no file matches " + options_.path;
  return state;
}

}  // namespace logvault::forwarder
