#include "common/heap.h"

#include <malloc.h>

namespace logvault {

void KeepFreedMemory(std::size_t kept, int arenas) {
  // Larger than any batch and than any request but a huge record's.
  constexpr int kMappedFrom = 4 << 20;
  mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(kept));
  mallopt(M_ARENA_MAX, arenas);
}

}  // namespace logvault
