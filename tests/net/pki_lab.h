// A certificate authority in a temporary folder, for tests that connect for real.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <string>

#include "common/clock.h"
#include "net/ingest_client.h"
#include "net/query_client.h"
#include "pki/authority.h"

namespace logvault::net {

class PkiLab {
 public:
  explicit PkiLab(const std::string& vault_name = "lab-vault") : vault_name_(vault_name) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "logvault-test-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    const Status made = pki::InitAuthority(ca_dir(), vault_name, clock_);
    EXPECT_TRUE(made.ok()) << made;
  }
  ~PkiLab() { std::filesystem::remove_all(dir_); }
  PkiLab(const PkiLab&) = delete;
  PkiLab& operator=(const PkiLab&) = delete;

  // Returns the folder with ca.pem cert.pem key.pem vault.pub.  `age_ns` ago is when it was issued.
  std::string Issue(pki::Role role, const std::string& name,
                    std::optional<std::int64_t> ttl_ns = std::nullopt, std::int64_t age_ns = 0) {
    pki::IssueRequest request;
    request.role = role;
    request.name = name;
    request.ttl_ns = ttl_ns;
    request.out_dir = dir_ + "/issued-" + std::to_string(issued_++);
    const FakeClock then(clock_.Now() - age_ns);
    const Status made = pki::IssueCertificate(ca_dir(), request, then);
    EXPECT_TRUE(made.ok()) << made;
    return request.out_dir;
  }

  void Revoke(const std::string& name) {
    const Result<int> revoked = pki::RevokeName(ca_dir(), name, clock_);
    EXPECT_TRUE(revoked.ok()) << revoked.status();
  }

  IngestClientOptions IngestOptions(const std::string& address, const std::string& issued) const {
    return {address, issued + "/ca.pem", issued + "/cert.pem", issued + "/key.pem", vault_name_,
            20'000};
  }
  QueryClientOptions QueryOptions(const std::string& address, const std::string& issued) const {
    return {address, issued + "/ca.pem", issued + "/cert.pem", issued + "/key.pem", vault_name_,
            20'000};
  }

  [[nodiscard]] std::string ca_dir() const { return dir_ + "/ca"; }
  [[nodiscard]] std::string ca_pem() const { return ca_dir() + "/ca.pem"; }
  [[nodiscard]] std::string crl_pem() const { return ca_dir() + "/crl.pem"; }
  [[nodiscard]] const std::string& dir() const { return dir_; }
  [[nodiscard]] const std::string& vault_name() const { return vault_name_; }

 private:
  const std::string vault_name_;
  const SystemClock clock_;
  std::string dir_;
  int issued_ = 0;
};

}  // namespace logvault::net
