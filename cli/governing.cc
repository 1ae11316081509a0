#include "cli/governing.h"

#include <memory>
#include <utility>

#include "cli/proven_blocks.h"
#include "cli/signer.h"
#include "config/small_file.h"
#include "net/access.h"
#include "pki/certificate.h"

namespace logvault::cli {

Result<evidence::Governance> JudgeGoverning(const evidence::GenesisBody& genesis,
                                            const std::map<std::uint64_t, std::string>& blocks) {
  evidence::Governance governance(genesis, pki::CheckCertificateOf);
  for (const auto& [index, bytes] : blocks) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) return block.status();
    if (Status status = governance.Add(*block); !status.ok()) {
      return Integrity("block " + std::to_string(index) + " (" +
                       std::string(evidence::ToString(block->kind)) + "): " + status.message());
    }
  }
  return governance;
}

Result<std::map<std::uint64_t, std::string>> FetchGoverning(RemoteVault& vault) {
  v1::GoverningRequest request;
  request.set_tree_size(vault.checkpoint().size);
  std::map<std::uint64_t, std::string> blocks;
  ProvenBlocks<v1::GoverningEvent> answer(
      vault, net::kCallGoverning, net::QueryText(request),
      [&blocks](const evidence::BlockHeader& block, const std::string& bytes) {
        blocks.emplace(block.index, bytes);
        return true;
      });
  LV_RETURN_IF_ERROR(vault.client().Governing(
      request, [&answer](const v1::GoverningEvent& event) { return answer.Take(event); }));
  LV_RETURN_IF_ERROR(answer.status());
  return blocks;
}

Result<evidence::Governance> GovernanceOf(RemoteVault& vault, const Settings& settings) {
  Result<std::string> ca_pem = config::ReadSmallFile(settings.credentials + "/ca.pem");
  if (!ca_pem.ok()) return InvalidArgument(ca_pem.status().message());
  Result<std::map<std::uint64_t, std::string>> blocks = FetchGoverning(vault);
  if (!blocks.ok()) return blocks.status();
  evidence::GenesisBody genesis;
  genesis.origin = vault.key().name;
  genesis.vault_public_key = vault.key().first_public_key();
  genesis.ca_pem = *std::move(ca_pem);
  return JudgeGoverning(genesis, *blocks);
}

Result<evidence::Governance> GovernanceOf(const OfflineVault& vault) {
  if (!vault.problems().empty()) return Integrity(vault.problems().front());
  Result<evidence::GenesisBody> genesis = vault.reader().Genesis();
  if (!genesis.ok()) return genesis.status();
  Result<std::map<std::uint64_t, std::string>> blocks =
      vault.reader().GoverningBlocks(vault.checkpoint().size);
  if (!blocks.ok()) return blocks.status();
  return JudgeGoverning(*genesis, *blocks);
}

Result<evidence::Governance> LoadGovernance(const Environment& env) {
  if (!env.settings.offline.empty()) {
    Result<OfflineVault> folder = OfflineVault::Open(env.settings);
    return folder.ok() ? GovernanceOf(*folder) : folder.status();
  }
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  return GovernanceOf(**vault, env.settings);
}

Result<std::uint64_t> Order(const Environment& env, const MakeStatement& make) {
  if (!env.settings.offline.empty())
    return InvalidArgument("a folder takes no orders: give --vault instead of --offline");
  Result<Signer> signer = Signer::Load(env.settings.credentials, "a directive");
  if (!signer.ok()) return signer.status();
  Result<pki::Identity> identity = signer->certificate.identity();
  if (!identity.ok()) return identity.status();
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  Result<evidence::Governance> governance = GovernanceOf(**vault, env.settings);
  if (!governance.ok()) return governance.status();
  Result<evidence::Statement> statement = make(*governance);
  if (!statement.ok()) return statement.status();
  if (statement->reason.size() > evidence::kMaxReasonBytes)
    return InvalidArgument("--reason is longer than " + std::to_string(evidence::kMaxReasonBytes) +
                           " bytes");
  statement->origin = (*vault)->key().name;
  statement->previous = governance->newest_directive();
  statement->by = identity->name;
  statement->at = env.clock.Now();

  v1::DirectRequest request;
  request.set_directive(signer->Sign(*statement).Serialize());
  Result<v1::DirectResponse> response = (*vault)->client().Direct(request);
  if (!response.ok()) return response.status();
  Result<evidence::Checkpoint> tree = (*vault)->Verify(response->checkpoint());
  if (!tree.ok()) return tree.status();
  Result<evidence::BlockHeader> block = Proven(response->block(), *tree);
  if (!block.ok())
    return Integrity("the vault does not prove the block: " + block.status().message());
  if (block->kind != evidence::KindOf(statement->type) || block->body != request.directive())
    return Integrity("the vault recorded something else than what was ordered");
  return block->index;
}

}  // namespace logvault::cli
