// The collector's two private keys, out of one PEM file, and the vault they belong to.
#pragma once

#include <cstdint>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "config/collector_config.h"
#include "evidence/keys.h"

namespace logvault::server {

struct VaultKeys {
  evidence::SigningKey signing;
  evidence::OpeningKey opening;

  // kInvalidArgument naming the file.
  static Result<VaultKeys> Load(const std::string& path);
};

// Makes the vault of `config`: GENESIS with its origin, its public keys and the CA.  Returns the
// first line of vault.pub.  kAlreadyExists where there is one.
Result<std::string> CreateVault(const config::CollectorConfig& config, const Clock& clock);

// Lets the vault of `config` go on from an older copy, by the directive in `file`.  Returns the size that was restored.
Result<std::uint64_t> AcceptRollback(const config::CollectorConfig& config, const std::string& file,
                                     const Clock& clock);

}  // namespace logvault::server
