// Intake: moves records from the sources into sealed batches, and those into the spool.  The one owner of the
// sources, the epoch and the stream heads.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/worker.h"
#include "forwarder/epoch.h"
#include "forwarder/format_dictionaries.h"
#include "forwarder/handover.h"
#include "forwarder/open_batch.h"
#include "forwarder/own_source.h"
#include "forwarder/source.h"
#include "forwarder/spool.h"
#include "forwarder/witness.h"

namespace logvault::forwarder {

// A batch that is not full is sealed this long after the one before, or at once after a quiet time.
inline constexpr std::int64_t kFlushIntervalNanos = kNanosPerSecond;
inline constexpr std::int64_t kFlushIntervalMaxNanos = 5 * kNanosPerSecond;
// Of one source before the others have their turn, where it has so much; the disk may be slow.
inline constexpr int kBatchesInARow = 8;
inline constexpr std::int64_t kTurnNanos = kNanosPerSecond / 10;
// Read from one socket source at a stop, at most: its queue and its kernel's buffers, several times over.
inline constexpr int kStopBatchesMax = 32;
// A spool that has no room is asked again after this long.
inline constexpr std::int64_t kSpoolRetryNanos = kNanosPerSecond / 5;

struct IntakeOptions {
  std::int64_t heartbeat_nanos = 30 * kNanosPerSecond;
  std::string start_record;  // JSON, said first
};

// Driven by one thread.  A second one seals, while the first puts the batch before into the spool and fills the next.
class Intake {
 public:
  // Everything given by reference must outlive the intake.  `to_shipper` rings when there is something to ship.
  static Result<std::unique_ptr<Intake>> Open(IntakeOptions options, const HostIdentity& identity,
                                              Spool& spool, const Witness& witness,
                                              Handover& handover, Doorbell& to_shipper,
                                              const Clock& clock);
  // `format` as the vault is told it.
  void AddSource(std::string name, std::string format, std::unique_ptr<Source> source);

  // Where the streams stand by the spool alone.  After the last AddSource, before the first Step.
  Status LoadHeads();

  // One round over the sources.  True where more is ready at once.
  bool Step();
  // Seals what is open, whatever its size.
  void Flush();
  // Takes in what sockets hold, seals what is open, then the last record of this epoch.  Drops what finds no room in
  // the spool: files are read again, and what cannot be leaves a gap record.  After it, Step() reads nothing.
  void Stop(std::string record);
  void Say(std::string record) { own_->Say(std::move(record)); }

