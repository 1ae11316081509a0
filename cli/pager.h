// Pager: the program that shows a long answer a screen at a time: $PAGER, else `less` where it is there.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "common/status.h"

namespace logvault::cli {

// The command for the shell; empty: the user wants none (PAGER is empty or "cat"), or there is none.
std::string PagerCommand();

// A running pager that reads what is written to fd().
class Pager {
 public:
  // The pager gets the default signals: the user's Ctrl-C is its own business.  LESS is set to FRX unless it is set.
  static Result<std::unique_ptr<Pager>> Start(const std::string& command);
  ~Pager() { (void)Wait(); }
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  // Ends its input and waits until the user has left it.  False: the shell could not run it.
  bool Wait();

 private:
  Pager(pid_t pid, int fd) : pid_(pid), fd_(fd) {}

  pid_t pid_;  // 0: waited for
  int fd_;     // -1: closed
  bool ran_ = true;
};

}  // namespace logvault::cli
