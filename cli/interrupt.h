// Interrupt: Ctrl-C as a stop token.  The first SIGINT (or SIGTERM) asks to stop, so that what was found is shown
// and said to be incomplete; the second ends the program at once.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace logvault::cli {

class Interrupt {
 public:
  // Blocks the signals in the calling thread and in those it will start: construct it first in main.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // From now on a second signal does not end the program: it is the pager's, which this program waits for.
  void YieldToPager() { pager_runs_ = true; }
  // From now on the first signal ends the program: for work that has nothing to show when it is stopped.
  void EndAtOnce();

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  [[nodiscard]] bool requested() const { return source_.stop_requested(); }

 private:
  void Watch();

  std::stop_source source_;
  std::atomic<bool> end_at_once_ = false;
  std::atomic<bool> pager_runs_ = false;
  int signals_ = -1;  // signalfd
  int ended_ = -1;    // eventfd, written by the destructor
  std::jthread watcher_;
};

}  // namespace logvault::cli
