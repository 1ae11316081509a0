// RemoteVault: a vault over the network, its newest checkpoint verified by the pinned key and found consistent with
// the one kept from earlier connections.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "cli/kept_checkpoint.h"
#include "cli/settings.h"
#include "common/status.h"
#include "evidence/checkpoint.h"
#include "net/query_client.h"
#include "pki/vault_files.h"

namespace logvault::cli {

class RemoteVault {
 public:
  // kInvalidArgument where settings are missing, kUnavailable where there is no answer, kIntegrity for a
  // wrong signature, a fork or a rollback.  Once `stop` is asked for, every call of the vault's client ends with
  // kCancelled.
  static Result<std::unique_ptr<RemoteVault>> Connect(const Settings& settings,
                                                      std::stop_token stop);

  [[nodiscard]] net::QueryClient& client() { return *client_; }
  [[nodiscard]] const evidence::VerifierKey& key() const { return key_.verifier; }
  // The newest checkpoint when we connected, or last advanced, and its note.
  [[nodiscard]] const evidence::Checkpoint& checkpoint() const { return checkpoint_; }
  [[nodiscard]] const std::string& note() const { return note_; }
  // The one kept before this connection.
  [[nodiscard]] const std::optional<evidence::Checkpoint>& kept() const { return kept_; }

  // Whether the newest checkpoint verified is kept for later connections; where it could not be, the user was told.
  [[nodiscard]] bool keeps() const { return keeps_; }

  // Asks for the newest checkpoint again, which becomes checkpoint() and note(): of the same history, or kIntegrity.
  Status Advance();

  // Every answer but Status's: `receipt` proves that this very call is in the log, after the tree of checkpoint(), which
  // the request named as its tree size.  Keeps the newer checkpoint, so that the vault cannot drop the call again.
  // Returns it; kIntegrity: nothing of the answer may be used.
  Result<evidence::Checkpoint> CheckAccess(const v1::AccessReceipt& receipt, std::string_view call,
                                           std::string text);
  // The same where the request named the older tree `scope`, which VerifyOlder has found good.
  Result<evidence::Checkpoint> CheckAccess(const v1::AccessReceipt& receipt, std::string_view call,
                                           std::string text, const evidence::Checkpoint& scope);

  // Whether the user asked to stop.
  [[nodiscard]] bool interrupted() const { return stop_.stop_requested(); }

  // Verifies another note of this connection: signed by the key, and of the same history as checkpoint().
  Result<evidence::Checkpoint> Verify(const std::string& note);
  // The same for a checkpoint from elsewhere (--anchor), which may be older.
  Status VerifyOlder(const evidence::Checkpoint& older);

 private:
  RemoteVault(pki::VaultPublic key, std::string certificate, KeptCheckpoint store,
              std::unique_ptr<net::QueryClient> client, std::stop_token stop)
      : key_(std::move(key)),
        certificate_(std::move(certificate)),
        store_(std::move(store)),
        kept_(store_.checkpoint()),
        client_(std::move(client)),
        stop_(stop),
        cancel_(std::move(stop), [this] { client_->Cancel(); }) {}

  // Asks for the newest checkpoint, proven to go on from `older`, where given.
  struct Newest {
    std::string note;
    evidence::Checkpoint checkpoint;
  };
  Result<Newest> AskNewest(const evidence::Checkpoint* older);
  Status AdvanceFrom(const evidence::Checkpoint* older);
  void Keep(const std::string& note, const evidence::Checkpoint& checkpoint);

  const pki::VaultPublic key_;
  const std::string certificate_;  // SHA-256 of the caller's, in hexadecimal
  KeptCheckpoint store_;
  const std::optional<evidence::Checkpoint> kept_;
  const std::unique_ptr<net::QueryClient> client_;
  const std::stop_token stop_;
  const std::stop_callback<std::function<void()>> cancel_;
  evidence::Checkpoint checkpoint_;
  std::string note_;
  bool keeps_ = false;
};

}  // namespace logvault::cli
