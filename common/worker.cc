#include "common/worker.h"

#include <system_error>

namespace logvault {

void Worker::Give(Task task) {
  if (!thread_.joinable() && !StartThread()) return task();
  {
    MutexLock lock(mutex_);
    task_ = std::move(task);
  }
  given_.notify_one();
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
    std::optional<Task> task;
    {
      MutexLock lock(mutex_);
      if (!given_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) { return task_.has_value(); }))
        return;
      task = std::exchange(task_, std::nullopt);
    }
    (*task)();
  }
}

}  // namespace logvault