  // The vault's answer to Open was needed and is not there yet: this stream's numbers are not known.
  [[nodiscard]] bool AnyUnadopted() const;
  // Every source had nothing more to read in the newest round, and everything that was read is in the spool.
  [[nodiscard]] bool ReadOut() const;
  // Everything that was said and read is in the spool, the stop record too.
  [[nodiscard]] bool Stopped() const { return stopped_ && !held_.has_value(); }
  // What was sealed finds no room in the spool; nothing is read meanwhile.
  [[nodiscard]] bool blocked() const { return held_.has_value(); }
  // Why batches do not enter the spool; OK where they do.
  [[nodiscard]] const Status& trouble() const { return trouble_; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  // Gap records said since the start.
  [[nodiscard]] std::uint64_t gaps() const { return own_->gaps(); }
  struct SourceReport {
    std::string name;
    std::uint64_t last_seq = 0;  // sealed
    std::uint64_t bytes = 0;     // sealed since the start
    SourceState state;
  };
  // Every source but the own one.
  [[nodiscard]] std::vector<SourceReport> Sources() const;
  void set_flush_interval(std::int64_t nanos) { flush_interval_ = nanos; }

 private:
  struct Stream {
    std::string name;
    std::string format;
    std::unique_ptr<Source> source;
    std::unique_ptr<OpenBatch> batch = std::make_unique<OpenBatch>();
    bool adopted = false;  // `head` is known
    bool idle = false;     // the newest Read found nothing more
    StreamHead head;
    std::uint64_t bytes = 0;                  // sealed since the start
    std::int64_t last_flush = INT64_MIN / 2;  // Clock::Monotonic
  };

  // A batch that takes no more, and what is committed with it.
  struct ToSeal {
    Stream* stream = nullptr;
    OpenBatch* batch = nullptr;
    StreamHead head;  // which it follows
    std::vector<evidence::PositionEntry> position;
    std::vector<std::int64_t> settled;  // owed records that are in it
  };

  Intake(IntakeOptions options, const HostIdentity& identity, Spool& spool, const Witness& witness,
         Handover& handover, Doorbell& to_shipper, const Clock& clock);

  Status LoadHead(Stream& stream);
  void WatchAll();
  bool ReadAll();
  bool ReadStream(Stream& stream, int most);
  void SealWhatIsDue();
  void SayWhatIsDue();
  void SayOwed();
  std::string Heartbeat() const;
  void Fill(Stream& stream);
  void SealAndCommit(std::vector<Stream*> streams);
  std::vector<ToSeal> Close(std::vector<Stream*> streams);
  void SealBeside(std::vector<ToSeal> closed);
  SpoolCommit Seal(const std::vector<ToSeal>& closed, bool first_of_epoch);
  void HoldSealed();
  [[nodiscard]] StreamHead HeadOf(const Stream& stream) const;
  void AddOwnWords(std::vector<Stream*>& streams);
  void CommitHeld();
  void OnAppended();
  void SayThatItWasBlocked();
  void ReadWhatIsNowhereElse();
  void OweUnnumbered(Stream& stream);
  void GiveUpHeld();
  void CommitHeldOf(const std::function<bool(const Stream&)>& wanted);
  [[nodiscard]] Stream* Find(std::string_view name) const;

  // reconcile.cc
  void ActOnNews();
  Status Reconcile(const SessionNews& news);
  Status Adopt(Stream& stream, const v1::StreamState& state);
  void DropHeld(const std::string& source);
  Status RenewEpoch(std::uint64_t newest);
  Status Reseal(const std::string& source, StreamHead head);
  Status SealHeldAgain();
  Result<Spool::Resealed> SealAgainOrSetAside(const SpooledItem& item, StreamHead& head) const;
  Result<SpooledBatch> SealAgain(const SpooledItem& item, std::uint32_t flags,
                                 StreamHead& head) const;

  const IntakeOptions options_;
  const HostIdentity& identity_;
  Spool& spool_;
  const Witness& witness_;
  Handover& handover_;
  Doorbell& to_shipper_;
  const Clock& clock_;

  FormatDictionaries dictionaries_;
  std::unique_ptr<Epoch> epoch_;
  bool registered_ = false;                       // the epoch's registration is in the spool
  std::vector<std::unique_ptr<Stream>> streams_;  // the own one first
  OwnSource* own_ = nullptr;
  std::unique_ptr<OpenBatch> spare_ = std::make_unique<OpenBatch>();  // empty, for the next
  std::optional<SpoolCommit>
      held_;  // sealed and not in the spool yet, for which it may have no room
  std::future<SpoolCommit> sealing_;     // what sealer_ is at; follows held_
  std::int64_t retry_held_ = 0;          // Clock::Monotonic
  UnixNanos blocked_since_ = 0;          // 0: it is not
  std::optional<SessionNews> news_;      // not acted on yet
  std::int64_t retry_news_ = INT64_MIN;  // Clock::Monotonic
  Status trouble_;
  std::int64_t next_heartbeat_ = 0;
  std::int64_t next_owed_ = INT64_MIN;
  std::int64_t flush_interval_ = kFlushIntervalNanos;
  std::set<std::int64_t> owed_said_;  // waiting in the own stream
  std::uint64_t commits_ = 0;
  bool stopped_ = false;
  Worker sealer_;  // last: its job uses the rest
};

}  // namespace logvault::forwarder
