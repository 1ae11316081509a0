// SyslogFraming: cuts a TCP byte stream into syslog messages (RFC 6587).  A message may be counted ("LEN SP MSG") or
// end in LF; one connection may mix both, so each message is looked at by itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace logvault::forwarder {

// A longer message comes in pieces: what a connection may make us remember is bounded.
inline constexpr std::size_t kMaxSyslogPiece = 256 * 1024;

struct SyslogPiece {
  std::string_view bytes;  // without a count, with its LF; valid until the next call
  bool continues = false;  // goes on where the piece before ended
  bool partial = false;    // the connection ended within the message
};

// One connection's.  A count must be followed by the '<' of a PRI: a line of text may begin with a number, too.
class SyslogFraming {
 public:
  void Add(std::string_view bytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
    buffer_.append(bytes);
  }
  std::optional<SyslogPiece> Next();
  // What is there of a message whose end is not, as a piece that the next one goes on from.  After Next found none.
  std::optional<SyslogPiece> Unfinished();
  // What is left when the connection ends.
  std::optional<SyslogPiece> Rest();
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - begin_; }

 private:
  enum class Count { kNone, kUnknown, kTaken };
  Count TakeCount();
  std::optional<SyslogPiece> TakeCounted(std::size_t size);
  std::optional<SyslogPiece> Take(std::size_t size, bool ends);

  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t counted_ = 0;  // bytes of a counted message still to come
  bool in_counted_ = false;
  bool in_line_ = false;        // within a line that was cut
  bool after_counted_ = false;  // some senders end a counted message with LF, too
};

}  // namespace logvault::forwarder
