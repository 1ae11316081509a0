// The names are those of the Unicode locale data (CLDR), which Java formats dates with.  A name
// that means different months in two languages is left out (Croatian's "lip", "srp" and "lis" are
// another month in Polish and Czech).
#include "formats/month_name.h"

#include <algorithm>
#include <array>

#include "formats/scanner.h"

namespace logvault::formats {
namespace {

// Three letters each, in the order of the months.
constexpr std::string_view kEnglish = "janfebmaraprmayjunjulaugsepoctnovdec";

// January's names, February's, ...: lower case where ASCII, without a final full stop.
constexpr std::array<std::string_view, 12> kOther = {
    "januar jän janv gen ene ian tammi sty led oca янв січ",
    "févr fev helmi lut úno febr şub Şub февр фев лют",
    "märz mär mrz mars mrt maalis bře márc мар марта март бер",
    "avr abr huhti kwi dub ápr nis апр квіт",
    "mai mag mei maj touko kvě máj мая май трав",
    "june juni juin giu iun kesä cze čvn jún haz июн июня черв",
    "july juli juil lug iul heinä lip čvc júl tem июль июл июля лип",
    "août aout ago elo sie srp avg ağu авг серп",
    "sept set syys wrz zář szept eyl сент сен вер",
    "okt ott out loka paź říj eki окт жовт",
    "marras lis kas нояб ноя лист",
    "dez déc dic des joulu gru pro ara дек груд",
};

constexpr std::size_t kNameBytesMax = 16;

bool IsLetterOrBeyondAscii(char c) {
  return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

int EnglishMonth(std::string_view lower) {
  if (lower.size() != 3) return 0;
  for (std::size_t at = 0; at < kEnglish.size(); at += 3) {
    if (kEnglish.substr(at, 3) == lower) return static_cast<int>(at / 3) + 1;
  }
  return 0;
}

int OtherMonth(std::string_view lower) {
  for (std::size_t month = 0; month < kOther.size(); ++month) {
    for (Scanner names(kOther[month]); !names.AtEnd(); names.Char(' ')) {
      if (names.Until(' ') == lower) return static_cast<int>(month) + 1;
    }
  }
  return 0;
}

// "5月", "12월", "thg 5".
int NumberedMonth(std::string_view name) {
  Scanner scanner(name);
  int month = 0;
  const bool vietnamese = scanner.Literal("thg ") || scanner.Literal("Thg ");
  if (!scanner.Number(1, 2, &month)) return 0;
  if (!vietnamese && !scanner.Literal("月") && !scanner.Literal("월")) return 0;
  return scanner.AtEnd() && month >= 1 && month <= 12 ? month : 0;
}

}  // namespace

int MonthByName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kNameBytesMax) return 0;
  std::array<char, kNameBytesMax> buffer{};
  for (std::size_t i = 0; i < name.size(); ++i) buffer[i] = AsciiLower(name[i]);
  const std::string_view lower(buffer.data(), name.size());
  // Most of what is asked about is no name at all: an address, "type=SYSCALL".
  if (!std::all_of(lower.begin(), lower.end(), IsLetterOrBeyondAscii)) return NumberedMonth(name);
  if (const int month = EnglishMonth(lower)) return month;
  return OtherMonth(lower);
}

}  // namespace logvault::formats
