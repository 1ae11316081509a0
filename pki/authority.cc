#include "pki/authority.h"

#include <filesystem>

#include "config/small_file.h"
#include "config/units.h"
#include "evidence/checkpoint.h"
#include "evidence/keys.h"
#include "pki/authority_folder.h"
#include "pki/certificate.h"
#include "pki/openssl.h"

namespace logvault::pki {
namespace {

namespace fs = std::filesystem;
using config::FileMode;

constexpr std::int64_t kDayNs = 86400 * kNanosPerSecond;
constexpr std::int64_t kCaNs = 20 * 365 * kDayNs;
constexpr const char* kAuthorityFiles[] = {"ca.pem",    "ca.key",    "crl.pem",
                                           "vault.key", "vault.pub", "issued.txt"};

Result<std::int64_t> TtlOf(const IssueRequest& request) {
  if (!request.ttl_ns) {
    const bool is_machine = request.role == Role::kCollector || request.role == Role::kForwarder;
    return (is_machine ? 365 : 3) * kDayNs;
  }
  if (*request.ttl_ns < kNanosPerSecond)
    return InvalidArgument("a certificate must live at least 1s");
  return *request.ttl_ns;
}

Result<Validity> ValidityOf(const IssueRequest& request, const Issuer& issuer, UnixNanos now) {
  Result<std::int64_t> ttl = TtlOf(request);
  if (!ttl.ok()) return ttl.status();
  const UnixNanos ca_end = issuer.certificate().not_after();
  if (*ttl > ca_end - now) {
    return InvalidArgument("a certificate that lives for " + config::FormatDuration(*ttl) +
                           " would outlive its CA, which ends on " + FormatDate(ca_end));
  }
  return Validity{now - kBackdateNs, now + *ttl};
}

// The key that `out_dir` already holds for `identity`, where this is a renewal; nothing where it is
// a first issue or the certificate there is no longer good.  Fails where out_dir is not ours to
// write into.
Result<std::optional<evidence::SigningKey>> KeyToKeep(const Authority& authority,
                                                      const Identity& identity,
                                                      const std::string& out_dir, UnixNanos now) {
  const std::optional<evidence::SigningKey> none;
  const fs::path folder(out_dir);
  if (Exists(folder / "ca.key"))
    return InvalidArgument(out_dir + " is a CA's folder; choose another");
  if (!Exists(folder / "cert.pem")) {
    if (!Exists(folder / "key.pem")) return none;
    return AlreadyExists(
        out_dir + " holds a key.pem without its cert.pem; remove it or choose another folder");
  }
  Result<std::string> pem = config::ReadSmallFile(folder / "cert.pem");
  if (!pem.ok()) return pem.status();
  Result<Certificate> old = Certificate::FromPem(*pem);
  if (!old.ok())
    return AlreadyExists(out_dir + "/cert.pem is " + old.status().message() +
                         "; choose another folder");
  Result<Identity> holder = old->identity();
  if (!holder.ok() || *holder != identity) {
    return AlreadyExists(out_dir + " holds the certificate of " +
                         (holder.ok() ? holder->ToString() : std::string("somebody else")) +
                         "; choose another folder");
  }
  // At its own last second: issued by this CA, whether or not it has expired.
  if (!old->VerifyIssuedBy(authority.ca_pem, old->not_after() - kNanosPerSecond).ok()) {
    return AlreadyExists(out_dir + " holds a certificate of another CA; choose another folder");
  }
  const bool is_good =
      old->not_after() > now && authority.revocations.revoked_serials.count(old->serial_hex()) == 0;
  Result<evidence::SigningKey> key = LoadSigningKey(folder / "key.pem");
  Result<std::string> certified = old->ed25519_public_key();
  if (!is_good || !key.ok() || !certified.ok() || key->public_key() != *certified) return none;
  return std::optional(*std::move(key));
}

// cert.pem last: it is what makes the folder complete, and what a renewal replaces.
Status FillFolder(const Authority& authority, const IssueRequest& request, const std::string& crl,
                  const std::string& vault_key, const std::string& key_pem,
                  const std::string& cert_pem) {
  LV_RETURN_IF_ERROR(MakePrivateFolder(request.out_dir));
  const fs::path folder(request.out_dir);
  LV_RETURN_IF_ERROR(
      config::WriteSmallFile(folder / "ca.pem", authority.ca_pem, FileMode::kPublic));
  LV_RETURN_IF_ERROR(
      config::WriteSmallFile(folder / "vault.pub", authority.vault.ToString(), FileMode::kPublic));
  if (request.role == Role::kCollector) {
    LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "crl.pem", crl, FileMode::kPublic));
    LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "vault.key", vault_key, FileMode::kPrivate));
  }
  LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "key.pem", key_pem, FileMode::kPrivate));
  return config::WriteSmallFile(folder / "cert.pem", cert_pem, FileMode::kPublic);
}

// vault.key, for a collector's folder; empty for anybody else's.
Result<std::string> VaultKeyFor(const Authority& authority, Role role) {
  if (role != Role::kCollector) return std::string();
  const std::string path = fs::path(authority.dir) / "vault.key";
  Result<evidence::SigningKey> signing = LoadSigningKey(path);
  if (!signing.ok()) return signing.status();
  Result<evidence::OpeningKey> opening = LoadOpeningKey(path);
  if (!opening.ok()) return opening.status();
  if (signing->public_key() != authority.vault.verifier.public_key ||
      opening->public_key() != authority.vault.opening_public_key) {
    return InvalidArgument(path + " is not the key of vault.pub beside it");
  }
  return config::ReadSmallFile(path);
}

