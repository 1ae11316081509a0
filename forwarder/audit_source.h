// AuditSource: the stream of audit events as auditd hands them out, live.
//
// Events that auditd handed out while nobody was connected are gone.  Its events are numbered, so the first after a break
// tells how many there were at most: a gap record.  The newest number is the stream's position, so a break may be our own
// stop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "forwarder/audit_client.h"
#include "forwarder/message_queue.h"
#include "forwarder/source.h"

namespace logvault::forwarder {

class AuditSource final : public Source {
 public:
  // `clock` must outlive the source.
  AuditSource(std::string name, const std::string& socket_path, const Clock& clock);

  Outcome Read(OpenBatch& batch) override;
  void Watch() override { queue_.Hush(); }
  void Finish() override;
  std::vector<evidence::PositionEntry> TakePosition() override;
  bool Resume(const std::vector<evidence::PositionEntry>& position, bool known) override;
  OwnRecords TakeOwnRecords() override;
  [[nodiscard]] SourceState state() const override;
  [[nodiscard]] bool reads_again() const override { return false; }
  [[nodiscard]] int poll_fd() const override { return queue_.fd(); }

 private:
  UnixNanos Look(const Message& message);
  void LookForBreak(const Message& message);
  void Pass(const Message& message);

  const std::string name_;
  MessageQueue queue_;
  std::uint64_t connection_ = 0;       // of the newest message
  bool after_break_ = false;           // the next number tells what is missing
  std::optional<std::uint64_t> last_;  // of the newest event that is in a batch
  bool moved_ = false;
  OwnRecords own_;
  std::unique_ptr<AuditClient> client_;  // last: its thread uses the queue
};

}  // namespace logvault::forwarder
