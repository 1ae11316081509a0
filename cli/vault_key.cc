// `logvault vault-key change|retire|list|save`: the vault's key is followed by another one, as an administrator's signed
// order, and what everybody must know of it is written as a new vault.pub.
#include <CLI/CLI.hpp>

#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/governing.h"
#include "cli/result_file.h"
#include "pki/vault_files.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

// As typed, of whichever subcommand.
struct VaultKeyFlags {
  std::string file, reason, out;
  bool json = false;
};

std::string NameOf(const evidence::Governance& governance, const evidence::VaultKey& key) {
  return evidence::VerifierKey::For(governance.key().name, key.public_key).ToString();
}

ExitCode RunChange(const VaultKeyFlags& flags, Environment& env) {
  Result<pki::VaultPublic> next = pki::LoadVaultPublic(flags.file);
  if (!next.ok()) return Fail(InvalidArgument(next.status().message()));
  Result<std::uint64_t> block =
      Order(env, [&](const evidence::Governance& governance) -> Result<evidence::Statement> {
        if (next->verifier.public_key == governance.keys().back().public_key)
          return InvalidArgument(flags.file + " names the key that the vault has");
        evidence::Statement statement;
        statement.type = evidence::DirectiveType::kNewKey;
        statement.reason = flags.reason;
        statement.key = {next->verifier.ToString(), next->opening_public_key};
        return statement;
      });
  if (!block.ok()) return Fail(block.status());
  Tell("both keys sign from KEY block " + std::to_string(*block) + " on; give " + flags.file +
       " to every host and person, then `logvault vault-key retire`");
  return ExitCode::kOk;
}

ExitCode RunRetire(const VaultKeyFlags& flags, Environment& env) {
  Result<pki::VaultPublic> pinned = pki::LoadVaultPublic(env.settings.credentials + "/vault.pub");
  if (!pinned.ok()) return Fail(pinned.status());
  Result<std::uint64_t> block =
      Order(env, [&](const evidence::Governance& governance) -> Result<evidence::Statement> {
        const std::vector<evidence::VaultKey>& keys = governance.keys();
        if (keys.size() < 2 || keys[keys.size() - 2].last_size)
          return InvalidArgument("only one key is in force: nothing is to be retired");
        if (pinned->verifier.public_key != keys.back().public_key) {
          return InvalidArgument(env.settings.credentials +
                                 "/vault.pub is of the key that would be retired: put the new one "
                                 "there first, and wherever else the old one is");
        }
        evidence::Statement statement;
        statement.type = evidence::DirectiveType::kRetireKey;
        statement.reason = flags.reason;
        statement.key.verifier = NameOf(governance, keys[keys.size() - 2]);
        return statement;
      });
  if (!block.ok()) return Fail(block.status());
  Tell("the key before is retired: KEY block " + std::to_string(*block) +
       "; now `logvault vault-key save --out vault.pub`, and `logvault pki retire` with it");
  return ExitCode::kOk;
}

void AppendKey(const evidence::Governance& governance, const evidence::VaultKey& key, bool json,
               std::string& out) {
  const std::string name = NameOf(governance, key);
  if (json) {
    out += "{\"key\":";
    query::AppendJsonString(name, out);
    out += ",\"block\":" + std::to_string(key.block) + ",\"last_size\":" +
           (key.last_size ? std::to_string(*key.last_size) : std::string("null")) + "}\n";
    return;
  }
  out += name + "  since block " + std::to_string(key.block) +
         (key.last_size ? ", retired: signs no tree of more than " +
                              std::to_string(*key.last_size) + " blocks"
                        : std::string(", in force")) +
         "\n";
}

ExitCode RunList(const VaultKeyFlags& flags, Environment& env) {
  Result<evidence::Governance> governance = LoadGovernance(env);
  if (!governance.ok()) return Fail(governance.status());
  for (const evidence::VaultKey& key : governance->keys())
    AppendKey(*governance, key, flags.json, env.out.buffer());
  return ExitCode::kOk;
}

ExitCode RunSave(const VaultKeyFlags& flags, Environment& env) {
  Result<evidence::Governance> governance = LoadGovernance(env);
  if (!governance.ok()) return Fail(governance.status());
  if (governance->keys().size() == 1)
    return Fail(InvalidArgument("the vault's key was never changed: vault.pub is as it was"));
  const pki::VaultPublic vault{governance->key(), governance->keys().back().opening_public_key};
  const Status written = WriteResult(flags.out, vault.ToString(), env.out);
  return written.ok() ? ExitCode::kOk : Fail(InvalidArgument(written.message()));
}

void AddReason(CLI::App& command, VaultKeyFlags& flags) {
  command.add_option("--reason", flags.reason, "why, for whoever reads it later")
      ->type_name("TEXT");
}

}  // namespace

Action DefineVaultKey(CLI::App& command) {
  auto flags = std::make_shared<VaultKeyFlags>();
  CLI::App* change = command.add_subcommand("change", "let another key follow (admin)");
  change->add_option("VAULT_PUB", flags->file, "the new vault.pub, from `logvault pki rotate`")
      ->required()
      ->type_name("");
  AddReason(*change, *flags);
  CLI::App* retire = command.add_subcommand("retire", "end the key before (admin)");
  AddReason(*retire, *flags);
  CLI::App* list = command.add_subcommand("list", "the vault's keys, oldest first");
  AddOutputOption(*list, flags->json);
  CLI::App* save = command.add_subcommand("save", "write vault.pub as the vault has it now");
  save->add_option("--out", flags->out, "the file; - for standard output")
      ->required()
      ->type_name("FILE");
  command.require_subcommand(1);
  command.footer(
      "Between change and retire both keys sign, so that everybody can be given the new vault.pub "
      "in "
      "time.  A retired\n"
      "key counts for the history that it signed, and for nothing after it.\n"
      "\nIn this order (docs/operating.md):\n"
      "  logvault pki rotate ./pki                       makes the keys; copy vault.key to the "
      "collector, restart it\n"
      "  logvault vault-key change ./pki/vault.pub --reason 'yearly'\n"
      "  (copy ./pki/vault.pub to every host and person)\n"
      "  logvault vault-key retire --reason 'yearly'\n"
      "  logvault vault-key save --out vault.pub\n"
      "  logvault pki retire ./pki vault.pub             forgets the old private key\n");
  return [flags, change, retire, list](Environment& env) {
    if (change->parsed()) return RunChange(*flags, env);
    if (retire->parsed()) return RunRetire(*flags, env);
    return list->parsed() ? RunList(*flags, env) : RunSave(*flags, env);
  };
}

}  // namespace logvault::cli
