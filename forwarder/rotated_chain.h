// What rotation left beside a live file: where the bytes behind a position are now, and which files came between it
// and the live one without having been read.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "forwarder/content_probe.h"
#include "forwarder/position.h"

namespace logvault::forwarder {

// The regular files of folders, each folder listed once.  For one scan.
class FolderCache {
 public:
  const std::vector<FoundFile>& Files(const std::string& folder);

 private:
  std::map<std::string, std::vector<FoundFile>> folders_;
};

// The files of a folder at most that are compared by content with a position although their names say nothing.
inline constexpr std::size_t kMaxAlikeFiles = 256;

struct UnreadFile {
  FilePosition position;  // where to go on; its offset is 0 where nothing of the file was read
  FileFacts facts;
};

struct CatchUp {
  std::vector<UnreadFile> unread;  // oldest first
  // A position and the one it has now: the same, or the same bytes in another file.
  std::vector<std::pair<FilePosition, FilePosition>> located;
  std::vector<FilePosition> lost;  // not over, and nowhere
};

struct ChainQuery {
  std::string live;                     // the name the pattern gives the newest file
  std::vector<FilePosition> positions;  // to be located: of files that `live` was
  std::vector<FilePosition> tracked;    // of files of this chain that are being read
  std::vector<FoundFile> others;        // files elsewhere that may be copies
  UnixNanos newest_known = INT64_MIN;   // what is older than this is not new
  // Of a file that is being read: it holds nothing new.
  std::function<bool(const FoundFile&)> is_copy;
  std::function<bool(const FileId&)> is_tracked;
  // A position, of whatever chain, that the file was read up to under another inode.
  std::function<std::optional<FilePosition>(const FoundFile&)> was_read;
  // It holds what was read of a lost file of another chain, which is yet to be located.
  std::function<bool(const FoundFile&)> is_awaited;
  std::function<bool(const FileId&)>
      is_suspect;  // perhaps an unfinished copy: not a file of its own yet
};

CatchUp CatchUpWith(const ChainQuery& query, FolderCache& folders);

}  // namespace logvault::forwarder
