// Signer: the person whose credentials are given, where something is signed in their name: an export, a directive.
#pragma once

#include <string>

#include "common/status.h"
#include "evidence/directive.h"
#include "evidence/keys.h"
#include "pki/certificate.h"

namespace logvault::cli {

struct Signer {
  pki::Certificate certificate;
  evidence::SigningKey key;

  // From cert.pem and key.pem of `credentials`; kInvalidArgument where one is missing or they do not belong together,
  // with what is signed ("an export") in the message.
  static Result<Signer> Load(const std::string& credentials, const std::string& what);

  [[nodiscard]] evidence::Directive Sign(const evidence::Statement& statement) const;
};

}  // namespace logvault::cli
