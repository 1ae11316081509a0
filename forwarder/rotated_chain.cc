#include "forwarder/rotated_chain.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <tuple>
#include <utility>

#include "forwarder/rotated_name.h"

namespace logvault::forwarder {

namespace {

namespace fs = std::filesystem;

struct Link {
  FoundFile file;
  std::optional<RotatedName> name;  // where its name says that rotation made it
  std::optional<FilePosition> now;  // where it was read up to
};

std::string FolderOf(const std::string& path) { return fs::path(path).parent_path().string(); }
std::string NameOf(const std::string& path) { return fs::path(path).filename().string(); }

bool OlderByTime(const Link& a, const Link& b) {
  // Of two of one tick of the file system's clock, the one rotated more often is older.
  int a_rank = a.name.has_value() ? static_cast<int>(a.name->rank.value_or(0)) : -1;
  int b_rank = b.name.has_value() ? static_cast<int>(b.name->rank.value_or(0)) : -1;
  return std::tuple(a.file.facts.mtime, -a_rank, a.file.path) <
         std::tuple(b.file.facts.mtime, -b_rank, b.file.path);
}

class Chain {
 public:
  Chain(const ChainQuery& query, FolderCache& folders) : query_(query) {
    if (Result<FileFacts> live = FactsOf(query.live); live.ok()) live_id_ = live->id;
    Gather(query.live, folders);
    for (const std::vector<FilePosition>* some : {&query.positions, &query.tracked}) {
      for (const FilePosition& position : *some) {
        if (!position.target.empty()) Gather(position.target, folders);
        if (position.path != query.live) Gather(position.path, folders);
      }
    }
    for (const FoundFile& other : query.others) Add(other, std::nullopt);
    SortOldestFirst();
  }

  CatchUp Resolve() {
    std::vector<const FilePosition*> homeless;
    for (const FilePosition& position : query_.positions) {
      const bool empty = position.over && position.offset == 0;
      if (!LocateById(position) && !empty) homeless.push_back(&position);
    }
    std::sort(homeless.begin(), homeless.end(), [](const FilePosition* a, const FilePosition* b) {
      return std::tie(a->mtime, a->path) < std::tie(b->mtime, b->path);
    });
    for (const FilePosition* position : homeless) {
      bool newest = position == homeless.back();
      if ((!position->over || newest) && LocateByContent(*position)) continue;
      if (!position->over) result_.lost.push_back(*position);
    }
    Collect();
    return std::move(result_);
  }

 private:
  // The files beside `path` that may have been made of it.
  void Gather(const std::string& path, FolderCache& folders) {
    const std::string own = NameOf(path);
    const std::string stem = own.substr(0, own.find('.', 1));
    std::size_t alike = 0;
    for (const FoundFile& file : folders.Files(FolderOf(path))) {
      const std::string name = NameOf(file.path);
      std::optional<RotatedName> rotated = ParseRotatedName(own, name);
      if (!rotated.has_value() && path != query_.live && DifferInDigitsOnly(own, name))
        rotated.emplace();
      if (!rotated.has_value() && !IsWanted(file.facts.id)) {
        if (!name.starts_with(stem) || ++alike > kMaxAlikeFiles) continue;
      }
      Add(file, std::move(rotated));
    }
  }

  bool IsWanted(const FileId& id) const {
    return std::any_of(query_.positions.begin(), query_.positions.end(),
                       [&id](const FilePosition& position) { return position.id == id; });
  }

  void Add(const FoundFile& file, std::optional<RotatedName> name) {
    if (file.facts.id == live_id_) return;
    // While the plain form is there, the compressed one is a copy of it or is still being made.
    std::string plain(WithoutCompression(file.path));
    if (plain.size() < file.path.size() && fs::exists(plain) && plain != query_.live) return;
    auto same = std::find_if(links_.begin(), links_.end(), [&file](const Link& link) {
      return link.file.facts.id == file.facts.id;
    });
    if (same == links_.end()) return links_.push_back({file, std::move(name), std::nullopt});
    if (!same->name.has_value()) same->name = std::move(name);
  }

