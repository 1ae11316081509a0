// JournalFile: one journal file, read entry by entry through libsystemd.
//
// It is read by a descriptor of our own, so one that is renamed or deleted is read to its end.  libsystemd maps what it
// reads; the maps are given back while there is nothing to read, and every few MiB.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/status.h"
#include "forwarder/journal_cursor.h"
#include "forwarder/journal_header.h"

struct sd_journal;

namespace logvault::forwarder {

// Of one entry; what is beyond is left out, which is said.
inline constexpr std::size_t kJournalEntryBytesMax = 64 * 1024 * 1024;

struct JournalEntry {
  std::string bytes;     // in export format, its blank line included
  bool damaged = false;  // fields behind these cannot be read
  bool cut = false;  // fields behind these, or the end of the last, are over kJournalEntryBytesMax
};

class JournalFile {
 public:
  static Result<std::unique_ptr<JournalFile>> Open(const std::string& path);
  ~JournalFile();

  // As it stands in the file now.
  [[nodiscard]] Result<JournalHeader> Header() const;

  // What is read next follows the entry of this cursor; an empty one means the file's first.
  void SetCursor(std::string cursor);
  [[nodiscard]] const std::string& cursor() const { return cursor_; }
  // That entry is not in the file.  Known after Peek, until Pop.
  [[nodiscard]] bool cursor_vanished() const { return vanished_; }
  // The cursor becomes the newest entry's.
  Status SkipToEnd();

  // The entry after the cursor; null where there is none, or none that libsystemd can reach.
  Result<const JournalCursor*> Peek();
  // The entry that Peek showed.
  Result<JournalEntry> Read();
  // The cursor moves to it.
  void Pop();
  // Gives back what libsystemd holds; reading goes on where it was.
  void Release();

 private:
  struct Closer {
    void operator()(sd_journal* journal) const;
  };

  explicit JournalFile(int fd) : fd_(fd) {}
  Status Attach();
  Result<const JournalCursor*> Advance();
  Result<JournalEntry> ReadFields();
  Status SeekBehindCursor();
  Status SearchBehindCursor();
  Status TakeCursor();

  const int fd_;
  std::unique_ptr<sd_journal, Closer> journal_;  // null while released
  std::string cursor_;
  bool vanished_ = false;
  std::string next_text_;  // the cursor of the entry that libsystemd stands at
  std::optional<JournalCursor> next_;
  std::size_t bytes_since_attach_ = 0;
};

}  // namespace logvault::forwarder
