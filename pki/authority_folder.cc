#include "pki/authority_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "config/small_file.h"
#include "pki/authority.h"

namespace logvault::pki {
namespace {

namespace fs = std::filesystem;
using config::FileMode;

constexpr std::size_t kListFileMax = 64 << 20;
// An expired certificate stays listed for a day more, for verifiers whose clocks are behind.
constexpr std::int64_t kListedAfterExpiryNs = 86400 * kNanosPerSecond;

std::string SystemMessage(int error) { return std::generic_category().message(error); }

}  // namespace

void FolderLock::Close::operator()(const int* fd) const {
  ::close(*fd);
  delete fd;
}

Result<FolderLock> FolderLock::Take(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return NotFound("cannot open the CA's folder " + dir + ": " + SystemMessage(errno));
  FolderLock lock(fd);
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR)
      return FailedPrecondition("cannot lock " + dir + ": " + SystemMessage(errno));
  }
  return lock;
}

Result<Authority> LoadAuthority(const std::string& dir) {
  const fs::path folder(dir);
  if (!Exists(folder / "ca.pem"))
    return NotFound(dir + " holds no CA; `logvault pki init` makes one");
  Result<std::string> ca_pem = config::ReadSmallFile(folder / "ca.pem");
  if (!ca_pem.ok()) return ca_pem.status();
  Result<std::string> key_pem = config::ReadSmallFile(folder / "ca.key");
  if (!key_pem.ok()) return key_pem.status();
  Result<Issuer> issuer = Issuer::FromPem(*ca_pem, *key_pem);
  if (!issuer.ok()) return issuer.status().WithContext(dir);

  Result<VaultPublic> vault = LoadVaultPublic(folder / "vault.pub");
  if (!vault.ok()) return vault.status();
  Result<std::string> list = config::ReadSmallFile(folder / "issued.txt", kListFileMax);
  if (!list.ok()) return list.status();
  Result<IssuedList> issued = IssuedList::Parse(*list);
  if (!issued.ok()) return issued.status().WithContext((folder / "issued.txt").string());
  Result<std::string> crl = config::ReadSmallFile(folder / "crl.pem", kListFileMax);
  if (!crl.ok()) return crl.status();
  Result<RevocationList> revocations = RevocationList::Parse(*crl, *ca_pem);
  if (!revocations.ok()) return revocations.status().WithContext((folder / "crl.pem").string());
  return Authority{dir,
                   *std::move(ca_pem),
                   *std::move(issuer),
                   *std::move(vault),
                   *std::move(issued),
                   *std::move(revocations)};
}

Result<std::string> SignRevocations(const Issuer& issuer, const IssuedList& issued,
                                    std::uint64_t number, UnixNanos now) {
  std::vector<Revoked> revoked;
  for (const IssuedCertificate& certificate : issued.certificates) {
    if (certificate.revoked_at && certificate.not_after + kListedAfterExpiryNs >= now) {
      revoked.push_back({certificate.serial_hex, *certificate.revoked_at});
    }
  }
  return issuer.SignRevocationList(number, revoked, {now, now + kRevocationListNs});
}

Result<std::string> SaveIssuedAndRevoked(const Authority& authority, UnixNanos now) {
  const fs::path folder(authority.dir);
  Result<std::string> crl =
      SignRevocations(authority.issuer, authority.issued, authority.revocations.number + 1, now);
  if (!crl.ok()) return crl.status();
  LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "issued.txt", authority.issued.ToString(),
                                            FileMode::kPublic));
  LV_RETURN_IF_ERROR(config::WriteSmallFile(folder / "crl.pem", *crl, FileMode::kPublic));
  return crl;
}

Status MakePrivateFolder(std::string dir) {
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  std::error_code error;
  const fs::path parent = fs::path(dir).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (!error && ::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
    error.assign(errno, std::generic_category());
  if (error) return FailedPrecondition("cannot make " + dir + ": " + error.message());
  if (!fs::is_directory(dir, error)) return InvalidArgument(dir + " is not a folder");
  return Status::Ok();
}

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace logvault::pki