  // By time; but who still writes to a file that was moved away does not make it younger than the next.
  void SortOldestFirst() {
    std::sort(links_.begin(), links_.end(), OlderByTime);
    std::vector<std::size_t> places;
    std::vector<Link> ranked;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const std::optional<RotatedName>& name = links_[i].name;
      if (!name.has_value() || !name->appended || !name->rank.has_value()) continue;
      places.push_back(i);
      ranked.push_back(links_[i]);
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const Link& a, const Link& b) { return *a.name->rank > *b.name->rank; });
    for (std::size_t i = 0; i < places.size(); ++i) links_[places[i]] = std::move(ranked[i]);
  }

  bool LocateById(const FilePosition& position) {
    for (Link& link : links_) {
      const FileFacts& facts = link.file.facts;
      if (facts.id != position.id || query_.is_tracked(facts.id)) continue;
      if (position.born != 0 && facts.born != 0 && facts.born != position.born) return false;
      bool untouched = position.stored == StoredFile{facts.size, facts.mtime};
      ContentProbe probe(link.file);
      if (!untouched && position.offset > 0 && probe.CanOpen() && !probe.Has(position, 1))
        return false;
      Locate(link, position);
      return true;
    }
    return false;
  }

  bool LocateByContent(const FilePosition& position) {
    Link* found = FindAmongYounger(position);
    if (found == nullptr) found = FindAmongCompressed(position);
    if (found == nullptr) return LocateShortCopy(position);
    Locate(*found, position);
    return true;
  }

  // The file was truncated where it lies, behind a copy that was made before all of it was read that is read: the copy ends
  // before the position, and holds nothing that is new.
  bool LocateShortCopy(const FilePosition& position) {
    if (position.id != live_id_ || position.over) return false;
    for (Link& link : links_) {
      if (!link.name.has_value() || IsTaken(link) || IsOfSecondBefore(link, position.born))
        continue;
      const std::optional<FilePosition> end = ContentProbe(link.file).EndBefore(position);
      if (!end.has_value()) continue;
      Locate(link, position);
      link.now->offset = end->offset;
      link.now->head_hash = end->head_hash;
      link.now->tail_hash = end->tail_hash;
      link.now->stored = end->stored;
      result_.located.back().second = *link.now;
      return true;
    }
    return false;
  }

  [[nodiscard]] bool IsTaken(const Link& link) const {
    return link.now.has_value() || query_.is_tracked(link.file.facts.id);
  }

  // Oldest first: of files that begin alike, the one that was read is the oldest.
  Link* FindAmongYounger(const FilePosition& position) {
    auto found = std::find_if(links_.begin(), links_.end(), [&](const Link& link) {
      return !IsTaken(link) && !IsOfSecondBefore(link, position.mtime) &&
             HasBytesOf(link, position);
    });
    return found == links_.end() ? nullptr : &*found;
  }

  // logrotate gives a compressed file the time that the plain one had before the rotation, although it was written to
  // until its writer opened another.  Newest first; what is older than the file that was read is not that file.
  Link* FindAmongCompressed(const FilePosition& position) {
    if (position.born == 0 || position.offset < kMinContentMatch) return nullptr;
    auto found = std::find_if(links_.rbegin(), links_.rend(), [&](const Link& link) {
      const bool compressed = CompressionOf(link.file.path) != Compression::kNone;
      return compressed && link.name.has_value() && !IsTaken(link) &&
             !IsOfSecondBefore(link, position.born) && HasBytesOf(link, position);
    });
    return found == links_.rend() ? nullptr : &*found;
  }

  // Some compressors keep whole seconds only.
  static bool IsOfSecondBefore(const Link& link, UnixNanos time) {
    return link.file.facts.mtime / kNanosPerSecond < time / kNanosPerSecond;
  }

  static bool HasBytesOf(const Link& link, const FilePosition& position) {
    if (position.offset == 0) return IsUnreadForm(link, position);
    std::uint64_t least = link.name.has_value() ? 1 : kMinContentMatch;
    return ContentProbe(link.file).Has(position, least);
  }

