// Proofs as answers carry them: hashes in the order of RFC 6962, against one head.
#pragma once

#include <cstdint>

#include "common/status.h"
#include "proto/logvault.pb.h"
#include "storage/reader.h"

namespace logvault::server {

using ProofField = google::protobuf::RepeatedPtrField<std::string>;

// REQUIRES: index < head.size.
Status AddInclusion(const storage::Reader& reader, std::uint64_t index, const storage::Head& head,
                    ProofField& proof);

// From the tree of `have_size`; nothing where that is 0.  kFailedPrecondition where it is ahead of
// `head`.
Status AddConsistency(const storage::Reader& reader, std::uint64_t have_size,
                      const storage::Head& head, ProofField& proof);

}  // namespace logvault::server
