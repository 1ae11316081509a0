#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "config/exit_code.h"

namespace logvault::cli {
namespace {

[[noreturn]] void EndProgram() { _exit(static_cast<int>(config::ExitCode::kInterrupted)); }

}  // namespace

Interrupt::Interrupt() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  ended_ = eventfd(0, EFD_CLOEXEC);
  watcher_ = std::jthread([this] { Watch(); });
}

Interrupt::~Interrupt() {
  eventfd_write(ended_, 1);
  watcher_.join();
  close(signals_);
  close(ended_);
}

void Interrupt::EndAtOnce() {
  end_at_once_ = true;
  if (requested()) EndProgram();
}

void Interrupt::Watch() {
  std::array<pollfd, 2> fds = {{{signals_, POLLIN, 0}, {ended_, POLLIN, 0}}};
  for (;;) {
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return;
    signalfd_siginfo info;
    if (fds[0].revents == 0 || read(signals_, &info, sizeof info) != sizeof info) continue;
    const bool first = source_.request_stop();
    if ((!first && !pager_runs_) || end_at_once_) EndProgram();
  }
}

}  // namespace logvault::cli
