#include "cli/remote_vault.h"

#include <vector>

#include "cli/access_receipt.h"
#include "cli/output_stream.h"
#include "config/exit_code.h"
#include "config/small_file.h"
#include "evidence/merkle.h"
#include "pki/certificate.h"

namespace logvault::cli {
namespace {

// How often a checkpoint is asked for again because the vault grew between two questions.
constexpr int kVerifyAttempts = 50;

Status CheckSettings(const Settings& settings) {
  if (settings.vault.empty()) {
    return InvalidArgument(
        "no vault given: use --vault HOST:PORT, set LOGVAULT_VAULT, or give --offline DIR");
  }
  if (settings.credentials.empty()) {
    return InvalidArgument(
        "no credentials given: use --credentials DIR or set LOGVAULT_CREDENTIALS; DIR is what "
        "`logvault pki issue` filled");
  }
  return Status::Ok();
}

Status ExplainUnavailable(const Status& status, const std::string& vault) {
  if (config::ExitCodeFor(status) != config::ExitCode::kCannotConnect) return status;
  return status.WithContext("cannot talk to the vault at " + vault);
}

Result<std::string> FingerprintOf(const std::string& cert_file) {
  Result<std::string> pem = config::ReadSmallFile(cert_file);
  if (!pem.ok()) return pem.status();
  Result<pki::Certificate> certificate = pki::Certificate::FromPem(*pem);
  if (!certificate.ok()) return certificate.status().WithContext(cert_file);
  return certificate->fingerprint_hex();
}

}  // namespace

Result<std::unique_ptr<RemoteVault>> RemoteVault::Connect(const Settings& settings,
                                                          std::stop_token stop) {
  LV_RETURN_IF_ERROR(CheckSettings(settings));
  Result<pki::VaultPublic> key = pki::LoadVaultPublic(settings.credentials + "/vault.pub");
  if (!key.ok()) return key.status();
  Result<std::string> state_dir = StateDir();
  if (!state_dir.ok()) return state_dir.status();
  Result<KeptCheckpoint> kept = KeptCheckpoint::Load(*state_dir, key->verifier);
  if (!kept.ok()) return kept.status();

  net::QueryClientOptions options;
  options.address = settings.vault;
  options.ca_file = settings.credentials + "/ca.pem";
  options.cert_file = settings.credentials + "/cert.pem";
  options.key_file = settings.credentials + "/key.pem";
  options.vault_name = key->vault_name();
  Result<std::unique_ptr<net::QueryClient>> client = net::ConnectQuery(options);
  if (!client.ok()) return ExplainUnavailable(client.status(), settings.vault);

  Result<std::string> certificate = FingerprintOf(options.cert_file);
  if (!certificate.ok()) return certificate.status();
  std::unique_ptr<RemoteVault> vault(new RemoteVault(*std::move(key), *std::move(certificate),
                                                     *std::move(kept), *std::move(client),
                                                     std::move(stop)));
  const Status asked = vault->AdvanceFrom(vault->kept_ ? &*vault->kept_ : nullptr);
  if (!asked.ok()) return ExplainUnavailable(asked, settings.vault);
  return vault;
}

Status RemoteVault::Advance() { return AdvanceFrom(&checkpoint_); }

Status RemoteVault::AdvanceFrom(const evidence::Checkpoint* older) {
  Result<Newest> newest = AskNewest(older);
  if (!newest.ok()) return newest.status();
  note_ = std::move(newest->note);
  checkpoint_ = std::move(newest->checkpoint);
  Keep(note_, checkpoint_);
  return Status::Ok();
}

void RemoteVault::Keep(const std::string& note, const evidence::Checkpoint& checkpoint) {
  const Status stored = store_.Keep(note, checkpoint);
  keeps_ = stored.ok();
  if (!keeps_) {
    Tell("warning: the vault's checkpoint could not be kept: " + stored.message());
  }
}

Result<evidence::Checkpoint> RemoteVault::CheckAccess(const v1::AccessReceipt& receipt,
                                                      std::string_view call, std::string text) {
  return CheckAccess(receipt, call, std::move(text), checkpoint_);
}

Result<evidence::Checkpoint> RemoteVault::CheckAccess(const v1::AccessReceipt& receipt,
                                                      std::string_view call, std::string text,
                                                      const evidence::Checkpoint& scope) {
  Result<evidence::Checkpoint> recorded =
      VerifyAccess(receipt, {call, std::move(text), certificate_}, scope, key_.verifier);
  if (recorded.ok()) Keep(receipt.checkpoint(), *recorded);
  return recorded;
}

Result<RemoteVault::Newest> RemoteVault::AskNewest(const evidence::Checkpoint* older) {
  v1::StatusRequest request;
  request.set_have_size(older == nullptr ? 0 : older->size);
  Result<v1::StatusResponse> response = client_->Status(request);
  if (!response.ok()) return response.status();
  Newest newest;
  newest.note = response->checkpoint();
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(newest.note, key_.verifier);
  if (!checkpoint.ok()) {
    return Integrity("the vault's checkpoint is not signed by the key in vault.pub: " +
                     checkpoint.status().message());
  }
  newest.checkpoint = *std::move(checkpoint);
  if (older == nullptr) return newest;

  LV_RETURN_IF_ERROR(CheckNotBehind(*older, newest.checkpoint));
  if (older->size == newest.checkpoint.size) return newest;
  std::vector<evidence::Hash> proof;
  for (const std::string& bytes : response->consistency()) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok())
      return Integrity("the vault's consistency proof holds something that is no hash");
    proof.push_back(*hash);
  }
  Status consistent = evidence::VerifyConsistency(older->size, newest.checkpoint.size, older->root,
                                                  newest.checkpoint.root, proof);
  if (!consistent.ok()) {
    return Integrity("FORK: the vault's history of " + std::to_string(newest.checkpoint.size) +
                     " blocks does not go on from the " + std::to_string(older->size) +
                     " it signed before (" + consistent.message() + ")");
  }
  return newest;
}

Result<evidence::Checkpoint> RemoteVault::Verify(const std::string& note) {
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(note, key_.verifier);
  if (!checkpoint.ok())
    return Integrity("a checkpoint of the answer is not signed by the key in vault.pub");
  const bool older = checkpoint->size < checkpoint_.size;
  LV_RETURN_IF_ERROR(older ? CheckNotBehind(*checkpoint, checkpoint_)
                           : CheckNotBehind(checkpoint_, *checkpoint));
  if (checkpoint->size == checkpoint_.size) return checkpoint;
  Status same = VerifyOlder(*checkpoint);
  if (!same.ok()) return same;
  return checkpoint;
}

// The vault proves consistency only up to its newest checkpoint, so both are proven to lead to one and the same.
Status RemoteVault::VerifyOlder(const evidence::Checkpoint& older) {
  for (int attempt = 0; attempt < kVerifyAttempts; ++attempt) {
    Result<Newest> from_ours = AskNewest(&checkpoint_);
    if (!from_ours.ok()) return from_ours.status();
    Result<Newest> from_theirs = AskNewest(&older);
    if (!from_theirs.ok()) return from_theirs.status();
    if (from_ours->checkpoint.size != from_theirs->checkpoint.size) continue;
    if (from_ours->checkpoint.root == from_theirs->checkpoint.root) return Status::Ok();
    return Integrity("FORK: the vault signed two histories of " +
                     std::to_string(from_ours->checkpoint.size) + " blocks");
  }
  return Unavailable("the vault grows too fast to compare two of its checkpoints; try again");
}

}  // namespace logvault::cli
