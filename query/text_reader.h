// TextReader: a query's text while it is parsed, and the small steps that expressions and pipes share.  There are no
// separate tokens, since what a byte means hangs on where it stands (in `a:b` a colon is an operator, in `10.0.0.1:80` it
// is part of a word).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/status.h"

namespace logvault::query {

bool IsBlank(char c);
bool IsNameStart(char c);
bool IsNameChar(char c);

struct Word {
  std::string text;  // without quotes and escapes
  bool quoted = false;
  std::size_t begin = 0;
};

class TextReader {
 public:
  // `text` must outlive it.
  explicit TextReader(std::string_view text) : text_(text) {}

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::size_t at() const { return at_; }
  void MoveTo(std::size_t place) { at_ = place; }
  [[nodiscard]] bool AtEnd() const { return at_ == text_.size(); }
  // The byte at the reader, or NUL at the end.
  [[nodiscard]] char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  void SkipBlanks() {
    while (!AtEnd() && IsBlank(text_[at_])) ++at_;
  }
  // Takes `c` where it stands behind blanks.
  bool TakeChar(char c);

  // kInvalidArgument "column N: what"; columns are counted from 1, in characters and not bytes.
  [[nodiscard]] Status Error(std::size_t where, const std::string& what) const;
  [[nodiscard]] Status Error(const std::string& what) const { return Error(at_, what); }

  // Where the bare word that starts at `begin` ends.
  [[nodiscard]] std::size_t WordEnd(std::size_t begin, bool in_list) const;
  // The bare word at the reader, which stays there.
  [[nodiscard]] std::string_view WordHere() const {
    return text_.substr(at_, WordEnd(at_, false) - at_);
  }
  [[nodiscard]] bool AtKeyword(std::string_view keyword) const;
  // Takes `keyword` where it stands, behind blanks, as a word of its own.
  bool TakeKeyword(std::string_view keyword);
  // The name of a field or of a column; empty where none stands here.
  std::string_view TakeName();

  // A quoted string or a bare word.
  Result<Word> ReadWord(bool in_list);

 private:
  Result<Word> ReadString();

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace logvault::query