Status CheckName(const std::string& name, std::string_view whose) {
  if (IsValidName(name)) return Status::Ok();
  return InvalidArgument("'" + name + "' is not a " + std::string(whose) +
                         " name: 1 to 63 of a-z, 0-9, '.', '_' and '-'");
}

// vault.key and vault.pub.
Status MakeVaultKeys(const fs::path& folder, const std::string& vault_name) {
  const evidence::SigningKey signing = evidence::SigningKey::Generate();
  const evidence::OpeningKey opening = evidence::OpeningKey::Generate();
  const std::string origin = evidence::OriginFor(vault_name, signing.public_key());
  const VaultPublic vault{evidence::VerifierKey::For(origin, signing.public_key()),
                          opening.public_key()};
  LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "vault.key", signing.ToPem() + opening.ToPem(),
                                            FileMode::kPrivate));
  return config::WriteSmallFile(folder / "vault.pub", vault.ToString(), FileMode::kPublic);
}

// The lists, ca.key, and ca.pem last: it is what makes the folder a CA's.
Status MakeCa(const fs::path& folder, const std::string& vault_name, UnixNanos now) {
  const std::string key_pem = evidence::SigningKey::Generate().ToPem();
  Result<std::string> ca_pem = Issuer::SelfSigned(vault_name, key_pem, {now - kDayNs, now + kCaNs});
  if (!ca_pem.ok()) return ca_pem.status();
  Result<Issuer> issuer = Issuer::FromPem(*ca_pem, key_pem);
  if (!issuer.ok()) return issuer.status();
  Result<std::string> crl = SignRevocations(*issuer, {}, 1, now);
  if (!crl.ok()) return crl.status();

  LV_RETURN_IF_ERROR(
      config::WriteSmallFile(folder / "issued.txt", IssuedList().ToString(), FileMode::kPublic));
  LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "crl.pem", *crl, FileMode::kPublic));
  LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "ca.key", key_pem, FileMode::kPrivate));
  return config::WriteSmallFile(folder / "ca.pem", *ca_pem, FileMode::kPublic);
}

}  // namespace

Status InitAuthority(const std::string& dir, const std::string& vault_name, const Clock& clock) {
  LV_RETURN_IF_ERROR(CheckName(vault_name, "vault's"));
  LV_RETURN_IF_ERROR(MakePrivateFolder(dir));
  Result<FolderLock> lock = FolderLock::Take(dir);
  if (!lock.ok()) return lock.status();
  for (const char* file : kAuthorityFiles) {
    if (!Exists(fs::path(dir) / file)) continue;
    return AlreadyExists(dir + " already holds a " + file + "; nothing was changed");
  }
  LV_RETURN_IF_ERROR(MakeVaultKeys(dir, vault_name));
  return MakeCa(dir, vault_name, clock.Now());
}

Status IssueCertificate(const std::string& dir, const IssueRequest& request, const Clock& clock) {
  LV_RETURN_IF_ERROR(CheckName(request.name, "certificate's"));
  for (const std::string& san : request.sans) LV_RETURN_IF_ERROR(CheckSan(san));
  if (request.out_dir.empty()) return InvalidArgument("no folder to write into");
  Result<FolderLock> lock = FolderLock::Take(dir);
  if (!lock.ok()) return lock.status();
  Result<Authority> authority = LoadAuthority(dir);
  if (!authority.ok()) return authority.status();

  const UnixNanos now = clock.Now();
  Result<Validity> validity = ValidityOf(request, authority->issuer, now);
  if (!validity.ok()) return validity.status();
  Result<std::string> vault_key = VaultKeyFor(*authority, request.role);
  if (!vault_key.ok()) return vault_key.status();
  const Identity identity{authority->vault.vault_name(), request.role, request.name};
  Result<std::optional<evidence::SigningKey>> kept =
      KeyToKeep(*authority, identity, request.out_dir, now);
  if (!kept.ok()) return kept.status();
  const evidence::SigningKey key = *kept ? **kept : evidence::SigningKey::Generate();

  Result<std::string> cert_pem =
      authority->issuer.Certify(identity, request.sans, key.public_key(), *validity);
  if (!cert_pem.ok()) return cert_pem.status();
  Result<Certificate> certificate = Certificate::FromPem(*cert_pem);
  if (!certificate.ok()) return certificate.status();
  LV_RETURN_IF_ERROR(certificate->VerifyIssuedBy(authority->ca_pem, now));
  authority->issued.certificates.push_back({certificate->serial_hex(), request.role, request.name,
                                            certificate->not_after(), std::nullopt});
  Result<std::string> crl = SaveIssuedAndRevoked(*authority, now);
  if (!crl.ok()) return crl.status();
  return FillFolder(*authority, request, *crl, *vault_key, key.ToPem(), *cert_pem);
}

Result<int> RevokeName(const std::string& dir, const std::string& name, const Clock& clock) {
  LV_RETURN_IF_ERROR(CheckName(name, "certificate's"));
  Result<FolderLock> lock = FolderLock::Take(dir);
  if (!lock.ok()) return lock.status();
  Result<Authority> authority = LoadAuthority(dir);
  if (!authority.ok()) return authority.status();

  const UnixNanos now = clock.Now();
  int count = 0;
  for (IssuedCertificate& certificate : authority->issued.certificates) {
    if (certificate.name != name || certificate.not_after <= now) continue;
    ++count;
    if (!certificate.revoked_at) certificate.revoked_at = now;
  }
  if (count == 0)
    return NotFound(dir + " has issued no certificate of '" + name + "' that has not expired");
  Result<std::string> crl = SaveIssuedAndRevoked(*authority, now);
  if (!crl.ok()) return crl.status();
  return count;
}

}  // namespace logvault::pki
