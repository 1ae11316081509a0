// MappedRead: reading a mapped file that somebody may truncate meanwhile, without dying of it.
//
// A page of a map that lies behind the file's end is a SIGBUS, which ends a process.  While a MappedRead lives, such a page
// becomes zeros for the thread instead, and the read knows that what it saw is not to be believed.
#pragma once

namespace logvault::forwarder {

class MappedRead {
 public:
  // Installs the handler, once.
  MappedRead();
  ~MappedRead();
  MappedRead(const MappedRead&) = delete;
  MappedRead& operator=(const MappedRead&) = delete;

  // Something that was read since was not there.
  [[nodiscard]] bool saw_nothing() const;

 private:
  const int before_;
};

}  // namespace logvault::forwarder
