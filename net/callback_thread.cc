#include "net/callback_thread.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <grpcpp/version_info.h>

#include <cstdint>
#include <stop_token>

namespace logvault::net {
namespace {

// Later versions have the queue and may not use it.
static_assert(GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR == 51,
              "does this gRPC still look for callbacks on two threads that sleep? docs/adr/0020");

// How the queue is had that all callback servers of a process share: gRPC says it to its own classes alone, but what names a member
// in an explicit instantiation is not asked whether it may (ISO C++20, [temp.spec.general]/6).
grpc::CompletionQueue* TakeQueue();
void GiveBackQueue(grpc::CompletionQueue* queue);

template <grpc::CompletionQueue* (*kTake)(), void (*kGiveBack)(grpc::CompletionQueue*)>
struct Access {
  friend grpc::CompletionQueue* TakeQueue() { return kTake(); }
  friend void GiveBackQueue(grpc::CompletionQueue* queue) { kGiveBack(queue); }
};
template struct Access<&grpc::CompletionQueue::CallbackAlternativeCQ,
                       &grpc::CompletionQueue::ReleaseCallbackAlternativeCQ>;

constexpr std::int64_t kLookMs = 100;  // how long a stop may take

void RunCallbacks(grpc_completion_queue* queue, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kLookMs, GPR_TIMESPAN));
    const grpc_event event = grpc_completion_queue_next(queue, until, nullptr);
    if (event.type == GRPC_QUEUE_SHUTDOWN) return;
    if (event.type != GRPC_OP_COMPLETE) continue;
    auto* callback = static_cast<grpc_completion_queue_functor*>(event.tag);
    callback->functor_run(callback, event.success);
  }
}

}  // namespace

CallbackThread::CallbackThread()
    : queue_(TakeQueue()),
      thread_([queue = queue_->cq()](const std::stop_token& stop) { RunCallbacks(queue, stop); }) {}

CallbackThread::~CallbackThread() {
  thread_.request_stop();
  thread_.join();
  GiveBackQueue(queue_);
}

}  // namespace logvault::net
