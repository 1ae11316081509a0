// KeptCheckpoint: the newest checkpoint of a vault that this user verified.  It makes every user a witness: a vault
// that later shows less, or something else, is found out.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"
#include "evidence/checkpoint.h"

namespace logvault::cli {

class KeptCheckpoint {
 public:
  // The one kept under `dir` for `key`'s vault; without one, checkpoint() is empty.  kIntegrity where the kept note
  // is not signed by the key.
  static Result<KeptCheckpoint> Load(const std::string& dir, const evidence::VerifierKey& key);

  [[nodiscard]] const std::optional<evidence::Checkpoint>& checkpoint() const {
    return checkpoint_;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Keeps `note`, which was verified to be consistent with the kept one.  Another process may have kept a newer one
  // meanwhile: that one stays.
  Status Keep(const std::string& note, const evidence::Checkpoint& checkpoint);

  // Replaces it by `note`, an older one that an administrator has accepted; the one before stays beside it, in a file
  // that ends in ".lost".
  Status SetBack(const std::string& note, const evidence::Checkpoint& checkpoint);

 private:
  KeptCheckpoint(std::string path, evidence::VerifierKey key)
      : path_(std::move(path)), key_(std::move(key)) {}

  std::string path_;
  evidence::VerifierKey key_;
  std::optional<evidence::Checkpoint> checkpoint_;
};

// OK where `newer` may follow `older` as far as sizes and roots can tell; kIntegrity for a rollback or a fork.
Status CheckNotBehind(const evidence::Checkpoint& older, const evidence::Checkpoint& newer);

}  // namespace logvault::cli
