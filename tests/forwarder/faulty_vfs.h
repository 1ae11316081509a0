// FaultyVfs: a file system under SQLite that forgets what was not synced, when the power goes at a chosen operation.
// Files are real ones below it.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace logvault::forwarder {

// One at a time: it is SQLite's default file system while it lives.  For one thread.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // After so many more writes, truncations and syncs everything fails.
  void DieAfter(std::uint64_t operations) { left_ = operations; }
  [[nodiscard]] bool dead() const { return left_ == 0; }

  // Power comes back.  Of what was not synced each write is there, is not, or is torn
  // between two sectors of 512 bytes.  REQUIRES: no file is open.
  void PowerCut(std::mt19937_64& random);

  // For the files' methods.
  bool Operation();  // false where it fails
  void Opened(const std::string& path);
  void Wrote(const std::string& path, std::uint64_t offset, std::string bytes);
  void Truncated(const std::string& path, std::uint64_t size);
  void Synced(const std::string& path);

 private:
  struct Write {
    std::uint64_t offset = 0;  // the new size, of a truncation
    std::string bytes;
    bool truncation = false;
  };
  struct File {
    bool was_synced = false;  // else its name is lost too
    std::string synced;
    std::vector<Write> unsynced;
  };
  static void Apply(const Write& write, std::string& content);

  std::uint64_t left_ = UINT64_MAX;
  std::map<std::string, File> files_;
};

}  // namespace logvault::forwarder
