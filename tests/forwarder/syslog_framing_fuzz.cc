// Any bytes, cut by the network anywhere: the messages are the bytes, less the counts and the line ends behind counted
// messages; and how the network cuts changes nothing.
#include <cstdint>
#include <string>
#include <vector>

#include "common/check.h"
#include "forwarder/syslog_framing.h"

using logvault::forwarder::SyslogFraming;
using logvault::forwarder::SyslogPiece;

namespace {

std::string Drain(SyslogFraming& framing) {
  std::string messages;
  while (const std::optional<SyslogPiece> piece = framing.Next()) {
    LV_CHECK(!piece->bytes.empty() && piece->bytes.size() <= logvault::forwarder::kMaxSyslogPiece);
    messages += piece->bytes;
    messages += piece->continues ? "" : "|";
  }
  return messages;
}

std::string Framed(std::string_view stream, std::size_t cut) {
  SyslogFraming framing;
  std::string messages;
  for (std::size_t at = 0; at < stream.size(); at += cut) {
    framing.Add(stream.substr(at, cut));
    messages += Drain(framing);
    LV_CHECK(framing.buffered() < logvault::forwarder::kMaxSyslogPiece);
  }
  while (const std::optional<SyslogPiece> piece = framing.Rest()) messages += piece->bytes;
  return messages;
}

}  // namespace

// The first byte says how the network cuts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  LV_CHECK(Framed(stream, 1 + data[0]) == Framed(stream, stream.size()));
  return 0;
}
