// The collector's private keys, out of one PEM file, and the vault they belong to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "config/collector_config.h"
#include "evidence/keys.h"
#include "storage/vault.h"

namespace logvault::server {

// One of each kind; while the vault's key is being changed the newer ones first, then those before.
struct VaultKeys {
  storage::SigningKeys signing;
  std::vector<evidence::OpeningKey> opening;

  // kInvalidArgument naming the file.
  static Result<VaultKeys> Load(const std::string& path);
  // Whether a registration that is sealed to `opening_public_key` can be read.
  [[nodiscard]] bool CanOpen(std::string_view opening_public_key) const;
};

// Makes the vault of `config`: GENESIS with its origin, its public keys and the CA.  Returns the
// first line of vault.pub.  kAlreadyExists where there is one.
Result<std::string> CreateVault(const config::CollectorConfig& config, const Clock& clock);

// Lets the vault of `config` go on from an older copy, by the directive in `file`.  Returns the size that was restored.
Result<std::uint64_t> AcceptRollback(const config::CollectorConfig& config, const std::string& file,
                                     const Clock& clock);

}  // namespace logvault::server
