// Cuts a text into records.  One loop serves every format and both encodings: it looks for the end
// of the record at the front, within `max_record` bytes, and so never looks at a byte of a split
// record twice.
#include "formats/framer.h"

#include <algorithm>
#include <cstring>

#include "common/check.h"
#include "formats/header_line.h"
#include "formats/journal_entry.h"
#include "formats/scanner.h"
#include "formats/utf16.h"

namespace logvault::formats {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool HasRecordsOfSeveralLines(Format format) {
  switch (format) {
    case Format::kGeoserver:
    case Format::kSqlserver:
    case Format::kJournal:
      return true;
    case Format::kSyslog:
    case Format::kAuditd:
    case Format::kAccess:
    case Format::kJson:
    case Format::kPlain:
      return false;
  }
  return false;
}

// Past the first LF at or after `from` and before `until`, or kNone.  In UTF-16LE code units begin
// at even offsets.
std::size_t LineEnd(Encoding encoding, std::string_view text, std::size_t from, std::size_t until) {
  while (from < until) {
    const void* found = std::memchr(text.data() + from, '\n', until - from);
    if (found == nullptr) return kNone;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (encoding == Encoding::kBytes) return at + 1;
    if (at % 2 == 0 && at + 1 < until && text[at + 1] == '\0') return at + 2;
    from = at + 1;
  }
  return kNone;
}

bool EndsWithLine(Encoding encoding, std::string_view text) {
  if (encoding == Encoding::kBytes) return text.ends_with('\n');
  return text.size() % 2 == 0 && text.ends_with(std::string_view("\n\0", 2));
}

bool IsHeader(Format format, std::string_view line) {
  return format == Format::kGeoserver ? ParseGeoserverHeader(line).has_value()
                                      : ParseSqlserverHeader(line).has_value();
}

enum class Answer { kYes, kNo, kNotYet };

// Whether the line at the front of `text` opens a record.  Not to be known yet while the line is
// neither complete nor as long as a header may be.
Answer OpensRecord(Format format, Encoding encoding, std::string_view text, End end) {
  if (!IsDigit(text.front())) return Answer::kNo;  // every header begins with a digit
  const std::size_t until = std::min(text.size(), kHeaderBytesMax);
  const std::size_t line_end = LineEnd(encoding, text, 0, until);
  if (line_end == kNone && until < kHeaderBytesMax && end != End::kFinal) return Answer::kNotYet;
  const std::string_view line = text.substr(0, line_end == kNone ? until : line_end);
  const bool header =
      encoding == Encoding::kBytes ? IsHeader(format, line) : IsHeader(format, Utf16LeToUtf8(line));
  return header ? Answer::kYes : Answer::kNo;
}

class Framing {
 public:
  Format format;
  Encoding encoding;
  End end;
  std::size_t max_record;

  // Where the record at the front of `text` ends.  kNone: not within `max_record` bytes, or not to
  // be known yet;
  // `*wait` tells which.  `continues`: the text begins within a record.  `*terminated`: it has its
  // terminator.
  std::size_t RecordEnd(std::string_view text, bool continues, bool* wait, bool* terminated) const {
    if (format == Format::kJournal) return EntryEnd(text, continues, wait, terminated);
    const std::size_t found = LinesEnd(text, wait);
    *terminated = found != kNone && EndsWithLine(encoding, text.substr(0, found));
    return found;
  }

 private:
  std::size_t EntryEnd(std::string_view text, bool continues, bool* wait, bool* terminated) const {
    // A blank line may be the last of what is looked at; what follows it then tells.
    const std::string_view part =
        text.substr(0, continues ? max_record + kHeaderBytesMax : max_record);
    *wait = false;
    const std::size_t found =
        continues ? JournalEntryEndAnywhere(part, wait) : JournalEntryEnd(part);
    *terminated = found <= max_record;
    if (*terminated) return found;
    if (text.size() > max_record) {
      *wait = *wait && text.size() <= max_record + kHeaderBytesMax && end != End::kFinal;
      return kNone;
    }
    *wait = end != End::kFinal;
    return *wait ? kNone : text.size();
  }

  std::size_t LinesEnd(std::string_view text, bool* wait) const {
    const std::size_t until = std::min(text.size(), max_record);
    *wait = false;
    for (std::size_t line = 0; line < until;) {
      line = LineEnd(encoding, text, line, until);
      if (line == kNone) break;
      if (!HasRecordsOfSeveralLines(format)) return line;
      if (line == text.size()) break;
      switch (OpensRecord(format, encoding, text.substr(line), end)) {
        case Answer::kYes:
          return line;
        case Answer::kNotYet:
          *wait = true;
          return kNone;
        case Answer::kNo:
          break;
      }
    }
    if (text.size() > max_record) return kNone;
    const bool closed = end == End::kFinal || (end == End::kIdle && EndsWithLine(encoding, text));
    *wait = !closed;
    return closed ? text.size() : kNone;
  }
};

}  // namespace

Encoding DetectEncoding(std::string_view first_bytes) {
  return first_bytes.starts_with("\xFF\xFE") ? Encoding::kUtf16Le : Encoding::kBytes;
}

std::size_t CutRecords(Format format, Encoding encoding, std::string_view text, End end,
                       std::size_t max_record, bool* continues, std::vector<Cut>& cuts) {
  LV_CHECK(max_record >= 2);
  if (format == Format::kJournal) encoding = Encoding::kBytes;       // whatever its first bytes are
  if (encoding == Encoding::kUtf16Le) max_record -= max_record % 2;  // a code unit stays whole
  const Framing framing{format, encoding, end, max_record};
  std::size_t done = 0;
  while (done < text.size()) {
    const std::string_view rest = text.substr(done);
    bool wait = false;
    bool terminated = false;
    const std::size_t record_end = framing.RecordEnd(rest, *continues, &wait, &terminated);
    if (wait) return done;
    const bool split = record_end == kNone;
    const std::size_t length = split ? max_record : record_end;
    const bool partial = !split && !terminated;
    cuts.push_back({.length = length, .continues = *continues, .partial = partial});
    *continues = split;
    done += length;
  }
  if (end == End::kFinal) *continues = false;
  return done;
}

}  // namespace logvault::formats
