// A CA in a temporary folder whose clock the test ticks, and openssl's command line as an
// independent judge.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/clock.h"
#include "pki/authority.h"
#include "pki/certificate.h"

namespace logvault::pki {

inline constexpr std::int64_t kSecond = kNanosPerSecond;
inline constexpr std::int64_t kDay = 86400 * kNanosPerSecond;

class TestAuthority : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // A path in the temporary folder.
  [[nodiscard]] std::string Path(const std::string& name) const { return root_ + "/" + name; }
  // The CA's folder, which SetUp made for the vault lab-vault.
  [[nodiscard]] std::string Ca() const { return Path("ca"); }
  [[nodiscard]] std::string Read(const std::string& name) const;
  void Write(const std::string& name, const std::string& bytes) const;

  // Issues into the folder `name`, with the default or the given life.
  Status Issue(Role role, const std::string& name,
               std::optional<std::int64_t> ttl_ns = std::nullopt,
               std::vector<std::string> sans = {});
  // The certificate in the folder `name`.
  [[nodiscard]] Certificate CertificateOf(const std::string& name) const;

  struct CommandResult {
    int exit_code = -1;
    std::string output;  // stdout and stderr
  };
  // `openssl ARGS`, in the temporary folder.
  [[nodiscard]] CommandResult OpenSsl(const std::string& args) const;

  // A whole second in 2026, so that the times in certificates are exact.
  FakeClock clock_{1'795'000'000 * kNanosPerSecond};

 private:
  std::string root_;
};

}  // namespace logvault::pki
