#include "cli/governing.h"

#include <memory>
#include <utility>

#include "cli/offline_vault.h"
#include "cli/proven_block.h"
#include "cli/signer.h"
#include "config/small_file.h"
#include "evidence/access.h"
#include "net/access.h"
#include "pki/certificate.h"

namespace logvault::cli {
namespace {

class Receiver {
 public:
  Receiver(RemoteVault& vault, const v1::GoverningRequest& request)
      : vault_(vault), request_(request) {}

  bool Take(const v1::GoverningEvent& event) {
    status_ = TakeEvent(event);
    return status_.ok();
  }

  // Once the answer ended.
  Result<std::map<std::uint64_t, std::string>> Finish() {
    if (!status_.ok()) return status_;
    if (!done_) return Internal("the vault ended its answer without saying that it was complete");
    return std::move(blocks_);
  }

 private:
  Status TakeEvent(const v1::GoverningEvent& event) {
    if (!tree_) {
      Result<evidence::Checkpoint> recorded =
          vault_.CheckAccess(event.access(), net::kCallGoverning, net::QueryText(request_));
      if (!recorded.ok()) return recorded.status();
      tree_ = *std::move(recorded);
    }
    for (const v1::ProvenBlock& proven : event.blocks()) {
      Result<evidence::BlockHeader> block = Proven(proven, *tree_);
      if (!block.ok()) {
        return Integrity("the vault shows a block that it cannot prove: " +
                         block.status().message());
      }
      result_.Add(net::ResultRow(proven));
      blocks_.emplace(block->index, proven.block());
    }
    if (event.result_sha256().empty()) return Status::Ok();
    done_ = true;
    if (event.result_sha256() == result_.value().view()) return Status::Ok();
    return Integrity("the blocks that arrived are not the ones that the vault says it sent");
  }

  RemoteVault& vault_;
  const v1::GoverningRequest& request_;
  std::optional<evidence::Checkpoint> tree_;
  evidence::ResultHash result_;
  std::map<std::uint64_t, std::string> blocks_;
  bool done_ = false;
  Status status_;
};

Result<evidence::Governance> LoadRemote(RemoteVault& vault, const Settings& settings) {
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

Result<evidence::Governance> LoadOffline(const Settings& settings) {
  Result<OfflineVault> vault = OfflineVault::Open(settings);
  if (!vault.ok()) return vault.status();
  if (!vault->problems().empty()) return Integrity(vault->problems().front());
  Result<evidence::GenesisBody> genesis = vault->reader().Genesis();
  if (!genesis.ok()) return genesis.status();
  Result<std::map<std::uint64_t, std::string>> blocks =
      vault->reader().GoverningBlocks(vault->checkpoint().size);
  if (!blocks.ok()) return blocks.status();
  return JudgeGoverning(*genesis, *blocks);
}

}  // namespace

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
  Receiver receiver(vault, request);
  const Status ended = vault.client().Governing(
      request, [&receiver](const v1::GoverningEvent& event) { return receiver.Take(event); });
  if (!ended.ok()) return ended;
  return receiver.Finish();
}

Result<evidence::Governance> LoadGovernance(const Environment& env) {
  if (!env.settings.offline.empty()) return LoadOffline(env.settings);
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  return LoadRemote(**vault, env.settings);
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
  Result<evidence::Governance> governance = LoadRemote(**vault, env.settings);
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
