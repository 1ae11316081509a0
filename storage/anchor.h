// The anchor: a small file outside the vault's folder that holds the newest signed checkpoint, so
// that a folder rolled back to an older copy does not pass for the vault.
//
// Two slots of 4 KiB are written in turn, so that a torn write always leaves the one before:
//   "logvault/anc/v1\n"[16] || sequence u64 || note (u32 length) || zeros || SHA-256 of all
//   before[32]
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"

namespace rocksdb {
class Env;
class RandomRWFile;
}  // namespace rocksdb

namespace logvault::storage {

inline constexpr std::size_t kAnchorSlotSize = 4096;
inline constexpr std::size_t kMaxAnchorNoteSize = 4000;

// The note of the anchor file `path`.  kNotFound where there is no file, kCorruption where neither
// slot can be read.  Whose note it is, the caller checks.
Result<std::string> ReadAnchor(const std::string& path, rocksdb::Env* env = nullptr);

// The anchor as the vault's writer holds it.  Not for several threads.
class Anchor {
 public:
  // Makes the file, durably.  kAlreadyExists where there is one.
  static Status Create(rocksdb::Env& env, const std::string& path, std::string_view note);
  // kNotFound, kCorruption as ReadAnchor.
  static Result<std::unique_ptr<Anchor>> Open(rocksdb::Env& env, const std::string& path);
  ~Anchor();
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;

  [[nodiscard]] const std::string& note() const { return note_; }
  // Overwrites the older slot with `note`; returns once it is on the disk.
  Status Move(std::string_view note);

 private:
  Anchor(std::unique_ptr<rocksdb::RandomRWFile> file, std::uint64_t sequence, std::string note);

  const std::unique_ptr<rocksdb::RandomRWFile> file_;
  std::uint64_t sequence_;  // of the newest slot; its parity is the slot
  std::string note_;
};

}  // namespace logvault::storage
