// Any bytes are a configuration or an error that names file and line; nothing else happens.
#include <cstdlib>

#include "config/collector_config.h"
#include "config/forwarder_config.h"

namespace {

template <typename T>
void Check(const logvault::Result<T>& config) {
  if (!config.ok() && !config.status().message().starts_with("/c/f.yaml:")) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(logvault::config::ParseCollectorConfig(text, "/c/f.yaml"));
  Check(logvault::config::ParseForwarderConfig(text, "/c/f.yaml"));
  return 0;
}
