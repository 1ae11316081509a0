#include "evidence/rollback.h"

namespace logvault::evidence {

Result<AcceptedRollback> OpenRollback(const Statement& statement, const VerifierKey& key) {
  if (statement.type != DirectiveType::kRollback)
    return InvalidArgument("the directive accepts no rollback");
  Result<Checkpoint> restored = OpenCheckpoint(statement.rollback.restored, key);
  if (!restored.ok()) return restored.status().WithContext("the restored checkpoint");
  Result<Checkpoint> lost = OpenCheckpoint(statement.rollback.lost, key);
  if (!lost.ok()) return lost.status().WithContext("the lost checkpoint");
  if (restored->size > lost->size)
    return InvalidArgument("the restored checkpoint is ahead of the lost one");
  return AcceptedRollback{*restored, *lost, statement.rollback.restored, statement.by,
                          statement.reason};
}

Result<AcceptedRollback> OpenRollback(const Directive& directive, const VerifierKey& key,
                                      std::string_view ca_pem, const CertificateCheck& check) {
  Result<Statement> stated = Statement::Parse(directive.statement);
  if (!stated.ok()) return stated.status();
  Result<Statement> statement = directive.Open(key.name, ca_pem, stated->at, check);
  if (!statement.ok()) return statement.status();
  return OpenRollback(*statement, key);
}

Status CheckCovers(const AcceptedRollback& rollback, const Checkpoint& kept) {
  if (kept.size > rollback.lost.size) {
    return Integrity("a checkpoint of " + std::to_string(kept.size) +
                     " blocks is kept here, and the directive says that " +
                     std::to_string(rollback.lost.size) + " were the most");
  }
  if (kept.size == rollback.lost.size && kept.root != rollback.lost.root)
    return Integrity("the lost checkpoint has another root than the one kept here");
  if (kept.size < rollback.restored.size ||
      (kept.size == rollback.restored.size && kept.root == rollback.restored.root)) {
    return AlreadyExists("nothing of what was lost was seen here");
  }
  return Status::Ok();
}

}  // namespace logvault::evidence
