// Shipper: takes the spool's oldest items to the vault, for ever, and frees what the vault proved to have.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "forwarder/backoff.h"
#include "forwarder/handover.h"
#include "forwarder/spool.h"
#include "forwarder/witness.h"
#include "net/ingest_client.h"

namespace logvault::forwarder {

struct ShipperOptions {
  std::vector<std::string> addresses;  // of one vault, tried in order
  std::vector<v1::StreamDescriptor> streams;
};

// What came of the shipper's newest try.
struct ShipperState {
  bool connected = false;
  Status trouble;                   // OK, or why nothing is being shipped
  std::uint64_t items_shipped = 0;  // since the start; grows with every proven receipt
  std::uint64_t bytes_shipped = 0;  // of those
  std::uint64_t sessions = 0;
  std::string address;                  // of the newest session
  std::uint64_t set_aside = 0;          // batches that the vault refused for what they contain
  UnixNanos last_receipt = 0;           // 0: none since the start
  std::uint32_t flush_interval_ms = 0;  // as the vault asks; 0 before it did
};

class Shipper {
 public:
  using Connect =
      std::function<Result<std::unique_ptr<net::IngestClient>>(const std::string& address)>;

  // Everything given by reference must outlive the shipper.
  Shipper(ShipperOptions options, Connect connect, Spool& spool, Witness& witness,
          Handover& handover, const Clock& clock);

  // Opens a session where there is none, else ships one request.  Returns how long to wait before the next step,
  // unless a bell rings: 0 is at once.  One thread.
  std::int64_t Step();
  void Close();

  // From any thread.
  [[nodiscard]] ShipperState state() const LV_EXCLUDES(mutex_);
  // Ends a blocked call.
  void Cancel() LV_EXCLUDES(mutex_);

 private:
  std::int64_t OpenSession();
  Result<v1::SessionOpened> OpenAt(const std::string& address);
  Result<v1::OpenRequest> MakeOpenRequest();
  Status CheckOpened(const v1::SessionOpened& opened);
  std::int64_t ShipOldest();
  Result<evidence::Checkpoint> CheckResponse(const std::vector<SpooledItem>& items,
                                             const v1::AppendResponse& response);
  struct Settled {
    std::vector<std::int64_t> proven;
    std::uint64_t bytes = 0;  // of those
    std::uint64_t set_aside = 0;
    bool reopen = false;
  };
  Status SettleItem(const SpooledItem& item, const v1::ItemReceipt& receipt, Settled& settled);
  Status Settle(const std::vector<SpooledItem>& items, const v1::AppendResponse& response,
                const evidence::Checkpoint& checkpoint);
  void Count(const Settled& settled, std::uint32_t flush_interval_ms) LV_EXCLUDES(mutex_);
  // `note` was verified and is the newest: now and then it is kept for good.
  Status KeepNow(const std::string& note);
  std::int64_t Fail(const Status& failure, bool keep_session);
  void OnIntegrityFailure(const Status& failure, const std::string& note);
  void EndSession();

  const ShipperOptions options_;
  const Connect connect_;
  Spool& spool_;
  Witness& witness_;
  Handover& handover_;
  const Clock& clock_;

  Backoff backoff_;
  std::int64_t not_before_ = 0;               // Clock::Monotonic
  std::int64_t next_older_note_ = INT64_MIN;  // Clock::Monotonic
  std::string session_;
  SessionNews owed_news_;  // conflicts and refusals to be told with the next session
  std::string last_alarm_;

  mutable Mutex mutex_;
  std::shared_ptr<net::IngestClient> client_ LV_GUARDED_BY(mutex_);
  bool cancelled_ LV_GUARDED_BY(mutex_) = false;
  ShipperState state_ LV_GUARDED_BY(mutex_);
};

}  // namespace logvault::forwarder
