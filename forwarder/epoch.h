// Epoch: one run of a forwarder, as evidence sees it.  Its keys live in this object only: whoever comes to the host
// later finds nothing with which to seal the past anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/keys.h"
#include "evidence/payload.h"
#include "evidence/seal.h"
#include "forwarder/spool.h"

namespace logvault::forwarder {

// Who this host is, to the vault.
struct HostIdentity {
  std::string host;
  std::string certificate_der;
  evidence::SigningKey key;       // the certificate's
  std::string vault_opening_key;  // X25519; K_0 is sealed to it
};

// The newest checkpoint that was verified and kept; size 0 for none.
struct Seen {
  std::uint64_t size = 0;
  evidence::Hash root;
};

// Not for several threads.
class Epoch {
 public:
  // Number max(after + 1, now): later than every epoch before it.
  static Result<std::unique_ptr<Epoch>> Start(const HostIdentity& identity, std::uint64_t after,
                                              const Clock& clock);

  [[nodiscard]] std::uint64_t number() const { return number_; }
  // The one before, as far as known at the start; 0 for none.
  [[nodiscard]] std::uint64_t previous() const { return previous_; }
  // Enters the spool before the epoch's first batch.
  [[nodiscard]] const SpooledItem& registration() const { return registration_; }

  // The records of `builder` as the batch that follows `head`.  Seals with the ratchet's present key.  `dictionary` may be
  // nullptr.
  SpooledBatch Seal(const std::string& source, const StreamHead& head, const Seen& seen,
                    evidence::PayloadBuilder& builder,
                    std::vector<evidence::PositionEntry> position,
                    const evidence::Dictionary* dictionary = nullptr) const;

  // Once what is committed together is sealed: the key that sealed it is gone.
  void Advance() { ratchet_.Advance(); }

 private:
  Epoch(const HostIdentity& identity, std::uint64_t number, std::uint64_t previous,
        std::string_view k0);

  const std::string host_;
  const std::uint64_t number_;
  const std::uint64_t previous_;
  evidence::SealRatchet ratchet_;
  evidence::SigningKey signing_key_;
  SpooledItem registration_;
};

}  // namespace logvault::forwarder
