#include "server/work_pool.h"

#include <utility>

namespace logvault::server {

WorkPool::WorkPool(int threads, std::size_t queue_max) : queue_max_(queue_max) {
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkPool::~WorkPool() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_queued_.notify_all();
}

Status WorkPool::Post(Work work) {
  {
    MutexLock lock(mutex_);
    if (queue_.size() >= queue_max_) {
      return ResourceExhausted("the collector is busy: " + std::to_string(queue_max_) +
                               " calls wait");
    }
    queue_.push_back(std::move(work));
  }
  work_queued_.notify_one();
  return Status::Ok();
}

void WorkPool::Continue(Work work) {
  {
    MutexLock lock(mutex_);
    queue_.push_front(std::move(work));
  }
  work_queued_.notify_one();
}

void WorkPool::Later(Work work) {
  {
    MutexLock lock(mutex_);
    queue_.push_back(std::move(work));
  }
  work_queued_.notify_one();
}

void WorkPool::Drain() {
  MutexLock lock(mutex_);
  while (!queue_.empty() || running_ > 0) idle_.wait(mutex_);
}

void WorkPool::Run() {
  for (;;) {
    Work work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) work_queued_.wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    work();
    work = nullptr;  // what it holds goes before it counts as done
    MutexLock lock(mutex_);
    if (--running_ == 0 && queue_.empty()) idle_.notify_all();
  }
}

}  // namespace logvault::server
