// OfflineVault: a vault's folder, or a copy of it, opened read-only: no certificates, no collector.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "common/status.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "storage/reader.h"

namespace logvault::cli {

// Where the anchor of the vault in `dir` lies unless the collector was told otherwise.
std::string DefaultAnchor(std::string dir);
// Tells that nothing there would show an older copy.
void TellNoAnchor(const std::string& path);
// The key pinned by the vault.pub of --credentials; nullopt, with a warning, where no credentials are given.
Result<std::optional<evidence::VerifierKey>> PinnedKey(const Settings& settings);

class OfflineVault {
 public:
  // Works beside a running collector.  kIntegrity where the newest checkpoint is not signed by the key.
  static Result<OfflineVault> Open(const Settings& settings);

  [[nodiscard]] const storage::Reader& reader() const { return reader_; }
  // The pinned key, else the one in GENESIS.
  [[nodiscard]] const evidence::VerifierKey& key() const { return key_; }
  [[nodiscard]] const evidence::Checkpoint& checkpoint() const { return checkpoint_; }
  [[nodiscard]] const std::string& note() const { return note_; }
  // The block stored under `index`, where the tree's own proof shows that `bytes` are the ones that were signed;
  // kCorruption where not.
  [[nodiscard]] Result<evidence::BlockHeader> Proven(std::uint64_t index,
                                                     const std::string& bytes) const;
  // Proof that the folder is not what it should be, found on opening: what is there can be read all the same, but
  // the command ends with exit code 4.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  explicit OfflineVault(storage::Reader reader) : reader_(std::move(reader)) {}
  Status CheckHead(const std::optional<evidence::VerifierKey>& pinned);
  void CheckAnchor(const Result<std::string>& anchor, const std::string& path);

  storage::Reader reader_;
  evidence::VerifierKey key_;
  evidence::Checkpoint checkpoint_;
  std::string note_;
  std::vector<std::string> problems_;
};

}  // namespace logvault::cli
