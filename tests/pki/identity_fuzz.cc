// Any bytes are an identity that writes itself the same way, or none.
#include <cstdlib>

#include "pki/identity.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view uri(reinterpret_cast<const char*>(data), size);
  logvault::Result<logvault::pki::Identity> identity = logvault::pki::Identity::Parse(uri);
  if (identity.ok() && identity->ToString() != uri) std::abort();
  return 0;
}
