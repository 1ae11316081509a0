#include "forwarder/trust.h"

#include <memory>

#include "config/small_file.h"
#include "evidence/rollback.h"
#include "forwarder/identity.h"
#include "forwarder/spool.h"
#include "pki/certificate.h"
#include "pki/directive_file.h"

namespace logvault::forwarder {

Result<std::string> TrustRollback(const config::ForwarderConfig& config, const std::string& file) {
  Result<LoadedIdentity> identity = LoadIdentity(config);
  if (!identity.ok()) return identity.status();
  Result<evidence::Directive> directive = pki::LoadDirective(file);
  if (!directive.ok()) return directive.status();
  Result<std::string> ca_pem = config::ReadSmallFile(config.tls.ca);
  if (!ca_pem.ok()) return InvalidArgument(ca_pem.status().message());
  const evidence::VerifierKey& key = identity->vault.verifier;
  Result<evidence::AcceptedRollback> rollback =
      evidence::OpenRollback(*directive, key, *ca_pem, pki::CheckCertificateOf);
  if (!rollback.ok()) return rollback.status().WithContext(file);

  SpoolOptions options;
  options.dir = config.spool.dir;
  options.max_bytes = config.spool.max_bytes;
  options.keep_acked_bytes = config.spool.keep_acked_bytes;
  options.vault_key = key;
  Result<std::unique_ptr<Spool>> spool = Spool::Open(options, identity->host.host);
  if (!spool.ok()) return spool.status();
  Result<std::string> note = (*spool)->Note();
  if (!note.ok()) return note.status();
  const std::string nothing = "nothing of what the vault lost was seen here: nothing is to be done";
  if (note->empty()) return nothing;
  Result<evidence::Checkpoint> kept = evidence::OpenCheckpoint(*note, key);
  if (!kept.ok()) return Integrity("the checkpoint in the spool: " + kept.status().message());
  const Status covered = evidence::CheckCovers(*rollback, *kept);
  if (covered.code() == StatusCode::kAlreadyExists) return nothing;
  if (!covered.ok()) return covered;
  LV_RETURN_IF_ERROR((*spool)->GoOnFrom(rollback->restored_note));
  return "going on from the vault's " + std::to_string(rollback->restored.size) +
         " blocks instead of " + std::to_string(kept->size) + ", as " + rollback->by +
         " signed; what the spool kept (" + std::to_string((*spool)->figures().pending_bytes) +
         " bytes) is shipped again";
}

}  // namespace logvault::forwarder
