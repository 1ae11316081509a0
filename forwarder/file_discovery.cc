// Which files there are now, and which of them were read before.
#include <algorithm>
#include <tuple>
#include <utility>

#include "forwarder/file_source.h"
#include "forwarder/rotated_name.h"

namespace logvault::forwarder {

namespace {

FilePosition BeginningOf(const FoundFile& found) {
  FilePosition position;
  position.id = found.facts.id;
  position.born = found.facts.born;
  position.path = found.path;
  return position;
}

bool HasPlainForm(const std::string& path) {
  std::string plain(WithoutCompression(path));
  return plain != path && FactsOf(plain).ok();
}

}  // namespace

void FileSource::Scan() {
  const std::int64_t begin = clock_.Monotonic();
  scan_trouble_ = Status::Ok();
  std::vector<FoundFile> found = pattern_.Find(&scan_trouble_);
  // A folder that nobody may enter says nothing about its files.
  bool blind = scan_trouble_.code() == StatusCode::kPermissionDenied ||
               scan_trouble_.code() == StatusCode::kUnavailable;
  if (!blind) Take(found);
  WatchFolders();
  PlanNextScan(begin);
}

void FileSource::Take(const std::vector<FoundFile>& found) {
  MatchEntries(found);
  unclaimed_.clear();
  for (const FoundFile& file : found) {
    if (!tracked_.contains(file.facts.id)) unclaimed_.push_back(file);
  }
  // Truncation and what rotation passed over first: a new file may be the copy, or come after it.
  if (!first_scan_ && !in_round_) LookAtOpenFiles();
  // By inode before content: a copy must not take the place of what it was copied from.
  std::erase_if(unclaimed_, [this](const FoundFile& file) { return ResumeKnown(file); });
  if (first_scan_) ResumeOnOtherDisks();
  if (first_scan_) LosePast();
  if (!first_scan_) NoteNewLiveFiles();
  CatchUpLost(files_.size());
  DropOldSuspects();
  for (const FoundFile& file : std::exchange(unclaimed_, {})) {
    if (!tracked_.contains(file.facts.id) && !ResumeKnown(file)) Discover(file);
  }
  if (first_scan_ && !skip_existing_) DiscoverCompressed();
  if (!first_scan_) LookAtPastFiles();
  if (!in_round_) {
    std::stable_sort(files_.begin(), files_.end(), [](const Entry& a, const Entry& b) {
      // The kernel's clock ticks every few milliseconds: of two files of one tick, the rotated one is older.
      if (a.order != b.order || a.on_path != b.on_path)
        return std::tie(a.order, a.on_path) < std::tie(b.order, b.on_path);
      return a.on_path && a.file->path() < b.file->path();
    });
  }
  first_scan_ = skip_existing_ = false;
}

// A host's own work comes first: scanning takes a fiftieth of a core at most, and a five-hundredth while nothing happens.
void FileSource::PlanNextScan(std::int64_t begin) {
  const std::int64_t cost = clock_.Monotonic() - begin;
  last_scan_ = begin;
  scan_pause_ = pattern_.is_glob() ? std::max(kScanIntervalNanos, 50 * cost) : kLookIntervalNanos;
  std::int64_t pause = scan_pause_;
  if (watching_) pause = pattern_.is_glob() ? std::max(kSlowScanNanos, 500 * cost) : kSlowLookNanos;
  next_scan_ = options_.drain ? INT64_MAX : begin + pause;
}

void FileSource::MatchEntries(const std::vector<FoundFile>& found) {
  std::map<FileId, const FoundFile*> named;
  for (const FoundFile& file : found) named.emplace(file.facts.id, &file);
  for (Entry& entry : files_) {
    if (entry.gone) continue;
    auto match = named.find(entry.file->id());
    if (match == named.end()) {
      if (entry.on_path) Detach(entry);
      continue;
    }
    const bool renamed = match->second->path != entry.file->path();
    if (renamed) {
      rotated_.insert(entry.file->Position().family());
      if (left_names_.size() < kMaxPastFiles) left_names_.insert(entry.file->path());
    }
    entry.file->set_path(match->second->path);
    if (!entry.file->compressed()) entry.file->NoteSize(match->second->facts.size);
    entry.facts = match->second->facts;
    entry.order = entry.facts.mtime;
    entry.on_path = true;
    if (renamed) NoteUnread(entry);
  }
}

// The pattern no longer names the file.
void FileSource::Detach(Entry& entry) {
  entry.on_path = false;
  entry.detached_since = clock_.Monotonic();
  rotated_.insert(entry.file->Position().family());
  if (!entry.file->is_open()) {
    NoteUnread(entry);
    return Lose(entry, false);
  }
  // It may have grown since the newest look; what became of it otherwise, the next one finds out.
  (void)entry.file->LookAgain();
  NoteUnread(entry);
}

// A line without its end may be all that a file has, while its successor is read already: it must be known all the same.
void FileSource::NoteUnread(Entry& entry) {
  const std::uint64_t size = std::max(entry.facts.size, entry.file->size_seen());
  if (entry.file->offset() > 0 || size == 0) return;
  if (entry.on_path && (!pattern_.is_glob() || LiveNamesOfPath(entry.file->path()).empty())) return;
  FilePosition position = entry.file->Position();
  position.fingerprint = entry.file->FingerprintNow();
  changes_.insert_or_assign(position.id, position.ToEntry());
}

// A name that stood for another file before, or that rotation makes of one that did: rotations may lie between, even
// where it stood for none for a while.
void FileSource::NoteNewLiveFiles() {
  if (unclaimed_.empty()) return;
  std::set<std::string> families = past_.Families();
  for (const Entry& entry : files_) {
    if (!entry.gone && !entry.on_path) families.insert(entry.file->Position().family());
  }
  for (const FoundFile& file : unclaimed_) {
    std::vector<std::string> names = LiveNamesOfPath(file.path);
    names.push_back(file.path);
    for (const std::string& name : names) {
      if (families.contains(name) || left_names_.contains(name)) rotated_.insert(name);
    }
  }
}

void FileSource::LookAtOpenFiles() {
  for (Entry& entry : files_) {
    if (entry.file->is_open()) LookAt(entry);
  }
}

void FileSource::Discover(const FoundFile& found) {
  // It is a copy of the plain one, or still being made of it.
  if (HasPlainForm(found.path)) return;
  if (ResumeMoved(found) || MayBeCopy(found)) return;
  suspects_.erase(found.facts.id);
  Entry& entry = Track(BeginningOf(found), found.facts, true, files_.size());
  if (!skip_existing_) return;
  Status opened = entry.file->Open();
  if (opened.ok()) opened = entry.file->SkipToEnd();
  if (!opened.ok()) Say("warning", found.path, opened.message());
  if (entry.file->compressed()) entry.file->Close();
}

// A glob's files that were compressed while nobody looked, under names that it does not have.
void FileSource::DiscoverCompressed() {
  UnixNanos newest = INT64_MIN;
  for (const Entry& entry : files_) newest = std::max(newest, entry.file->Position().mtime);
  for (const auto& [id, position] : past_.files()) newest = std::max(newest, position.mtime);
  bool anything_read = !past_.files().empty();
  for (const Entry& entry : files_) anything_read = anything_read || entry.file->offset() > 0;
  if (!anything_read) return;
  for (const FoundFile& found : pattern_.FindCompressed()) {
    if (tracked_.contains(found.facts.id) || past_.Contains(found.facts.id) ||
        HasPlainForm(found.path))
      continue;
    ContentProbe probe(found);
    if (std::optional<FilePosition> known = past_.TakeByContent(probe); known.has_value()) {
      ResumeAt(*known, found, false);
      continue;
    }
    if (found.facts.mtime > newest) Track(BeginningOf(found), found.facts, false, files_.size());
  }
}

// The same inode as before: its bytes decide.
bool FileSource::ResumeKnown(const FoundFile& found) {
  std::optional<FilePosition> known = past_.Take(found.facts.id);
  if (!known.has_value()) return false;
  bool same_file = known->born == 0 || found.facts.born == 0 || known->born == found.facts.born;
  bool untouched = known->stored == StoredFile{found.facts.size, found.facts.mtime};
  FilePosition position = *known;
  position.path = found.path;
  position.live.clear();
  ContentProbe probe(found);
  bool same_bytes = untouched || known->offset == 0 || !probe.CanOpen() || probe.Has(position, 1);
  if (same_file && same_bytes) {
    position.over = position.over && untouched;
    const bool unread = position.offset == 0 && position.mtime != found.facts.mtime;
    // It was empty, or nothing of it was read: what it was since may stand in a copy.
    if (unread) rotated_.insert(found.path);
    if (unread) unread_since_[found.path] = position.mtime;
    Track(std::move(position), found.facts, true, files_.size()).resumed_unread = unread;
    return true;
  }
  Say("rotated", found.path, "replaced or truncated while not being read");
  LostTrack lost;
  lost.read_end = known->offset;
  lost.truncated = same_file;
  lost.position = *std::move(known);
  if (lost.position.over) {
    past_.PutOrphan(std::move(lost.position));
  } else {
    lost_.push_back(std::move(lost));
  }
  return false;  // The inode was handed out again: whose bytes are these?
}

// The same path on another disk: the files were moved there, or the disk's number is another since the host was started.
// Rotation makes no such thing, so that the bytes decide however few they are.
void FileSource::ResumeOnOtherDisks() {
  std::map<std::string, FileId> id_of;
  for (const auto& [id, position] : past_.files()) {
    if (!position.over) id_of.emplace(position.path, id);
  }
  std::erase_if(unclaimed_, [&](const FoundFile& found) {
    const auto known = id_of.find(found.path);
    if (known == id_of.end() || known->second.device == found.facts.id.device) return false;
    const FilePosition position = past_.files().at(known->second);
    if (!ContentProbe(found).Has(position, 1)) return false;
    ResumeAt(position, found, true);
    return true;
  });
}

// Another inode, but the bytes of a file we read before: moved, copied or restored.
bool FileSource::ResumeMoved(const FoundFile& found) {
  ContentProbe probe(found);
  std::optional<FilePosition> known = past_.TakeByContent(probe);
  if (!known.has_value()) return false;
  ResumeAt(*known, found, true);
  return true;
}

void FileSource::ResumeAt(const FilePosition& known, const FoundFile& found, bool on_path) {
  FilePosition position = known;
  position.id = found.facts.id;
  position.born = found.facts.born;
  position.path = found.path;
  position.live = on_path ? std::string() : known.family();
  position.target.clear();
  position.stored.reset();
  position.over = false;
  Supersede(known);
  changes_.insert_or_assign(position.id, position.ToEntry());
  Track(std::move(position), found.facts, on_path, files_.size());
}

// Holes begin alike, those of a writer that kept its offset: how a file ends tells more.
bool FileSource::MayBeginWith(const Entry& entry, ContentProbe& probe) {
  const FoundFile there{entry.file->path(), entry.facts};
  return ContentProbe(there).MayBeginWith(probe);
}

// Whether a file that begins like the entry's holds what was read of that, with what is in memory of it or without.
bool FileSource::HoldsBytesOf(Entry& entry, ContentProbe& probe) {
  if (entry.file->read_end() == 0) return MayBeginWith(entry, probe);
  if (probe.Has(entry.file->Position())) return true;
  return entry.file->is_open() && probe.Has(entry.file->Ahead(), 1);
}

bool FileSource::IsCopyOfTracked(const FoundFile& found) {
  ContentProbe probe(found);
  const std::uint64_t fingerprint = probe.Fingerprint();
  if (fingerprint == 0) return false;
  return std::any_of(files_.begin(), files_.end(), [&](Entry& entry) {
    if (entry.gone || entry.file->id() == found.facts.id) return false;
    // One that was resumed a moment ago, and is not open yet.
    const FoundFile closed{entry.file->path(), entry.facts};
    const bool unread = entry.resumed_unread && !entry.file->is_open();
    const std::uint64_t begins =
        unread ? ContentProbe(closed).Fingerprint() : entry.file->FingerprintNow();
    return begins == fingerprint && HoldsBytesOf(entry, probe);
  });
}

// copytruncate makes its copy first: reading that at once would send everything again.
bool FileSource::MayBeCopy(const FoundFile& found) {
  if (options_.drain) return false;
  ContentProbe probe(found);
  const std::uint64_t fingerprint = probe.Fingerprint();
  if (fingerprint == 0) return false;
  for (Entry& entry : files_) {
    if (entry.file->FingerprintNow() != fingerprint) continue;
    const FilePosition ahead = entry.file->is_open() ? entry.file->Ahead() : entry.file->Position();
    bool unfinished = found.facts.size < ahead.offset && !entry.file->compressed();
    if (!HoldsBytesOf(entry, probe) &&
        !(unfinished && probe.MayBecome(ahead) && MayBeginWith(entry, probe)))
      continue;
    // Of a file that was left behind: it will be known by its content once that one is done with.
    if (!entry.on_path || IsStillSuspect(found)) return true;
  }
  return false;
}

bool FileSource::IsStillSuspect(const FoundFile& found) {
  Suspect& suspect = suspects_[found.facts.id];
  if (suspect.since == 0 || suspect.size != found.facts.size)
    suspect = {clock_.Monotonic(), found.facts.size};
  return clock_.Monotonic() - suspect.since < kRotationGraceNanos;
}

void FileSource::DropOldSuspects() {
  std::erase_if(suspects_, [this](const auto& suspect) {
    return std::none_of(unclaimed_.begin(), unclaimed_.end(),
                        [&](const FoundFile& found) { return found.facts.id == suspect.first; });
  });
}

// A process that never opens its log anew goes on writing to the renamed file.
void FileSource::LookAtPastFiles() {
  if (clock_.Monotonic() < next_past_look_) return;
  next_past_look_ = clock_.Monotonic() + kPastLookIntervalNanos;
  std::vector<std::pair<FileId, FileFacts>> grown;
  for (const auto& [id, position] : past_.files()) {
    if (position.stored.has_value()) continue;
    Result<FileFacts> facts = FactsOf(position.path);
    if (facts.ok() && facts->id == id && facts->size > position.offset)
      grown.emplace_back(id, *facts);
  }
  for (const auto& [id, facts] : grown) {
    FilePosition position = *past_.Take(id);
    position.over = false;
    Track(std::move(position), facts, false, in_round_ ? files_.size() : 0);
  }
}

FileSource::Entry& FileSource::Track(FilePosition position, const FileFacts& facts, bool on_path,
                                     std::size_t place) {
  Entry entry;
  entry.file = std::make_unique<TrackedFile>(std::move(position), rules_, clock_);
  entry.facts = facts;
  entry.order = facts.mtime;
  entry.on_path = on_path;
  entry.detached_since = clock_.Monotonic();
  tracked_.insert(facts.id);
  return *files_.insert(files_.begin() + static_cast<std::ptrdiff_t>(place), std::move(entry));
}

}  // namespace logvault::forwarder
