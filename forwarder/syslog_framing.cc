#include "forwarder/syslog_framing.h"

#include <algorithm>

namespace logvault::forwarder {

namespace {

// "16777216 " is the longest count there is any use for.
constexpr std::size_t kMaxCountDigits = 8;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// Whether the message at the front is counted; kUnknown where more bytes must tell.
SyslogFraming::Count SyslogFraming::TakeCount() {
  std::string_view text = std::string_view(buffer_).substr(begin_);
  if (text.front() < '1' || text.front() > '9') return Count::kNone;
  std::size_t digits = 0;
  std::size_t value = 0;
  while (digits < text.size() && digits < kMaxCountDigits && IsDigit(text[digits])) {
    value = value * 10 + static_cast<std::size_t>(text[digits] - '0');
    ++digits;
  }
  if (digits == text.size() || digits + 1 == text.size()) {
    bool may_be = digits == text.size() || text[digits] == ' ';
    return may_be ? Count::kUnknown : Count::kNone;
  }
  if (text[digits] != ' ' || text[digits + 1] != '<') return Count::kNone;
  begin_ += digits + 1;
  counted_ = value;
  in_counted_ = true;
  return Count::kTaken;
}

std::optional<SyslogPiece> SyslogFraming::Take(std::size_t size, bool ends) {
  SyslogPiece piece;
  piece.bytes = std::string_view(buffer_).substr(begin_, size);
  piece.continues = in_line_;
  in_line_ = !ends;
  begin_ += size;
  return piece;
}

std::optional<SyslogPiece> SyslogFraming::Next() {
  if (after_counted_ && buffered() > 0) {
    if (buffer_[begin_] == '\n') ++begin_;
    after_counted_ = false;
  }
  if (buffered() == 0) return std::nullopt;
  if (!in_counted_ && !in_line_ && TakeCount() == Count::kUnknown) return std::nullopt;
  if (in_counted_) {
    std::size_t size = std::min(counted_, kMaxSyslogPiece);
    return buffered() < size ? std::nullopt : TakeCounted(size);
  }
  std::size_t line_end = std::string_view(buffer_).substr(begin_, kMaxSyslogPiece).find('\n');
  if (line_end != std::string_view::npos) return Take(line_end + 1, true);
  if (buffered() >= kMaxSyslogPiece) return Take(kMaxSyslogPiece, false);
  return std::nullopt;
}

std::optional<SyslogPiece> SyslogFraming::TakeCounted(std::size_t size) {
  counted_ -= size;
  std::optional<SyslogPiece> piece = Take(size, counted_ == 0);
  in_counted_ = counted_ > 0;
  after_counted_ = !in_counted_;
  return piece;
}

std::optional<SyslogPiece> SyslogFraming::Unfinished() {
  if (buffered() == 0) return std::nullopt;
  if (in_counted_) return TakeCounted(std::min(buffered(), counted_));
  if (!in_line_ && TakeCount() == Count::kUnknown) return std::nullopt;  // some digits
  return Take(buffered(), false);
}

std::optional<SyslogPiece> SyslogFraming::Rest() {
  if (buffered() == 0) return std::nullopt;
  std::optional<SyslogPiece> piece =
      Take(std::min(buffered(), kMaxSyslogPiece), buffered() <= kMaxSyslogPiece);
  piece->partial = true;
  return piece;
}

}  // namespace logvault::forwarder
