#include "query/entities.h"

#include "query/address.h"
#include "query/literal.h"

namespace logvault::query {
namespace {

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (FoldAscii(c) >= 'a' && FoldAscii(c) <= 'z') || c == '_';
}
// What a name or an address of IPv4 is made of.
bool IsNamePart(char c) { return IsAlnum(c) || c == '.' || static_cast<unsigned char>(c) >= 0x80; }

template <typename Belongs, typename Visit>
void ForEachRun(std::string_view text, Belongs belongs, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && belongs(text[end])) ++end;
    if (end > at) visit(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

void ForEachAddressText(std::string_view text, const VisitEntity& visit) {
  const VisitAddress visit_address = [&visit](const Network& address) {
    visit(AddressText(address));
  };
  ForEachRun(text, IsNamePart, [&](std::string_view run) { ForEachV4Address(run, visit_address); });
  ForEachV6Address(text, visit_address);
}

void ForEachHashText(std::string_view text, const VisitEntity& visit) {
  ForEachRun(text, IsAlnum, [&](std::string_view run) {
    if (LooksLikeHash(run)) visit(FoldAscii(run));
  });
}

}  // namespace logvault::query
