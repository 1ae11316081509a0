#include "forwarder/worker.h"

#include <system_error>
#include <utility>

namespace logvault::forwarder {

std::future<Status> Worker::Run(Job job) {
  std::packaged_task<Status()> task(std::move(job));
  std::future<Status> done = task.get_future();
  if (!thread_.joinable() && !StartThread()) {
    task();
    return done;
  }
  {
    MutexLock lock(mutex_);
    task_ = std::move(task);
  }
  given_.notify_one();
  return done;
}

bool Worker::StartThread() {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Worker::Work(const std::stop_token& stop) {
  for (;;) {
    std::optional<std::packaged_task<Status()>> task;
    {
      MutexLock lock(mutex_);
      if (!given_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) { return task_.has_value(); }))
        return;
      task = std::exchange(task_, std::nullopt);
    }
    (*task)();
  }
}

}  // namespace logvault::forwarder
