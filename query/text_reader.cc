#include "query/text_reader.h"

#include "query/literal.h"

namespace logvault::query {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsNameStart(char c) { return (FoldAscii(c) >= 'a' && FoldAscii(c) <= 'z') || c == '_'; }
bool IsNameChar(char c) {
  return IsNameStart(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '@';
}

bool TextReader::TakeChar(char c) {
  SkipBlanks();
  if (AtEnd() || Peek() != c) return false;
  ++at_;
  return true;
}

Status TextReader::Error(std::size_t where, const std::string& what) const {
  std::size_t column = 1;
  for (char c : text_.substr(0, where))
    column += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return InvalidArgument("column " + std::to_string(column) + ": " + what);
}

std::size_t TextReader::WordEnd(std::size_t begin, bool in_list) const {
  static constexpr std::string_view kEnds = "()\"|";
  std::size_t end = begin;
  while (end < text_.size() && !IsBlank(text_[end]) &&
         kEnds.find(text_[end]) == std::string_view::npos && !(in_list && text_[end] == ',')) {
    ++end;
  }
  return end;
}

bool TextReader::AtKeyword(std::string_view keyword) const {
  return EqualFolded(WordHere(), keyword);
}

bool TextReader::TakeKeyword(std::string_view keyword) {
  SkipBlanks();
  if (!AtKeyword(keyword)) return false;
  at_ += keyword.size();
  return true;
}

std::string_view TextReader::TakeName() {
  const std::size_t begin = at_;
  if (!IsNameStart(Peek())) return {};
  while (!AtEnd() && IsNameChar(text_[at_])) ++at_;
  return text_.substr(begin, at_ - begin);
}

Result<Word> TextReader::ReadWord(bool in_list) {
  if (Peek() == '"') return ReadString();
  Word word;
  word.begin = at_;
  const std::size_t end = WordEnd(at_, in_list);
  word.text = std::string(text_.substr(at_, end - at_));
  at_ = end;
  return word;
}

Result<Word> TextReader::ReadString() {
  Word word;
  word.quoted = true;
  word.begin = at_++;
  for (; !AtEnd(); ++at_) {
    if (Peek() == '"') {
      ++at_;
      return word;
    }
    if (Peek() == '\\') {
      const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
      if (escaped != '"' && escaped != '\\') {
        return Error("in a string only \\\" and \\\\ are escapes; write \\\\ for a backslash");
      }
      ++at_;
    }
    word.text += Peek();
  }
  return Error(word.begin,
               "this string is never closed; write \\\" for a quotation mark inside it");
}

}  // namespace logvault::query