  // Of a file that was seen and not read: how it begins, where that was seen too; and compressors keep the time, some of
  // them whole seconds only.
  static bool IsUnreadForm(const Link& link, const FilePosition& position) {
    if (position.fingerprint != 0)
      return ContentProbe(link.file).Fingerprint() == position.fingerprint;
    if (!link.name.has_value()) return false;
    const UnixNanos mtime = link.file.facts.mtime;
    return mtime == position.mtime || (mtime % kNanosPerSecond == 0 &&
                                       mtime / kNanosPerSecond == position.mtime / kNanosPerSecond);
  }

  void Locate(Link& link, const FilePosition& position) {
    FilePosition now = position;
    now.live = position.family();
    now.path = link.file.path;
    if (now.path == now.live) now.live.clear();
    if (now.id != link.file.facts.id) now.stored.reset();
    now.id = link.file.facts.id;
    now.born = link.file.facts.born;
    link.now = now;
    result_.located.emplace_back(position, std::move(now));
  }

  // Behind the newest file that is known, everything that rotation named is unread.
  void Collect() {
    UnixNanos newest_known = query_.newest_known;
    for (const FilePosition& position : query_.positions)
      newest_known = std::max(newest_known, position.mtime);
    for (const FilePosition& position : query_.tracked) {
      if (position.id != live_id_) newest_known = std::max(newest_known, position.mtime);
    }
    std::size_t begin = 0;
    bool anchored = false;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      // A file of which nothing was read says nothing about what came before it.
      bool known = (links_[i].now.has_value() && links_[i].now->offset > 0) ||
                   (query_.is_tracked(links_[i].file.facts.id) && links_[i].name.has_value());
      if (known) begin = i;
      anchored = anchored || known;
    }
    for (std::size_t i = 0; i < links_.size(); ++i) {
      Link& link = links_[i];
      if (link.now.has_value()) {
        AddRest(link);
        continue;
      }
      bool later = anchored ? i > begin : link.file.facts.mtime > newest_known;
      if (later && IsNew(link)) AddNew(link);
    }
  }

  void AddRest(const Link& link) {
    const FilePosition& now = *link.now;
    bool untouched = now.stored == StoredFile{link.file.facts.size, link.file.facts.mtime};
    bool compressed = CompressionOf(now.path) != Compression::kNone;
    if (compressed ? !untouched : link.file.facts.size > now.offset)
      result_.unread.push_back({now, link.file.facts});
  }

  bool IsNew(const Link& link) const {
    const FileId& id = link.file.facts.id;
    return link.name.has_value() && !query_.is_tracked(id) && !query_.is_suspect(id) &&
           !query_.is_copy(link.file) && !query_.is_awaited(link.file);
  }

  // Who writes to a file long after it was rotated makes it seem younger than it is: it may have been read all the same.
  void AddNew(Link& link) {
    const std::optional<FilePosition> read = query_.was_read(link.file);
    if (!read.has_value()) return AddWhole(link);
    FoundFile original{read->path, {}};
    if (Result<FileFacts> there = FactsOf(read->path); there.ok()) original.facts = *there;
    const bool copied = original.facts.id == read->id && ContentProbe(original).Has(*read);
    if (copied) return;
    Locate(link, *read);
    AddRest(link);
  }

  void AddWhole(const Link& link) {
    const FileFacts& facts = link.file.facts;
    FilePosition whole;
    whole.id = facts.id;
    whole.born = facts.born;
    whole.path = link.file.path;
    whole.live = query_.live;
    whole.mtime = facts.mtime;
    result_.unread.push_back({std::move(whole), facts});
  }

  const ChainQuery& query_;
  FileId live_id_;
  std::vector<Link> links_;  // oldest first
  CatchUp result_;
};

}  // namespace

const std::vector<FoundFile>& FolderCache::Files(const std::string& folder) {
  auto [entry, added] = folders_.try_emplace(folder);
  if (!added) return entry->second;
  std::error_code error;
  fs::directory_iterator end;
  for (fs::directory_iterator i(folder, error); !error && i != end; i.increment(error)) {
    Result<FileFacts> facts = FactsOf(i->path().string());
    if (facts.ok()) entry->second.push_back({i->path().string(), *facts});
  }
  return entry->second;
}

CatchUp CatchUpWith(const ChainQuery& query, FolderCache& folders) {
  return Chain(query, folders).Resolve();
}

}  // namespace logvault::forwarder
