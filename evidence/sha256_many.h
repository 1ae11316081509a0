// SHA-256 of many messages: several at a time where the machine has libipsec-mb (Debian's, for amd64), which uses the
// processor's wide registers or its SHA instructions, otherwise one after the other by OpenSSL.  The hashes are the same.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "evidence/hash.h"

namespace logvault::evidence {

// Fewer are hashed one after the other.
inline constexpr std::size_t kManyMessages = 64;

// hashes[i] becomes the SHA-256 of messages[i].  REQUIRES: as many hashes as messages.  Safe from several threads.  The
// first call with kManyMessages or more takes 3 MiB of memory, nearly all of it the library's code.
void Sha256Many(std::span<const std::string_view> messages, std::span<Hash> hashes);

// Whether Sha256Many hashes several at a time here.
bool HashesSeveralAtOnce();

}  // namespace logvault::evidence
