// DirectoryWatch: what happened in some folders since it was last asked, from the kernel (inotify).
#pragma once

#include <map>
#include <set>
#include <string>

namespace logvault::forwarder {

inline constexpr std::size_t kMaxWatchedFolders = 64;
// More names than this at once are not told one by one.
inline constexpr std::size_t kMaxTouchedFiles = 256;

// Not for several threads.
class DirectoryWatch {
 public:
  DirectoryWatch() = default;
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Watches these and no others.  False where the kernel would not tell all: no watch to be had, too many folders, one
  // that is missing, a network file system (what other hosts write there is not told).
  bool SetFolders(const std::set<std::string>& folders);

  struct News {
    std::set<std::string> touched;  // paths of files that were written
    std::set<std::string> changed;  // paths of names that came, went or changed their rights
    bool overflow = false;          // and more: anything may have happened
  };
  News Take();
  // Readable when there is news; -1 before SetFolders succeeded.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  void Note(int watch, unsigned mask, const std::string& name, News& news);

  int fd_ = -1;
  std::map<int, std::string> folders_;  // by watch
};

}  // namespace logvault::forwarder
