// Fuzzes payloads: the input is the columns, wrapped in a zstd frame so that the fuzzer reaches the parser.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "evidence/payload.h"

using namespace logvault::evidence;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(Payload::Parse({reinterpret_cast<const char*>(data), size}, {}));
  std::string frame(ZSTD_compressBound(size), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), data, size, 1));
  logvault::Result<Payload> payload = Payload::Parse(frame, {});
  if (!payload.ok()) return 0;
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < payload->record_count(); ++i)
    bytes += payload->record(i).bytes.size();
  if (bytes != payload->blob().size()) std::abort();
  if (RecordLeaves(*payload, 1).size() != payload->record_count()) std::abort();
  return 0;
}
