// CallbackThread: one more thread for the callbacks of gRPC's servers, which never looks away.
//
// gRPC 1.51 runs callbacks, and looks for what they wait for, on two threads of its own; each of them sleeps for 100 ms whenever nothing
// came to it for a second.  When both do, a request waits for as long.  docs/adr/0020.
#pragma once

#include <grpcpp/completion_queue.h>

#include <thread>

namespace logvault::net {

class CallbackThread {
 public:
  CallbackThread();
  // Waits for a callback that it is running, and for at most a tenth of a second more.  That may be another listener's, since all share
  // one queue: no callback may wait for whoever destroys this.
  ~CallbackThread();
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

 private:
  grpc::CompletionQueue* const queue_;  // gRPC's, and kept by it until it is given back
  std::jthread thread_;
};

}  // namespace logvault::net
