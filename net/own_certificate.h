// A program's own certificate, its key and the CA it trusts: read from files once, when a
// connection or a listener is made, so that an unreadable or unmatched file is told by name instead
// of as a failed handshake.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"
#include "pki/certificate.h"

namespace logvault::net {

struct OwnCertificate {
  std::string ca_pem;
  std::string cert_pem;
  std::string key_pem;
  std::string cert_file;  // for messages
  pki::Certificate certificate;

  // kInvalidArgument naming the file that cannot be read, is not what it must be, or does not fit
  // the others.
  static Result<OwnCertificate> Load(const std::string& ca_file, const std::string& cert_file,
                                     const std::string& key_file);
};

// The newest certificate that was in order, for a program that must go on while its files are being replaced.
// For one thread.
class KeptCertificate {
 public:
  // `loaded` where it is good, and keeps it; else the one kept, and tells the log why, once.
  Result<OwnCertificate> LastGood(Result<OwnCertificate> loaded);

 private:
  std::optional<OwnCertificate> kept_;
  std::string told_;
};

}  // namespace logvault::net
