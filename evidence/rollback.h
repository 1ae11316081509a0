// A rollback that an administrator accepts: the vault goes on from an older copy of itself.  Whoever kept a checkpoint of
// what was lost is shown this, and decides whether to trust the vault again.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/checkpoint.h"
#include "evidence/directive.h"
#include "evidence/note.h"

namespace logvault::evidence {

struct AcceptedRollback {
  Checkpoint restored;  // where the older copy stands: the directive is the block right behind it
  Checkpoint lost;      // the newest checkpoint that anybody is known to hold
  std::string restored_note;
  std::string by;
  std::string reason;
};

// Both notes of `statement`, checked: signed by `key`, and the restored one not ahead of the lost one.
Result<AcceptedRollback> OpenRollback(const Statement& statement, const VerifierKey& key);

// The same from a directive: signed by an administrator of `ca_pem`'s whose certificate was valid when they say they
// signed.
Result<AcceptedRollback> OpenRollback(const Directive& directive, const VerifierKey& key,
                                      std::string_view ca_pem, const CertificateCheck& check);

// OK where whoever kept `kept` may go on from the restored checkpoint: kIntegrity where they saw more than what is said to
// be lost, kAlreadyExists where they saw nothing of it.
Status CheckCovers(const AcceptedRollback& rollback, const Checkpoint& kept);

}  // namespace logvault::evidence
