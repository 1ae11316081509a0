// `logvault accept-rollback` and `logvault trust`: a vault that was set back to an older copy of itself, an administrator who
// signs that it may go on, and a user who saw more and believes it again.
#include <CLI/CLI.hpp>

#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/kept_checkpoint.h"
#include "cli/result_file.h"
#include "cli/signer.h"
#include "config/small_file.h"
#include "evidence/rollback.h"
#include "pki/directive_file.h"
#include "pki/vault_files.h"

namespace logvault::cli {
namespace {

struct AcceptFlags {
  std::string restored, lost, reason, out;
};

Result<pki::VaultPublic> VaultOf(const Environment& env) {
  if (env.settings.credentials.empty())
    return InvalidArgument("--credentials DIR is needed: its vault.pub says which vault is meant");
  return pki::LoadVaultPublic(env.settings.credentials + "/vault.pub");
}

Result<evidence::Statement> StatementFrom(const AcceptFlags& flags) {
  evidence::Statement statement;
  statement.type = evidence::DirectiveType::kRollback;
  statement.reason = flags.reason;
  for (const auto& [file, note] : {std::pair(&flags.restored, &statement.rollback.restored),
                                   std::pair(&flags.lost, &statement.rollback.lost)}) {
    Result<std::string> read = config::ReadSmallFile(*file);
    if (!read.ok()) return InvalidArgument(read.status().message());
    *note = *std::move(read);
  }
  return statement;
}

Result<std::string> SignRollback(const AcceptFlags& flags, const Environment& env) {
  Result<pki::VaultPublic> vault = VaultOf(env);
  if (!vault.ok()) return vault.status();
  Result<Signer> signer = Signer::Load(env.settings.credentials, "a directive");
  if (!signer.ok()) return signer.status();
  Result<pki::Identity> identity = signer->certificate.identity();
  if (!identity.ok()) return identity.status();
  if (identity->role != pki::Role::kAdmin)
    return PermissionDenied("only an administrator accepts a rollback, and this is " +
                            identity->ToString());
  Result<evidence::Statement> statement = StatementFrom(flags);
  if (!statement.ok()) return statement.status();
  statement->origin = vault->verifier.name;
  statement->by = identity->name;
  statement->at = env.clock.Now();
  Result<evidence::AcceptedRollback> rollback = evidence::OpenRollback(*statement, vault->verifier);
  if (!rollback.ok()) return InvalidArgument(rollback.status().message());
  Tell("the vault may go on from " + std::to_string(rollback->restored.size) + " blocks; up to " +
       std::to_string(rollback->lost.size) + " are given up");
  return signer->Sign(*statement).Serialize();
}

ExitCode RunAccept(const AcceptFlags& flags, Environment& env) {
  Result<std::string> directive = SignRollback(flags, env);
  if (!directive.ok()) return Fail(directive.status());
  if (Status written = WriteResult(flags.out, *directive, env.out); !written.ok()) {
    Tell(written.message());
    return ExitCode::kUsage;
  }
  Tell("now: logvault-collector --accept-rollback " + flags.out + "; then, where more was seen, " +
       "logvault-forwarder trust and logvault trust with the same file");
  return ExitCode::kOk;
}

ExitCode RunTrust(const std::string& file, Environment& env) {
  Result<pki::VaultPublic> vault = VaultOf(env);
  if (!vault.ok()) return Fail(vault.status());
  Result<evidence::Directive> directive = pki::LoadDirective(file);
  if (!directive.ok()) return Fail(directive.status());
  Result<std::string> ca_pem = config::ReadSmallFile(env.settings.credentials + "/ca.pem");
  if (!ca_pem.ok()) return Fail(InvalidArgument(ca_pem.status().message()));
  Result<evidence::AcceptedRollback> rollback =
      evidence::OpenRollback(*directive, vault->verifier, *ca_pem, pki::CheckCertificateOf);
  if (!rollback.ok()) return Fail(rollback.status().WithContext(file));
  Result<std::string> state = StateDir();
  if (!state.ok()) return Fail(state.status());
  Result<KeptCheckpoint> kept = KeptCheckpoint::Load(*state, vault->verifier);
  if (!kept.ok()) return Fail(kept.status());
  Status covered = kept->checkpoint() ? evidence::CheckCovers(*rollback, *kept->checkpoint())
                                      : AlreadyExists("no checkpoint is kept here");
  if (covered.code() == StatusCode::kAlreadyExists) {
    Tell(covered.message() + ": nothing is to be done");
    return ExitCode::kOk;
  }
  if (covered.ok()) covered = kept->SetBack(rollback->restored_note, rollback->restored);
  if (!covered.ok()) return Fail(covered);
  Tell("going on from the vault's " + std::to_string(rollback->restored.size) + " blocks, as " +
       rollback->by + " signed; the checkpoint that was kept is now " + kept->path() + ".lost");
  return ExitCode::kOk;
}

}  // namespace

Action DefineAcceptRollback(CLI::App& command) {
  auto flags = std::make_shared<AcceptFlags>();
  command.add_option("RESTORED", flags->restored, "the restored vault's newest signed note")
      ->required()
      ->type_name("");
  command
      .add_option("--lost", flags->lost,
                  "the newest signed note that anybody holds: a forwarder's status, the anchor")
      ->required()
      ->type_name("NOTE");
  command.add_option("--reason", flags->reason, "why, for whoever reads it later")
      ->required()
      ->type_name("TEXT");
  command.add_option("--out", flags->out, "where the directive goes")
      ->required()
      ->type_name("FILE");
  command.footer(
      "For a vault that was put back from a backup.  Run it where the administrator's key is, "
      "never on "
      "the collector:\n"
      "  logvault --offline VAULT_DIR checkpoint --out restored.note        on the collector\n"
      "  logvault --credentials ./root accept-rollback restored.note --lost newest.note --reason "
      "'disk failure' --out rollback\n"
      "  logvault-collector --config collector.yaml --accept-rollback rollback\n"
      "  logvault-forwarder --config forwarder.yaml trust rollback          on each host that saw "
      "more\n"
      "  logvault trust rollback                                            each investigator\n");
  return [flags](Environment& env) { return RunAccept(*flags, env); };
}

Action DefineTrust(CLI::App& command) {
  auto file = std::make_shared<std::string>();
  command.add_option("FILE", *file, "from `logvault accept-rollback`")->required()->type_name("");
  command.footer(
      "The newest checkpoint that was kept here is replaced by the restored one, if the directive "
      "gives "
      "it up; it stays\n"
      "beside it, as proof of what the vault had signed.\n");
  return [file](Environment& env) { return RunTrust(*file, env); };
}

}  // namespace logvault::cli
