// Mutex, MutexLock and the thread-safety annotations that clang checks (-Wthread-safety); g++ reads
// them as nothing.  libstdc++'s own mutex carries no annotations.
#pragma once

#include <mutex>

#if defined(__clang__)
#define LV_ANNOTATE(x) __attribute__((x))
#else
#define LV_ANNOTATE(x)
#endif

#define LV_CAPABILITY(x) LV_ANNOTATE(capability(x))
#define LV_SCOPED_CAPABILITY LV_ANNOTATE(scoped_lockable)
#define LV_GUARDED_BY(x) LV_ANNOTATE(guarded_by(x))
#define LV_REQUIRES(...) LV_ANNOTATE(requires_capability(__VA_ARGS__))
#define LV_ACQUIRE(...) LV_ANNOTATE(acquire_capability(__VA_ARGS__))
#define LV_RELEASE(...) LV_ANNOTATE(release_capability(__VA_ARGS__))
#define LV_EXCLUDES(...) LV_ANNOTATE(locks_excluded(__VA_ARGS__))

namespace logvault {

// Meets BasicLockable, so that std::condition_variable_any can wait on it.
class LV_CAPABILITY("mutex") Mutex {
 public:
  void lock() LV_ACQUIRE() { mutex_.lock(); }
  void unlock() LV_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class LV_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LV_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() LV_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace logvault
