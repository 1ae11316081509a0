#include "server/registration_check.h"

#include <optional>
#include <utility>

#include "pki/certificate.h"
#include "server/refusal.h"

namespace logvault::server {
namespace {

Status CheckSigner(const RegistrationChecks& checks, const evidence::KeyBody& key, UnixNanos now) {
  Result<std::string> public_key =
      pki::CheckCertificateOf(key.certificate_der, checks.ca_pem, "forwarder", key.host, now);
  if (!public_key.ok()) return PermissionDenied(public_key.status().message());
  Result<pki::Certificate> certificate = pki::Certificate::FromDer(key.certificate_der);
  if (!certificate.ok()) return certificate.status();
  if (checks.revocation.IsRevoked(certificate->serial_hex())) {
    return PermissionDenied("the certificate that signed the registration is revoked");
  }
  return evidence::VerifyEd25519(*public_key, key.SignedBytes(), key.signature)
      .WithContext("signature of the registration");
}

Result<std::string> OpenBox(const RegistrationChecks& checks, const evidence::KeyBody& key,
                            std::string_view box) {
  if (evidence::Sha256(box) != key.box_hash) return Corruption("the box is not the one registered");
  Result<std::string> k0 = checks.opening_keys.front().Open(box, key.BoxContext());
  for (auto older = checks.opening_keys.begin() + 1; older != checks.opening_keys.end(); ++older) {
    if (!k0.ok()) k0 = older->Open(box, key.BoxContext());
  }
  if (!k0.ok()) return k0.status().WithContext("box of the registration");
  if (k0->size() != evidence::kHashSize || evidence::Sha256(*k0) != key.k0_hash) {
    return Corruption("the seal key in the box is not the one registered");
  }
  return k0;
}

// The KEY block where this very epoch is registered already.
Result<std::optional<std::uint64_t>> FindRegistered(const storage::Reader& reader,
                                                    const evidence::KeyBody& key) {
  Result<std::optional<storage::EpochRecord>> known = reader.Epoch(key.host, key.epoch);
  if (!known.ok()) return OurFault(known.status());
  if (known->has_value()) {
    if ((*known)->public_key != key.epoch_public_key || (*known)->k0_hash != key.k0_hash) {
      return InvalidArgument("epoch " + std::to_string(key.epoch) +
                             " is registered with another key");
    }
    return std::optional<std::uint64_t>((*known)->key_block);
  }
  Result<std::optional<storage::EpochRecord>> newest = reader.NewestEpoch(key.host);
  if (!newest.ok()) return OurFault(newest.status());
  if (newest->has_value() && key.epoch <= (*newest)->epoch) {
    return InvalidArgument("epoch " + std::to_string(key.epoch) + " is not after epoch " +
                           std::to_string((*newest)->epoch) + ", which is registered");
  }
  return std::optional<std::uint64_t>();
}

}  // namespace

Result<CheckedRegistration> CheckRegistration(const RegistrationChecks& checks,
                                              const std::string& host, std::string_view body,
                                              std::string_view box, UnixNanos now) {
  Result<evidence::KeyBody> key = evidence::KeyBody::Parse(body);
  if (!key.ok()) return key.status().WithContext("registration");
  if (key->host != host) {
    return PermissionDenied("the registration names host " + key->host + ", the certificate " +
                            host);
  }
  Result<std::optional<std::uint64_t>> registered = FindRegistered(checks.reader, *key);
  if (!registered.ok()) return registered.status();
  CheckedRegistration checked{*std::move(key), {}, *registered};
  if (checked.block.has_value()) return checked;

  LV_RETURN_IF_ERROR(CheckSigner(checks, checked.key, now));
  Result<std::string> k0 = OpenBox(checks, checked.key, box);
  if (!k0.ok()) return k0.status();
  checked.entry.kind = evidence::BlockKind::kKey;
  checked.entry.body = std::string(body);
  checked.entry.seal_key = *std::move(k0);
  return checked;
}

}  // namespace logvault::server
