// LightForwarder: a host without files and spool, for benches that need many in one process: its certificate, session, epoch
// and one stream.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/dictionary.h"
#include "evidence/payload.h"
#include "forwarder/epoch.h"
#include "forwarder/identity.h"
#include "net/ingest_client.h"

namespace logvault::bench {

// As bench/ scripts name them: host0007.
std::string HostName(int number);

// Not for several threads.
class LightForwarder {
 public:
  // `folder` holds what `logvault pki issue` made.
  static Result<std::unique_ptr<LightForwarder>> Open(const std::string& collector,
                                                      const std::string& folder,
                                                      const std::string& format);

  // One request of a batch for each of `batches`, which adds its records and says its position; receipted when it returns
  // OK.
  using Fill = std::function<std::vector<evidence::PositionEntry>(evidence::PayloadBuilder&)>;
  Status Append(std::span<const Fill> batches);

  [[nodiscard]] std::size_t payload_bytes() const { return payload_bytes_; }  // sent

 private:
  explicit LightForwarder(std::unique_ptr<net::IngestClient> client) : client_(std::move(client)) {}
  Status Register(const forwarder::LoadedIdentity& identity, const std::string& format);
  forwarder::SpooledBatch Next(const Fill& fill);

  const SystemClock clock_;
  const std::unique_ptr<net::IngestClient> client_;
  std::string session_;
  std::unique_ptr<forwarder::Epoch> epoch_;
  std::shared_ptr<const evidence::Dictionary>
      dictionary_;  // handed out for the format; may be null
  forwarder::StreamHead head_;
  std::size_t payload_bytes_ = 0;
};

}  // namespace logvault::bench
