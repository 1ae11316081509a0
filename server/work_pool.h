// A few threads and a bounded queue before them: where calls do their work, away from gRPC's own
// threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"

namespace logvault::server {

class WorkPool {
 public:
  using Work = std::function<void()>;

  WorkPool(int threads, std::size_t queue_max);
  // Does what is queued, then stops.
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // New work; kResourceExhausted when `queue_max` pieces wait already.
  Status Post(Work work) LV_EXCLUDES(mutex_);
  // The next step of work that was posted before: never refused, done before anything new.
  void Continue(Work work) LV_EXCLUDES(mutex_);
  // As Continue, but after what waits already: a long piece of work lets others in between.
  void Later(Work work) LV_EXCLUDES(mutex_);
  // Waits until nothing is queued and nothing runs.
  void Drain() LV_EXCLUDES(mutex_);

 private:
  void Run();

  const std::size_t queue_max_;
  Mutex mutex_;
  std::condition_variable_any work_queued_;
  std::condition_variable_any idle_;
  std::deque<Work> queue_ LV_GUARDED_BY(mutex_);
  int running_ LV_GUARDED_BY(mutex_) = 0;
  bool stopping_ LV_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: they start when everything else is there
};

}  // namespace logvault::server
