#include "query/index_views.h"

#include <algorithm>

#include "formats/hex.h"
#include "formats/http_request.h"
#include "formats/json_members.h"
#include "formats/socket_address.h"

namespace logvault::query {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool Holds(std::string_view text, char c) { return text.find(c) != kNone; }

// auditd: `key=48656C6C6F`; which keys are encoded is the parser's to say, so every such value is decoded.
void DecodeHexValues(std::string_view text, const ViewVisitor& visitor) {
  for (std::size_t equals = text.find('='); equals != kNone; equals = text.find('=', equals + 1)) {
    std::size_t end = equals + 1;
    while (end < text.size() && (formats::HexDigit(text[end]) >= 0 && text[end] < 'a')) ++end;
    const std::string_view digits = text.substr(equals + 1, end - equals - 1);
    std::optional<std::string> bytes = formats::FromUpperHex(digits);
    if (!bytes) continue;
    visitor.on_text(*bytes);
    if (!text.substr(0, equals).ends_with("saddr")) continue;
    const formats::SocketAddress socket = formats::DecodeSocketAddress(*bytes);
    if (std::optional<Network> address = Network::ParseAddress(socket.ip)) {
      visitor.on_address(*address);
    }
    visitor.on_text(socket.path);
  }
}

void DecodeRequest(std::string_view text, const ViewVisitor& visitor) {
  const bool escaped = Holds(text, '\\');
  if (!escaped && !Holds(text, '%')) return;
  const std::string unescaped = escaped ? formats::Unescaped(text) : std::string(text);
  if (escaped) visitor.on_text(unescaped);
  visitor.on_text(formats::PercentDecoded(unescaped));
  // GeoServer's filter escapes nothing: a backslash there is the client's own.
  if (escaped) visitor.on_text(formats::PercentDecoded(text));
}

// A string's escapes may stand for letters.
void DecodeJson(std::string_view text, const ViewVisitor& visitor) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  if (!Holds(text, '\\')) return;
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  for (const formats::JsonLeaf& leaf : formats::JsonLeaves(text)) visitor.on_text(leaf.value);
}

}  // namespace

bool ForEachView(formats::Format format, std::string_view searched, const ViewVisitor& visitor) {
  switch (format) {
    case formats::Format::kAuditd:
      DecodeHexValues(searched, visitor);
      // Pieces of one argument (`a1[0]=`, `a1[1]=` in a later record) are put together without anything between them.
      return !Holds(searched, '[') || searched.find("]=") == kNone;
    case formats::Format::kAccess:
    case formats::Format::kGeoserver:
      DecodeRequest(searched, visitor);
      return true;
    case formats::Format::kJson:
      DecodeJson(searched, visitor);
      return true;
    case formats::Format::kSyslog:
    case formats::Format::kSqlserver:
    case formats::Format::kJournal:
    case formats::Format::kPlain:
      return true;
  }  // No default: the compiler names any format added and not handled.
  return false;
}

}  // namespace logvault::query
