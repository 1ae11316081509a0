#include "cli/offline_vault.h"

#include "cli/governing.h"
#include "cli/output_stream.h"
#include "cli/proven_block.h"
#include "evidence/merkle.h"
#include "pki/vault_files.h"
#include "storage/anchor.h"

namespace logvault::cli {

std::string DefaultAnchor(std::string dir) {
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  return dir + ".anchor";
}

Result<std::optional<evidence::VerifierKey>> PinnedKey(const Settings& settings) {
  if (settings.credentials.empty()) {
    Tell(
        "warning: key not pinned: the vault's own word is taken for who signed it; --credentials "
        "DIR with its vault.pub "
        "pins the key");
    return std::optional<evidence::VerifierKey>();
  }
  Result<pki::VaultPublic> key = pki::LoadVaultPublic(settings.credentials + "/vault.pub");
  if (!key.ok()) return key.status();
  return std::optional<evidence::VerifierKey>(key->verifier);
}

void TellNoAnchor(const std::string& path) {
  Tell("note: there is no anchor " + path +
       ": that the folder is an older copy would not be noticed");
}

Result<OfflineVault> OfflineVault::Open(const Settings& settings) {
  Result<std::optional<evidence::VerifierKey>> pinned = PinnedKey(settings);
  if (!pinned.ok()) return pinned.status();
  // Before the folder, so that a running collector cannot move it past what is opened then.
  const std::string anchor_path = DefaultAnchor(settings.offline);
  const Result<std::string> anchor = storage::ReadAnchor(anchor_path);
  Result<storage::Reader> reader = storage::OpenReadOnly(settings.offline);
  if (!reader.ok()) return reader.status();
  OfflineVault vault(*std::move(reader));
  LV_RETURN_IF_ERROR(vault.CheckHead(*pinned));
  vault.CheckAnchor(anchor, anchor_path);
  for (const std::string& problem : vault.problems_) Tell("INTEGRITY: " + problem);
  return vault;
}

Status OfflineVault::CheckHead(const std::optional<evidence::VerifierKey>& pinned) {
  Result<evidence::GenesisBody> genesis = reader_.Genesis();
  if (!genesis.ok()) return genesis.status();
  Result<storage::Head> head = reader_.StoredHead();
  if (!head.ok()) return head.status();
  Result<std::map<std::uint64_t, std::string>> governing = reader_.GoverningBlocks(head->size);
  if (!governing.ok()) return governing.status();
  Result<evidence::Governance> governance = JudgeGoverning(*genesis, *governing);
  if (!governance.ok()) return governance.status();
  key_ = governance->key();
  if (pinned &&
      (pinned->name != key_.name || pinned->first_public_key() != genesis->vault_public_key)) {
    return Integrity("the vault is " + key_.name + " and not " + pinned->name +
                     ", whose key vault.pub holds");
  }
  if (pinned) key_ = pinned->NarrowedBy(key_);
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(head->note, key_);
  if (!checkpoint.ok()) {
    return Integrity("the newest checkpoint is not signed by the vault's key: " +
                     checkpoint.status().message());
  }
  if (checkpoint->size != head->size || checkpoint->root != head->root) {
    return Integrity("the newest checkpoint is not of the stored head");
  }
  note_ = head->note;
  checkpoint_ = *std::move(checkpoint);
  return Status::Ok();
}

void OfflineVault::CheckAnchor(const Result<std::string>& anchor, const std::string& path) {
  if (anchor.status().code() == StatusCode::kNotFound) return TellNoAnchor(path);
  if (!anchor.ok()) return problems_.push_back(anchor.status().message());
  Result<evidence::Checkpoint> held = evidence::OpenCheckpoint(*anchor, key_);
  if (!held.ok()) {
    problems_.push_back(path + ": not signed by the vault's key: " + held.status().message());
    return;
  }
  if (held->size > checkpoint_.size) {
    problems_.push_back("the folder holds " + std::to_string(checkpoint_.size) + " blocks, and " +
                        path + " has " + std::to_string(held->size) +
                        ": the newest blocks are gone");
    return;
  }
  Result<evidence::Hash> root = evidence::RootAt(held->size, reader_.Nodes());
  if (!root.ok() || *root != held->root) {
    problems_.push_back("the history does not go on from the checkpoint in " + path);
  }
}

Result<evidence::BlockHeader> OfflineVault::Proven(std::uint64_t index,
                                                   const std::string& bytes) const {
  Result<std::vector<evidence::Hash>> inclusion =
      evidence::InclusionProof(index, checkpoint_.size, reader_.Nodes());
  if (!inclusion.ok()) return inclusion.status();
  Result<evidence::BlockHeader> block = cli::Proven(bytes, *inclusion, checkpoint_);
  if (block.ok() && block->index != index) return Corruption("it is stored in another's place");
  return block;
}

}  // namespace logvault::cli
