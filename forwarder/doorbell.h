// Doorbell: lets one thread wait for news of another, or for a time.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "common/check.h"

namespace logvault::forwarder {

// Rings from before the wait count.  Ring() from any thread; one thread waits.
class Doorbell {
 public:
  Doorbell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { LV_CHECK(fd_ >= 0); }
  ~Doorbell() { ::close(fd_); }
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  void Ring() {
    std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);  // Fails only where it rings already.
  }
  void Clear() {
    std::uint64_t rings = 0;
    (void)!::read(fd_, &rings, sizeof rings);
  }
  void Wait(std::int64_t nanos) {
    pollfd waiting{fd_, POLLIN, 0};
    (void)::poll(&waiting, 1, static_cast<int>((nanos + 999'999) / 1'000'000));
    Clear();
  }
  // Readable while it rings.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace logvault::forwarder
