// Runs checks on a few threads, with a bound on the bytes that wait.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/mutex.h"

namespace logvault::storage {

class CheckPool {
 public:
  // `bytes_max` bounds what waiting and running checks hold together.
  CheckPool(unsigned threads, std::size_t bytes_max);
  // Finishes what was given.
  ~CheckPool();
  CheckPool(const CheckPool&) = delete;
  CheckPool& operator=(const CheckPool&) = delete;

  // Waits while the bound is reached.  `check` holds `bytes`, and takes care of its own result.
  void Add(std::size_t bytes, std::function<void()> check) LV_EXCLUDES(mutex_);
  // Waits until every check has run.
  void Wait() LV_EXCLUDES(mutex_);

 private:
  struct Check {
    std::size_t bytes = 0;
    std::function<void()> run;
  };
  void Run(const std::stop_token& stop) LV_EXCLUDES(mutex_);

  const std::size_t bytes_max_;
  Mutex mutex_;
  std::condition_variable_any added_;
  std::condition_variable_any finished_;
  std::deque<Check> waiting_ LV_GUARDED_BY(mutex_);
  std::size_t bytes_ LV_GUARDED_BY(mutex_) = 0;
  std::size_t unfinished_ LV_GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> threads_;  // last: they start when everything else is there
};

}  // namespace logvault::storage
