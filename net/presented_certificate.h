// What a listener presents in the handshake; it can be exchanged while the listener runs.  Includes gRPC: for net and
// server only.
//
// gRPC 1.51 exchanges certificates only by watching files, and a bad pair among them ends all new handshakes.  So it
// watches files of ours: memory files (memfd_create(2)), written only once the new certificate and key are known to
// be in order.  The key stays in this process.
#pragma once

#include <grpcpp/security/tls_certificate_provider.h>

#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"
#include "net/own_certificate.h"

namespace logvault::net {

class PresentedCertificate {
 public:
  // kUnavailable where the system gives no memory file.
  static Result<std::unique_ptr<PresentedCertificate>> Make(const OwnCertificate& own);
  ~PresentedCertificate();
  PresentedCertificate(const PresentedCertificate&) = delete;
  PresentedCertificate& operator=(const PresentedCertificate&) = delete;

  // New handshakes present `own` within two seconds; connections that stand are left alone.  One thread at a time.
  Status Exchange(const OwnCertificate& own);

  [[nodiscard]] const std::shared_ptr<grpc::experimental::CertificateProviderInterface>& provider()
      const {
    return provider_;
  }

 private:
  // A memory file that is replaced in one step: whoever opens path() sees the old bytes or the new ones.
  class MemoryFile {
   public:
    ~MemoryFile();
    Status Replace(std::string_view bytes);
    [[nodiscard]] std::string path() const;

   private:
    int fd_ = -1;
  };

  PresentedCertificate() = default;

  MemoryFile ca_, certificate_, key_;
  std::shared_ptr<grpc::experimental::CertificateProviderInterface> provider_;
};

}  // namespace logvault::net
