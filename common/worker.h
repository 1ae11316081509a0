// Worker: a second thread, for one job at a time.
#pragma once

#include <condition_variable>
#include <future>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "common/mutex.h"

namespace logvault {

// Used by one thread.  It ends after the job that it was given.
class Worker {
 public:
  // REQUIRES: the job before is over.  The thread is started for the first; where the system has none left, the job is done
  // at once, by the caller.
  template <typename Job>
  std::future<std::invoke_result_t<Job&>> Run(Job job) {
    std::packaged_task<std::invoke_result_t<Job&>()> task(std::move(job));
    auto done = task.get_future();
    Give(Task([task = std::move(task)]() mutable { task(); }));
    return done;
  }

 private:
  using Task = std::packaged_task<void()>;

  void Give(Task task) LV_EXCLUDES(mutex_);
  void Work(const std::stop_token& stop) LV_EXCLUDES(mutex_);
  bool StartThread();

  Mutex mutex_;
  std::condition_variable_any given_;
  std::optional<Task> task_ LV_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace logvault
