// The process's heap.
#pragma once

#include <cstddef>

namespace logvault {

// Batches come and go by the half megabyte: their memory is kept instead of being fetched from the system each time, which
// takes a page fault for every 4 KiB of it.  At most `kept` bytes that are free at the end of an arena stay (mallopt(3)).
// Threads share `arenas` of them: what each leaves free in its own is in nobody else's reach.  Before the first thread starts.
void KeepFreedMemory(std::size_t kept, int arenas);

}  // namespace logvault
