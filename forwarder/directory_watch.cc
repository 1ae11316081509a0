#include "forwarder/directory_watch.h"

#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace logvault::forwarder {

namespace {

constexpr unsigned kEvents = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                             IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kMaxReads = 16;
constexpr long kFuseMagic = 0x65735546;
constexpr long kCephMagic = 0x00c36400;
constexpr std::array<long, 8> kRemote = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                         SMB2_SUPER_MAGIC, V9FS_MAGIC,      AFS_SUPER_MAGIC,
                                         kFuseMagic,       kCephMagic};

bool IsRemote(const std::string& folder) {
  struct statfs facts {};
  if (::statfs(folder.c_str(), &facts) != 0) return true;
  return std::find(kRemote.begin(), kRemote.end(), static_cast<long>(facts.f_type)) !=
         kRemote.end();
}

}  // namespace

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) ::close(fd_);
}

bool DirectoryWatch::SetFolders(const std::set<std::string>& folders) {
  if (folders.size() > kMaxWatchedFolders) return false;
  if (fd_ < 0) fd_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd_ < 0) return false;
  // Added again each time: the kernel answers with the same watch while the same folder stands there.
  std::map<int, std::string> watched;
  bool all = true;
  for (const std::string& folder : folders) {
    int watch = IsRemote(folder) ? -1 : ::inotify_add_watch(fd_, folder.c_str(), kEvents);
    all = all && watch >= 0;
    if (watch >= 0) watched.insert_or_assign(watch, folder);
  }
  for (const auto& [watch, folder] : folders_) {
    if (!watched.contains(watch)) ::inotify_rm_watch(fd_, watch);
  }
  folders_ = std::move(watched);
  return all;
}

DirectoryWatch::News DirectoryWatch::Take() {
  News news;
  alignas(inotify_event) std::array<char, kReadBytes> buffer;
  // What is left rings again.
  for (int reads = 0; fd_ >= 0 && reads < kMaxReads; ++reads) {
    ssize_t n = ::read(fd_, buffer.data(), buffer.size());
    if (n <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      Note(event.wd, event.mask, std::string(name, ::strnlen(name, event.len)), news);
      at += sizeof event + event.len;
    }
  }
  return news;
}

void DirectoryWatch::Note(int watch, unsigned mask, const std::string& name, News& news) {
  auto folder = folders_.find(watch);
  if ((mask & IN_IGNORED) != 0)
    return;  // Of a watch that SetFolders took away, or after IN_DELETE_SELF.
  const bool lost = (mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
  if (lost || folder == folders_.end() || name.empty()) {
    news.overflow = true;
    return;
  }
  std::set<std::string>& paths = (mask & IN_MODIFY) != 0 ? news.touched : news.changed;
  if (paths.size() >= kMaxTouchedFiles) news.overflow = true;
  if (!news.overflow) paths.insert(folder->second + "/" + name);
}

}  // namespace logvault::forwarder
