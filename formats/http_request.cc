#include "formats/http_request.h"

#include "formats/hex.h"
#include "formats/utf16.h"

namespace logvault::formats {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// The value of the `count` hexadecimal digits at the front of `text`, or -1.
int HexValue(std::string_view text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    const int digit = HexDigit(c);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

// "http://host/a" to "/a": a proxy is asked with the whole address.
std::string_view WithoutAuthority(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == kNone || uri.find_first_of("/?") < scheme) return uri;
  const std::size_t path = uri.find_first_of("/?", scheme + 3);
  return path == kNone ? std::string_view() : uri.substr(path);
}

void AddTarget(std::string_view uri, FieldList& fields) {
  fields.Add("http.uri", uri);
  const std::string_view local = WithoutAuthority(uri);
  const std::size_t question = local.find('?');
  fields.Add("http.path", PercentDecoded(local.substr(0, question)));
  if (question != kNone) fields.Add("http.query", PercentDecoded(local.substr(question + 1)));
}

// What the escape at the front of `text`, past its backslash, stands for; how many characters it
// takes.
std::size_t AppendEscaped(std::string_view text, std::string& out) {
  constexpr std::string_view kLetters = "nrtbfv";
  constexpr std::string_view kControls = "\n\r\t\b\f\v";
  const char c = text.front();
  if (const std::size_t letter = kLetters.find(c); letter != kNone) {
    out.push_back(kControls[letter]);
    return 1;
  }
  if (const int byte = c == 'x' ? HexValue(text.substr(1), 2) : -1; byte >= 0) {
    out.push_back(static_cast<char>(byte));
    return 3;
  }
  if (const int unit = c == 'u' ? HexValue(text.substr(1), 4) : -1; unit >= 0) {
    const char bytes[] = {static_cast<char>(unit & 0xFF), static_cast<char>(unit >> 8)};
    out.append(Utf16LeToUtf8(std::string_view(bytes, sizeof(bytes))));
    return 5;
  }
  if (c != '"' && c != '\\') out.push_back('\\');
  out.push_back(c);
  return 1;
}

}  // namespace

std::string PercentDecoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? HexValue(text.substr(i + 1), 2) : -1;
    if (byte >= 0) i += 2;
    out.push_back(byte >= 0 ? static_cast<char>(byte) : text[i]);
  }
  return out;
}

std::optional<std::string_view> TakeQuoted(Scanner& scanner) {
  const std::string_view text = scanner.rest();
  if (scanner.Peek() != '"') return std::nullopt;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return scanner.Take(i + 1).substr(1, i - 1);
    }
  }
  return std::nullopt;
}

std::string Unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      i += AppendEscaped(text.substr(i + 1), out);
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

void AddRequestLine(std::string_view request, FieldList& fields) {
  if (request.empty() || request == "-") return;
  const std::size_t method_end = request.find(' ');
  if (method_end == kNone) return AddTarget(request, fields);
  fields.Add("http.method", request.substr(0, method_end));
  std::string_view uri = request.substr(method_end + 1);
  // A target may hold blanks of a careless client, so the version is what stands last.
  const std::size_t version = uri.rfind(' ');
  if (version != kNone && uri.substr(version + 1).starts_with("HTTP/")) {
    fields.Add("http.version", uri.substr(version + 1));
    uri = uri.substr(0, version);
  }
  AddTarget(uri, fields);
}

}  // namespace logvault::formats
