#include "net/presented_certificate.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/transport.h"

namespace logvault::net {
namespace {

constexpr unsigned kLookEverySeconds = 1;

Status SystemError(const std::string& what) {
  return Unavailable(what + ": " + std::strerror(errno));
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("memory file");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Status::Ok();
}

}  // namespace

PresentedCertificate::MemoryFile::~MemoryFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status PresentedCertificate::MemoryFile::Replace(std::string_view bytes) {
  const int fresh = ::memfd_create("logvault-tls", MFD_CLOEXEC);
  if (fresh < 0) return SystemError("memfd_create");
  Status written = WriteAll(fresh, bytes);
  if (!written.ok() || fd_ < 0) {
    if (written.ok()) fd_ = fresh;
    if (!written.ok()) ::close(fresh);
    return written;
  }
  const int placed = ::dup3(fresh, fd_, O_CLOEXEC);
  ::close(fresh);
  return placed < 0 ? SystemError("dup3") : Status::Ok();
}

std::string PresentedCertificate::MemoryFile::path() const {
  return "/proc/self/fd/" + std::to_string(fd_);
}

Result<std::unique_ptr<PresentedCertificate>> PresentedCertificate::Make(
    const OwnCertificate& own) {
  StartTransport(nullptr);
  std::unique_ptr<PresentedCertificate> presented(new PresentedCertificate());
  LV_RETURN_IF_ERROR(presented->Exchange(own));
  presented->provider_ = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      presented->key_.path(), presented->certificate_.path(), presented->ca_.path(),
      kLookEverySeconds);
  return presented;
}

PresentedCertificate::~PresentedCertificate() = default;

Status PresentedCertificate::Exchange(const OwnCertificate& own) {
  LV_RETURN_IF_ERROR(ca_.Replace(own.ca_pem));
  LV_RETURN_IF_ERROR(key_.Replace(own.key_pem));
  return certificate_.Replace(own.cert_pem);
}

}  // namespace logvault::net
