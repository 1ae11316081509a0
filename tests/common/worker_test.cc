// The second thread: whose it is, that the first goes on meanwhile, and that no job is left undone.
#include "common/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "common/status.h"

namespace logvault {
namespace {

TEST(WorkerTest, DoesEachJobOnOneThreadOfItsOwnAndSaysHowItWent) {
  Worker worker;
  std::thread::id first;
  EXPECT_EQ(worker.Run([&] { return first = std::this_thread::get_id(), NotFound("nothing"); })
                .get()
                .code(),
            StatusCode::kNotFound);
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_EQ(first, worker.Run([] { return std::this_thread::get_id(); }).get());
}

TEST(WorkerTest, TheCallerGoesOnMeanwhile) {
  Worker worker;
  std::promise<void> release;
  std::future<Status> done = worker.Run([&] {
    release.get_future().wait();
    return Status::Ok();
  });
  release.set_value();  // never reached, were the job done by this thread
  EXPECT_TRUE(done.get().ok());
}

TEST(WorkerTest, EndsAfterTheJobThatItWasGiven) {
  std::atomic<int> jobs = 0;
  {
    Worker worker;
    std::future<Status> nobody_waits = worker.Run([&jobs] { return ++jobs, Status::Ok(); });
  }
  EXPECT_EQ(jobs, 1);
}

}  // namespace
}  // namespace logvault
