#include "cli/kept_checkpoint.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/bytes.h"
#include "config/small_file.h"

namespace logvault::cli {
namespace {

// Holds an advisory lock beside a file while it is replaced.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : fd_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    while (fd_ >= 0 && flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() {
    if (fd_ >= 0) close(fd_);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  const int fd_;
};

std::string PathOf(const std::string& dir, std::string_view public_key) {
  return dir + "/" + ToHex(public_key) + ".note";
}

// A change of the key does not hide what was seen before.
Result<std::string> ReadKept(const std::string& dir, const evidence::VerifierKey& key) {
  Result<std::string> note = config::ReadSmallFile(PathOf(dir, key.public_key));
  for (const evidence::VerifierKey::Earlier& earlier : key.earlier) {
    if (note.status().code() == StatusCode::kNotFound)
      note = config::ReadSmallFile(PathOf(dir, earlier.public_key));
  }
  return note;
}

}  // namespace

Result<KeptCheckpoint> KeptCheckpoint::Load(const std::string& dir,
                                            const evidence::VerifierKey& key) {
  KeptCheckpoint kept(PathOf(dir, key.public_key), key);
  Result<std::string> note = ReadKept(dir, key);
  if (!note.ok() && note.status().code() == StatusCode::kNotFound) return kept;
  if (!note.ok()) return note.status();
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(*note, key);
  if (!checkpoint.ok()) {
    return Integrity(kept.path_ + ": the checkpoint kept here was altered (" +
                     checkpoint.status().message() + "); find out why before you remove it");
  }
  kept.checkpoint_ = *std::move(checkpoint);
  return kept;
}

Status KeptCheckpoint::Keep(const std::string& note, const evidence::Checkpoint& checkpoint) {
  const std::filesystem::path dir = std::filesystem::path(path_).parent_path();
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return Unavailable(dir.string() + ": " + error.message());
  FileLock lock(path_ + ".lock");
  Result<KeptCheckpoint> now = Load(dir.string(), key_);
  if (!now.ok()) return now.status();
  if (now->checkpoint_ && now->checkpoint_->size >= checkpoint.size) {
    checkpoint_ = now->checkpoint_;
    return Status::Ok();
  }
  LV_RETURN_IF_ERROR(config::WriteSmallFile(path_, note, config::FileMode::kPrivate));
  checkpoint_ = checkpoint;
  return Status::Ok();
}

Status KeptCheckpoint::SetBack(const std::string& note, const evidence::Checkpoint& checkpoint) {
  FileLock lock(path_ + ".lock");
  Result<std::string> lost = ReadKept(std::filesystem::path(path_).parent_path(), key_);
  if (!lost.ok()) return lost.status();
  LV_RETURN_IF_ERROR(config::WriteSmallFile(path_ + ".lost", *lost, config::FileMode::kPrivate));
  LV_RETURN_IF_ERROR(config::WriteSmallFile(path_, note, config::FileMode::kPrivate));
  checkpoint_ = checkpoint;
  return Status::Ok();
}

Status CheckNotBehind(const evidence::Checkpoint& older, const evidence::Checkpoint& newer) {
  if (newer.origin != older.origin)
    return Integrity("the checkpoint is of another vault: " + newer.origin);
  if (newer.size < older.size) {
    return Integrity("ROLLBACK: the vault shows " + std::to_string(newer.size) +
                     " blocks and signed " + std::to_string(older.size) +
                     " before: it was set back to an old state");
  }
  if (newer.size == older.size && newer.root != older.root) {
    return Integrity("FORK: the vault signed two different histories of " +
                     std::to_string(newer.size) + " blocks");
  }
  return Status::Ok();
}

}  // namespace logvault::cli
