// A CA's folder on disk: locked, read as a whole and checked, and saved in an order that a crash
// cannot harm.
#pragma once

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "pki/issued_list.h"
#include "pki/issuing.h"
#include "pki/revocation.h"
#include "pki/vault_files.h"

namespace logvault::pki {

// Keeps a second process out of a CA's folder while it lives.
class FolderLock {
 public:
  // Waits for whoever holds it.
  static Result<FolderLock> Take(const std::string& dir);

 private:
  struct Close {
    void operator()(const int* fd) const;
  };
  explicit FolderLock(int fd) : fd_(new int(fd)) {}
  std::unique_ptr<const int, Close> fd_;
};

struct Authority {
  std::string dir;
  std::string ca_pem;
  Issuer issuer;
  VaultPublic vault;
  IssuedList issued;
  RevocationList revocations;
};

// kNotFound where `dir` holds no CA; otherwise errors name the file.
Result<Authority> LoadAuthority(const std::string& dir);

// Writes issued.txt, and a new revocation list made from it as crl.pem; returns that list.  Call it
// before a certificate leaves the CA: nothing may be out there that it could not revoke.
Result<std::string> SaveIssuedAndRevoked(const Authority& authority, UnixNanos now);

// PEM of the list of what is revoked in `issued` and could still be shown by somebody.
Result<std::string> SignRevocations(const Issuer& issuer, const IssuedList& issued,
                                    std::uint64_t number, UnixNanos now);

// Makes `dir` for its owner only, and its parents; a folder that is there already is fine.
Status MakePrivateFolder(std::string dir);
bool Exists(const std::string& path);

}  // namespace logvault::pki
