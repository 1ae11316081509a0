// The state of a running forwarder over a local socket in its spool's folder, for `logvault-forwarder status`.
//
// Whoever may open the socket connects and is sent the text at once; nothing is read from them.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"

namespace logvault::forwarder {

// Not for several threads.
class StateSocket {
 public:
  // Replaces what an earlier run left there.  REQUIRES: the folder's lock is held.
  static Result<std::unique_ptr<StateSocket>> Open(const std::string& dir);
  ~StateSocket();
  StateSocket(const StateSocket&) = delete;
  StateSocket& operator=(const StateSocket&) = delete;

  // Readable while somebody waits.
  [[nodiscard]] int fd() const { return fd_; }
  // Sends `text` to everybody who waits.  Never blocks: who does not take it at once gets a part.
  void Answer(const std::string& text) const;

 private:
  StateSocket(int folder_fd, int fd) : folder_fd_(folder_fd), fd_(fd) {}

  const int folder_fd_;
  const int fd_;
};

// What the running forwarder of the spool in `dir` says; kUnavailable where none answers.
Result<std::string> AskState(const std::string& dir);

}  // namespace logvault::forwarder
