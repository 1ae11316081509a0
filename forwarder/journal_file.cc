#include "forwarder/journal_file.h"

#include <fcntl.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "formats/journal_entry.h"
#include "forwarder/mapped_read.h"

namespace logvault::forwarder {

namespace {

// Mapped pages count as ours: they are given back after this much was read.
constexpr std::size_t kBytesPerAttach = 8 * 1024 * 1024;

Status ErrorOf(int negative_errno, const char* what) {
  std::string message = std::string(what) + ": " + std::strerror(-negative_errno);
  return negative_errno == -EACCES ? PermissionDenied(message) : Corruption(message);
}

// systemd's rule for the name of a field.
bool IsFieldNameOfJournal(std::string_view name) {
  constexpr std::size_t kNameCharsMax = 64;
  return !name.empty() && name.size() <= kNameCharsMax &&
         (name.front() < '0' || name.front() > '9') &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
}

// One piece of data of an entry: NAME=value.
void AppendData(std::string_view data, JournalEntry& entry) {
  const std::size_t equals = data.find('=');
  const std::string_view name = data.substr(0, equals);
  if (equals == std::string_view::npos || name == "_BOOT_ID" || !IsFieldNameOfJournal(name)) return;
  const std::size_t room =
      kJournalEntryBytesMax - std::min(kJournalEntryBytesMax, entry.bytes.size());
  const std::string_view value = data.substr(equals + 1);
  entry.cut = value.size() > room;
  formats::AppendJournalField(name, value.substr(0, room), entry.bytes);
}

Result<std::string> CursorOf(sd_journal* journal) {
  char* text = nullptr;
  const int result = ::sd_journal_get_cursor(journal, &text);
  if (result < 0) return ErrorOf(result, "cursor");
  std::string cursor = text;
  std::free(text);
  return cursor;
}

// What every entry has, in the order of `journalctl -o export`.
Status AppendAddress(sd_journal* journal, const std::string& cursor, std::string& bytes) {
  std::uint64_t realtime = 0;
  std::uint64_t monotonic = 0;
  sd_id128_t boot{};
  int result = ::sd_journal_get_realtime_usec(journal, &realtime);
  if (result >= 0) result = ::sd_journal_get_monotonic_usec(journal, &monotonic, &boot);
  if (result < 0) return ErrorOf(result, "time");
  char boot_text[SD_ID128_STRING_MAX];
  formats::AppendJournalField("__CURSOR", cursor, bytes);
  formats::AppendJournalField("__REALTIME_TIMESTAMP", std::to_string(realtime), bytes);
  formats::AppendJournalField("__MONOTONIC_TIMESTAMP", std::to_string(monotonic), bytes);
  formats::AppendJournalField("_BOOT_ID", ::sd_id128_to_string(boot, boot_text), bytes);
  return Status::Ok();
}

}  // namespace

void JournalFile::Closer::operator()(sd_journal* journal) const { ::sd_journal_close(journal); }

Result<std::unique_ptr<JournalFile>> JournalFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    const std::string message = path + ": " + std::strerror(errno);
    return errno == ENOENT ? NotFound(message) : PermissionDenied(message);
  }
  return std::unique_ptr<JournalFile>(new JournalFile(fd));
}

JournalFile::~JournalFile() {
  journal_.reset();
  ::close(fd_);
}

Result<JournalHeader> JournalFile::Header() const {
  char bytes[kJournalHeaderBytes];
  const ssize_t n = ::pread(fd_, bytes, sizeof bytes, 0);
  if (n < 0) return ErrorOf(-errno, "read");
  return JournalHeader::Parse({bytes, static_cast<std::size_t>(n)});
}

void JournalFile::SetCursor(std::string cursor) {
  Release();
  cursor_ = std::move(cursor);
}

void JournalFile::Release() {
  journal_.reset();
  next_.reset();
}

Status JournalFile::Attach() {
  sd_journal* opened = nullptr;
  int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return ErrorOf(-errno, "open");
  const int result = ::sd_journal_open_files_fd(&opened, &fd, 1, 0);
  if (result < 0) {
    ::close(fd);  // libsystemd closes it with what it opened, and only that.
    return ErrorOf(result, "open");
  }
  journal_.reset(opened);
  bytes_since_attach_ = 0;
  (void)::sd_journal_set_data_threshold(opened, kJournalEntryBytesMax + 1);
  return Status::Ok();
}

