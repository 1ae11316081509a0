// Worker: a second thread, for one job at a time.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <optional>
#include <thread>

#include "common/mutex.h"
#include "common/status.h"

namespace logvault::forwarder {

// Used by one thread.
class Worker {
 public:
  using Job = std::function<Status()>;

  // REQUIRES: the job before is over.  The thread is started for the first; where the system has none left, the job is done
  // at once, by the caller.
  std::future<Status> Run(Job job) LV_EXCLUDES(mutex_);

 private:
  void Work(const std::stop_token& stop) LV_EXCLUDES(mutex_);
  bool StartThread();

  Mutex mutex_;
  std::condition_variable_any given_;
  std::optional<std::packaged_task<Status()>> task_ LV_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace logvault::forwarder
