// The proof that a call was recorded before it was answered: what comes with every answer, checked.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"
#include "proto/logvault.pb.h"

namespace logvault::cli {

// A call of ours, as the vault must have recorded it.
struct OwnCall {
  std::string_view call;    // net::kCall...
  std::string text;         // net::QueryText
  std::string certificate;  // ours: SHA-256 of its DER in hexadecimal
};

// Checks that the receipt's block is an ACCESS block that says that we asked this, about the tree that `scope` signs;
// that it came after that tree; and that it lies in a tree signed by `key` that grew from it.  Returns the checkpoint
// of that tree; kIntegrity saying what is wrong.  Pure.
Result<evidence::Checkpoint> VerifyAccess(const v1::AccessReceipt& receipt, const OwnCall& call,
                                          const evidence::Checkpoint& scope,
                                          const evidence::VerifierKey& key);

}  // namespace logvault::cli
