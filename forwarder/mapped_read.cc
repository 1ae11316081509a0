#include "forwarder/mapped_read.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <mutex>

namespace logvault::forwarder {

namespace {

thread_local volatile std::sig_atomic_t reading = 0;  // MappedReads alive
thread_local volatile std::sig_atomic_t missing = 0;  // pages that were not there

// Anything else that raises it dies of it, as before.
void PutZeros(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const auto page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(info->si_addr) & ~(page_bytes - 1);
  const bool ours = reading > 0 && info->si_code == BUS_ADRERR;
  if (!ours || ::mmap(reinterpret_cast<void*>(page), page_bytes, PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    (void)std::signal(SIGBUS, SIG_DFL);
    return;
  }
  missing = missing + 1;
}

void InstallOnce() {
  static std::once_flag installed;
  std::call_once(installed, [] {
    struct sigaction action {};
    action.sa_sigaction = PutZeros;
    action.sa_flags = SA_SIGINFO;
    (void)::sigaction(SIGBUS, &action, nullptr);
  });
}

}  // namespace

MappedRead::MappedRead() : before_(missing) {
  InstallOnce();
  reading = reading + 1;
}

MappedRead::~MappedRead() { reading = reading - 1; }

bool MappedRead::saw_nothing() const { return missing != before_; }

}  // namespace logvault::forwarder
