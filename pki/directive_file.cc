#include "pki/directive_file.h"

#include "config/small_file.h"
#include "evidence/keys.h"
#include "pki/certificate.h"

namespace logvault::pki {
namespace {

// By the key in its own certificate, whoever issued that: a flipped bit in the certificate is found too, and is no
// question of who may sign.
Status CheckWhole(const evidence::Directive& directive) {
  Result<Certificate> certificate = Certificate::FromDer(directive.certificate_der);
  if (!certificate.ok()) return Corruption("its certificate: " + certificate.status().message());
  Result<std::string> key = certificate->ed25519_public_key();
  if (!key.ok()) return Corruption(key.status().message());
  return evidence::VerifyEd25519(*key, directive.SignedBytes(), directive.signature);
}

}  // namespace

Result<evidence::Directive> LoadDirective(const std::string& path) {
  Result<std::string> bytes = config::ReadSmallFile(path);
  if (!bytes.ok()) return InvalidArgument(bytes.status().message());
  if (!evidence::IsDirective(*bytes))
    return InvalidArgument(path + " is no directive, as `logvault accept-rollback` writes one");
  Result<evidence::Directive> directive = evidence::Directive::Parse(*bytes);
  Status whole = directive.ok() ? CheckWhole(*directive) : directive.status();
  if (!whole.ok()) return Corruption(path + " was altered after it was signed: " + whole.message());
  return directive;
}

}  // namespace logvault::pki
