#include "storage/check_pool.h"

#include <algorithm>
#include <utility>

namespace logvault::storage {

CheckPool::CheckPool(unsigned threads, std::size_t bytes_max) : bytes_max_(bytes_max) {
  for (unsigned i = 0; i < std::max(threads, 1u); ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

CheckPool::~CheckPool() {
  Wait();
  for (std::jthread& thread : threads_) thread.request_stop();
}

void CheckPool::Add(std::size_t bytes, std::function<void()> check) {
  {
    MutexLock lock(mutex_);
    finished_.wait(mutex_, [this, bytes]() LV_REQUIRES(mutex_) {
      return bytes_ == 0 || bytes_ + bytes <= bytes_max_;
    });
    bytes_ += bytes;
    ++unfinished_;
    waiting_.push_back({bytes, std::move(check)});
  }
  added_.notify_one();
}

void CheckPool::Wait() {
  MutexLock lock(mutex_);
  finished_.wait(mutex_, [this]() LV_REQUIRES(mutex_) { return unfinished_ == 0; });
}

void CheckPool::Run(const std::stop_token& stop) {
  for (;;) {
    Check check;
    {
      MutexLock lock(mutex_);
      added_.wait(mutex_, stop, [this]() LV_REQUIRES(mutex_) { return !waiting_.empty(); });
      if (waiting_.empty()) return;
      check = std::move(waiting_.front());
      waiting_.pop_front();
    }
    check.run();
    check.run = nullptr;  // frees what it holds before its bytes are given back
    {
      MutexLock lock(mutex_);
      bytes_ -= check.bytes;
      --unfinished_;
    }
    finished_.notify_all();
  }
}

}  // namespace logvault::storage
