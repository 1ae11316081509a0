// Any bytes, in any format, encoding and chunking: the cuts cover what they say, and in the end everything.
#include <algorithm>
#include <cstdint>

#include "common/check.h"
#include "formats/framer.h"

using namespace logvault::formats;

namespace {

std::size_t Sum(const std::vector<Cut>& cuts) {
  std::size_t sum = 0;
  for (const Cut& cut : cuts) sum += cut.length;
  return sum;
}

}  // namespace

// The first four bytes choose format, encoding, limit and chunk; the rest is the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Format format = kFormats[data[0] % kFormats.size()].format;
  const Encoding encoding = data[1] % 2 == 0 ? Encoding::kBytes : Encoding::kUtf16Le;
  const std::size_t limit = 2 + std::size_t{data[2]} * 8;
  const std::size_t chunk = 1 + data[3];
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);

  std::vector<Cut> whole;
  bool continues = false;
  const std::size_t covered =
      CutRecords(format, encoding, text, End::kFinal, limit, &continues, whole);
  LV_CHECK(covered == text.size() && Sum(whole) == covered && !continues);

  std::vector<Cut> pieces;
  std::size_t done = 0;
  for (std::size_t offered = std::min(chunk, text.size()); offered < text.size();
       offered = std::min(offered + chunk, text.size())) {
    done += CutRecords(format, encoding, text.substr(done, offered - done), End::kMore, limit,
                       &continues, pieces);
  }
  done += CutRecords(format, encoding, text.substr(done), End::kFinal, limit, &continues, pieces);
  LV_CHECK(done == text.size() && pieces == whole);
  return 0;
}
