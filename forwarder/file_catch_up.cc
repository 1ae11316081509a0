// Where the bytes went that are no longer where they were read, and which files came after them.
#include <algorithm>
#include <utility>

#include "forwarder/file_source.h"

namespace logvault::forwarder {

// What follows the position of `entry` is elsewhere, or nowhere.
void FileSource::Lose(Entry& entry, bool truncated) {
  TrackedFile& file = *entry.file;
  LostTrack lost;
  lost.position = file.Position();
  lost.read_end = file.read_end();
  lost.size_known = file.size_seen();
  // What the newest scan saw of a truncated file may be of its new content.
  if (!truncated && !file.compressed())
    lost.size_known = std::max(lost.size_known, entry.facts.size);
  lost.truncated = truncated;
  lost.busy = clock_.Monotonic() - file.last_growth() < kBusyNanos;
  const FileId id = file.id();
  // Sent only where it is not found anywhere.
  if (truncated && file.is_open()) lost.in_memory = std::move(entry.file);
  if (truncated && entry.on_path) {
    FilePosition beginning;
    beginning.id = id;
    beginning.born = lost.position.born;
    beginning.path = lost.position.path;
    beginning.live = lost.position.live;
    beginning.mtime = lost.position.mtime;
    entry.file = std::make_unique<TrackedFile>(std::move(beginning), rules_, clock_);
    if (entry.file->Open().ok()) entry.file->LookAgain();
    // It stays known, from its beginning: after a restart it may have been rotated away.
    changes_.insert_or_assign(id, entry.file->Position().ToEntry());
  } else {
    if (file.TakeMoved()) changes_.insert_or_assign(id, lost.position.ToEntry());
    if (entry.file == nullptr)
      entry.file = std::make_unique<TrackedFile>(lost.position, rules_, clock_);
    entry.gone = true;
    tracked_.erase(id);
  }
  lost_.push_back(std::move(lost));
}

// At the first scan: what was being read and has not been found, and what came behind what was read.
void FileSource::LosePast() {
  for (const std::string& live : past_.Families()) {
    for (FilePosition& position : past_.InFamily(live)) {
      if (position.over) continue;
      past_.Take(position.id);
      LostTrack lost;
      lost.read_end = position.offset;
      lost.position = std::move(position);
      lost_.push_back(std::move(lost));
    }
    bool new_file = std::any_of(unclaimed_.begin(), unclaimed_.end(),
                                [&live](const FoundFile& found) { return found.path == live; });
    if (new_file) rotated_.insert(live);
  }
}

bool FileSource::CatchUpLost(std::size_t place) {
  if (lost_.empty() && rotated_.empty()) return false;
  LostFamilies families;
  for (const std::string& live : std::exchange(rotated_, {})) families[live];
  for (LostTrack& lost : std::exchange(lost_, {}))
    families[lost.position.family()].push_back(std::move(lost));
  FolderCache folders;
  std::size_t placed = 0;
  while (!families.empty()) {
    auto family = families.extract(families.begin());
    placed +=
        CatchUpFamily(family.key(), std::move(family.mapped()), families, folders, place + placed);
  }
  SayOtherLosses();
  return placed > 0;
}

// Returns how many files were put before `place`.
std::size_t FileSource::CatchUpFamily(const std::string& live, std::vector<LostTrack> lost,
                                      const LostFamilies& others, FolderCache& folders,
                                      std::size_t place) {
  ChainQuery query;
  query.live = live;
  query.positions = past_.InFamily(live);
  for (const LostTrack& track : lost) query.positions.push_back(track.position);
  for (const Entry& entry : files_) {
    if (entry.gone) continue;
    if (FilePosition position = entry.file->Position(); position.family() == live)
      query.tracked.push_back(std::move(position));
  }
  if (auto since = unread_since_.extract(live); !since.empty()) query.newest_known = since.mapped();
  query.others = unclaimed_;
  query.is_tracked = [this](const FileId& id) { return tracked_.contains(id); };
  query.is_copy = [this](const FoundFile& file) { return IsCopyOfTracked(file); };
  query.was_read = [this](const FoundFile& file) {
    ContentProbe probe(file);
    return past_.FindByContent(probe);
  };
  query.is_awaited = [&others](const FoundFile& file) { return HoldsBytesOfAny(file, others); };
  query.is_suspect = [this](const FileId& id) { return suspects_.contains(id); };
  const CatchUp result = CatchUpWith(query, folders);
  for (LostTrack& track : lost) Settle(std::move(track), result);
  for (const auto& [before, now] : result.located) TakeLocated(before, now);
  UnixNanos order = INT64_MIN;
  for (const UnreadFile& unread : result.unread) {
    past_.Take(unread.position.id);
    FilePosition position = unread.position;
    position.over = false;
    // Younger files may be read before anything more of this one is: it must be known all the same.
    if (unread.facts.size > 0) changes_.insert_or_assign(position.id, position.ToEntry());
    bool named = std::any_of(unclaimed_.begin(), unclaimed_.end(),
                             [&](const FoundFile& found) { return found.facts.id == position.id; });
    Entry& entry = Track(std::move(position), unread.facts, named, place++);
    entry.order = order = std::max(order, entry.order);
  }
  return result.unread.size();
}

bool FileSource::HoldsBytesOfAny(const FoundFile& found, const LostFamilies& families) {
  ContentProbe probe(found);
  return std::any_of(families.begin(), families.end(), [&probe](const auto& family) {
    return std::any_of(family.second.begin(), family.second.end(), [&probe](const LostTrack& lost) {
      return probe.Fingerprint() == lost.position.fingerprint && probe.Has(lost.position);
    });
  });
}

// What was known of the inode is known of another one now: kept is what is read or was read there since, or nothing.
void FileSource::Supersede(const FilePosition& before) {
  past_.Drop(before);
  auto reader = std::find_if(files_.begin(), files_.end(), [&before](const Entry& entry) {
    return !entry.gone && entry.file->id() == before.id;
  });
  auto past = past_.files().find(before.id);
  evidence::PositionEntry kept = before.Removal();
  if (reader != files_.end()) kept = reader->file->Position().ToEntry();
  if (reader == files_.end() && past != past_.files().end()) kept = past->second.ToEntry();
  changes_.insert_or_assign(before.id, std::move(kept));
}

// Reading goes on at `now`, or it holds nothing more.
void FileSource::TakeLocated(const FilePosition& before, const FilePosition& now) {
  if (before.id != now.id) Supersede(before);
  FilePosition over = now;
  over.over = true;
  changes_.insert_or_assign(over.id, over.ToEntry());
  past_.Put(std::move(over));
}

// What is in memory stands in a file that is about to be read from its beginning.
bool FileSource::WillBeRead(const TrackedFile& in_memory, const CatchUp& result) {
  const FilePosition ahead = in_memory.Ahead();
  return std::any_of(result.unread.begin(), result.unread.end(),
                     [&ahead](const UnreadFile& unread) {
                       const FoundFile file{unread.position.path, unread.facts};
                       return unread.position.offset == 0 && ContentProbe(file).Has(ahead, 1);
                     });
}

void FileSource::Settle(LostTrack lost, const CatchUp& result) {
  const FilePosition& position = lost.position;
  auto located = std::find_if(result.located.begin(), result.located.end(), [&](const auto& pair) {
    return pair.first.id == position.id && pair.first.offset == position.offset;
  });
  if (located != result.located.end()) {
    const FileId& id = located->second.id;
    auto rest = std::find_if(result.unread.begin(), result.unread.end(),
                             [&](const UnreadFile& unread) { return unread.position.id == id; });
    bool has_more = rest != result.unread.end();
    bool compressed = CompressionOf(located->second.path) != Compression::kNone;
    std::uint64_t kept = has_more && !compressed ? rest->facts.size : position.offset;
    lost.busy = lost.busy || has_more;
    // Where another plain file has these bytes they were copied: what came after the copy is not known.
    const bool copied = id != position.id && !compressed;
    if (lost.truncated || copied) SayLoss(lost, compressed ? lost.size_known : kept);
    return;
  }
  SayLoss(lost, lost.read_end);
  if (lost.in_memory != nullptr && !WillBeRead(*lost.in_memory, result))
    rewritten_.push_back(std::move(lost.in_memory));
  if (tracked_.contains(position.id)) {
    Supersede(position);
    return past_.PutOrphan(std::move(lost.position));
  }
  lost.position.over = true;  // Told once.
  changes_.insert_or_assign(position.id, position.ToEntry());
  past_.Put(std::move(lost.position));
}

void FileSource::SayLoss(const LostTrack& lost, std::uint64_t kept) {
  std::uint64_t certain = lost.size_known > kept ? lost.size_known - kept : 0;
  if (certain == 0 && !lost.busy) return;
  if (++losses_ > kMaxLossesTold) {
    other_losses_bytes_ += certain;
    return;
  }
  SayGap(lost.position.path,
         lost.truncated ? "truncated: what was written since the last look is not known"
                        : "gone: what was written since the last look is not known",
         certain);
}

// A folder that was emptied while nobody looked is one thing to say, not ten thousand.
void FileSource::SayOtherLosses() {
  const std::size_t others = std::exchange(losses_, 0);
  const std::uint64_t bytes = std::exchange(other_losses_bytes_, 0);
  if (others <= kMaxLossesTold) return;
  SayGap(options_.path,
         std::to_string(others - kMaxLossesTold) +
             " more files gone or truncated: what was written since the last look is not known",
         bytes);
}

}  // namespace logvault::forwarder