Status JournalFile::SkipToEnd() {
  const MappedRead guard;
  LV_RETURN_IF_ERROR(Attach());
  int result = ::sd_journal_seek_tail(journal_.get());
  if (result >= 0) result = ::sd_journal_previous(journal_.get());
  if (result < 0) return ErrorOf(result, "seek");
  if (result == 0) return Status::Ok();
  Result<std::string> cursor = CursorOf(journal_.get());
  if (!cursor.ok()) return cursor.status();
  SetCursor(*std::move(cursor));
  return Status::Ok();
}

Status JournalFile::TakeCursor() {
  Result<std::string> text = CursorOf(journal_.get());
  if (!text.ok()) return text.status();
  next_ = JournalCursor::Parse(*text);
  next_text_ = *std::move(text);
  return next_.has_value() ? Status::Ok() : Corruption("cursor: " + next_text_);
}

// Stands at the entry behind the cursor, or before it for the next step.
Status JournalFile::SeekBehindCursor() {
  vanished_ = false;
  if (cursor_.empty()) {
    const int result = ::sd_journal_seek_head(journal_.get());
    return result < 0 ? ErrorOf(result, "seek") : Status::Ok();
  }
  int result = ::sd_journal_seek_cursor(journal_.get(), cursor_.c_str());
  if (result >= 0) result = ::sd_journal_next(journal_.get());
  if (result > 0) result = ::sd_journal_test_cursor(journal_.get(), cursor_.c_str());
  return result > 0 ? Status::Ok() : SearchBehindCursor();
}

// Entry by entry: what stands before the cursor may be damaged, and the cursor's entry gone.
Status JournalFile::SearchBehindCursor() {
  LV_RETURN_IF_ERROR(Attach());
  const std::optional<JournalCursor> wanted = JournalCursor::Parse(cursor_);
  vanished_ = true;
  (void)::sd_journal_seek_head(journal_.get());
  while (::sd_journal_next(journal_.get()) > 0) {
    LV_RETURN_IF_ERROR(TakeCursor());
    const bool same_numbers = wanted.has_value() && wanted->seqnum_id == next_->seqnum_id;
    if (same_numbers && next_->seqnum > wanted->seqnum) return Status::Ok();  // It is the next one.
    if (next_text_ == cursor_) vanished_ = false;
    next_.reset();
  }
  return Status::Ok();
}

Result<const JournalCursor*> JournalFile::Peek() {
  if (next_.has_value()) return &*next_;
  const MappedRead guard;
  Result<const JournalCursor*> next = Advance();
  if (!guard.saw_nothing()) return next;
  Release();
  return Corruption("truncated while it was read");
}

Result<const JournalCursor*> JournalFile::Advance() {
  if (bytes_since_attach_ > kBytesPerAttach) Release();
  if (journal_ == nullptr) {
    LV_RETURN_IF_ERROR(Attach());
    LV_RETURN_IF_ERROR(SeekBehindCursor());
    if (next_.has_value()) return &*next_;
  }
  const int result = ::sd_journal_next(journal_.get());
  if (result < 0) return ErrorOf(result, "next entry");
  if (result == 0) return nullptr;
  LV_RETURN_IF_ERROR(TakeCursor());
  return &*next_;
}

Result<JournalEntry> JournalFile::Read() {
  const MappedRead guard;
  Result<JournalEntry> entry = ReadFields();
  // What was not there came as zeros: none of it is evidence.
  if (guard.saw_nothing()) return Corruption("truncated while it was read");
  return entry;
}

Result<JournalEntry> JournalFile::ReadFields() {
  JournalEntry entry;
  LV_RETURN_IF_ERROR(AppendAddress(journal_.get(), next_text_, entry.bytes));
  const void* data = nullptr;
  std::size_t size = 0;
  int result = 0;
  ::sd_journal_restart_data(journal_.get());
  while (!entry.cut &&
         (result = ::sd_journal_enumerate_available_data(journal_.get(), &data, &size)) > 0) {
    AppendData({static_cast<const char*>(data), size}, entry);
  }
  entry.damaged = result < 0;
  entry.bytes.push_back('\n');
  bytes_since_attach_ += entry.bytes.size();
  return entry;
}

void JournalFile::Pop() {
  cursor_ = std::move(next_text_);
  next_.reset();
  vanished_ = false;
}

}  // namespace logvault::forwarder
