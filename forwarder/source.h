// Source: what feeds one stream with records, as the intake sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/payload.h"
#include "forwarder/open_batch.h"

namespace logvault::forwarder {

// What a source tells about itself in a heartbeat.
struct SourceState {
  std::string_view state = "ok";  // ok waiting missing unreadable
  std::uint64_t lag_bytes = 0;    // known to exist, not yet in a batch
  std::string detail;             // of a state that is not ok
  // Of network senders, since the start: messages that came and are lost, and how many of those for their sender's rate.
  std::uint64_t dropped = 0;
  std::uint64_t over_rate = 0;
};

// Something the forwarder's own stream should say: one JSON object.
using OwnRecords = std::vector<std::string>;

// Driven by the intake's one thread.
class Source {
 public:
  virtual ~Source() = default;

  enum class Outcome {
    kIdle,  // nothing more is ready
    kFull,  // the next record does not fit into `batch`
  };
  // Moves records into `batch`.
  virtual Outcome Read(OpenBatch& batch) = 0;

  // Called from time to time while Read is not, because sealed batches find no room.
  virtual void Watch() = 0;
  // The forwarder stops: nothing more is taken in but what has arrived already, which Read gives.
  virtual void Finish() {}

  // What changed in the position since the last call, as of the last record moved.
  virtual std::vector<evidence::PositionEntry> TakePosition() = 0;
  // Goes on from `position`; called before the first Read too.  `known` says that the stream has records already.
  // True where what is in the open batch will be read again: it must be dropped.
  virtual bool Resume(const std::vector<evidence::PositionEntry>& position, bool known) = 0;

  virtual OwnRecords TakeOwnRecords() = 0;
  [[nodiscard]] virtual SourceState state() const = 0;
  // Records that never reached the spool are read once more after a restart; false where they are gone then.
  [[nodiscard]] virtual bool reads_again() const { return true; }
  // Readable when Read has something to do; -1 where only time tells.
  [[nodiscard]] virtual int poll_fd() const { return -1; }
};

}  // namespace logvault::forwarder
