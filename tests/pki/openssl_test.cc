// The openssl program as an independent judge of what the authority makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pki/test_authority.h"

namespace logvault::pki {
namespace {

using testing::HasSubstr;
using testing::Not;

class OpenSslTest : public TestAuthority {
 protected:
  // openssl's verdict on NAME/cert.pem at the clock's time.
  CommandResult Verify(const std::string& name, const std::string& purpose = "sslclient") {
    return OpenSsl(
        "verify -x509_strict -check_ss_sig -crl_check -CAfile ca/ca.pem -CRLfile ca/crl.pem "
        "-purpose " +
        purpose + " -attime " + std::to_string(clock_.Now() / kSecond) + " " + name + "/cert.pem");
  }
  std::string Text(const std::string& file) {
    return OpenSsl("x509 -noout -text -in " + file).output;
  }
};

TEST_F(OpenSslTest, AcceptsWhatIsIssued) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", 90 * kSecond).ok());
  ASSERT_TRUE(
      Issue(Role::kCollector, "vault01", std::nullopt, {"localhost", "127.0.0.1", "::1"}).ok());
  ASSERT_TRUE(Issue(Role::kInvestigator, "ann").ok());
  for (const char* name : {"geo01", "vault01", "ann"}) {
    const CommandResult verdict = Verify(name);
    EXPECT_EQ(verdict.exit_code, 0) << verdict.output;
  }
  EXPECT_EQ(Verify("vault01", "sslserver").exit_code, 0);
  EXPECT_NE(Verify("ann", "sslserver").exit_code, 0);
}

TEST_F(OpenSslTest, RefusesARevokedCertificateAndNotItsSuccessor) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ASSERT_TRUE(RevokeName(Ca(), "geo01", clock_).ok());
  const CommandResult verdict = Verify("geo01");
  EXPECT_NE(verdict.exit_code, 0);
  EXPECT_THAT(verdict.output, HasSubstr("certificate revoked"));
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  EXPECT_EQ(Verify("geo01").exit_code, 0);
}

TEST_F(OpenSslTest, RefusesAnExpiredOneOnTheSecondWeDo) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", 90 * kSecond).ok());
  clock_.Advance(89 * kSecond);
  EXPECT_EQ(Verify("geo01").exit_code, 0);
  clock_.Advance(kSecond);
  EXPECT_THAT(Verify("geo01").output, HasSubstr("certificate has expired"));
}

TEST_F(OpenSslTest, RefusesAListPastItsThirtyDays) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  clock_.Advance(30 * kDay);
  EXPECT_THAT(Verify("geo01").output, HasSubstr("CRL has expired"));
}

TEST_F(OpenSslTest, SeesTheExtensionsOfTheCa) {
  const std::string text = Text("ca/ca.pem");
  EXPECT_THAT(text, HasSubstr("Version: 3"));
  EXPECT_THAT(text, HasSubstr("ED25519"));
  EXPECT_THAT(text,
              HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
  EXPECT_THAT(text,
              HasSubstr("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign"));
  EXPECT_THAT(text, HasSubstr("X509v3 Subject Key Identifier"));
  EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
}

TEST_F(OpenSslTest, SeesTheExtensionsOfALeaf) {
  ASSERT_TRUE(
      Issue(Role::kCollector, "vault01", std::nullopt, {"vault.example.org", "10.0.0.1", "::1"})
          .ok());
  const std::string text = Text("vault01/cert.pem");
  EXPECT_THAT(text, HasSubstr("Subject: O = lab-vault, CN = vault01"));
  EXPECT_THAT(text, HasSubstr("Issuer: O = lab-vault, CN = logvault CA"));
  EXPECT_THAT(text, HasSubstr("X509v3 Basic Constraints: critical\n                CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("X509v3 Key Usage: critical\n                Digital Signature"));
  EXPECT_THAT(text, HasSubstr("TLS Web Server Authentication, TLS Web Client Authentication"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "URI:spiffe://lab-vault/collector/vault01, DNS:vault.example.org, IP Address:10.0.0.1, "
          "IP Address:0:0:0:0:0:0:0:1"));
}

TEST_F(OpenSslTest, SeesNoAddressThatNobodyAskedFor) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  const std::string text = Text("geo01/cert.pem");
  EXPECT_THAT(text, HasSubstr("URI:spiffe://lab-vault/forwarder/geo01\n"));
  EXPECT_THAT(text, Not(HasSubstr("DNS:")));
}

TEST_F(OpenSslTest, SeesTheNumberAndTheSerialsOfAList) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ASSERT_TRUE(RevokeName(Ca(), "geo01", clock_).ok());
  const std::string text = OpenSsl("crl -noout -text -in ca/crl.pem -CAfile ca/ca.pem").output;
  EXPECT_THAT(text, HasSubstr("verify OK"));
  EXPECT_THAT(text, HasSubstr("X509v3 CRL Number: \n                3"));
  std::string serial = CertificateOf("geo01").serial_hex();
  for (char& c : serial) c = static_cast<char>(std::toupper(c));
  EXPECT_THAT(text, HasSubstr("Serial Number: " + serial));
  EXPECT_THAT(OpenSsl("x509 -noout -serial -in geo01/cert.pem").output,
              HasSubstr("serial=" + serial));
}

TEST_F(OpenSslTest, ReadsEveryKeyAndMatchesItToItsCertificate) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  EXPECT_EQ(OpenSsl("pkey -in geo01/key.pem -pubout").output,
            OpenSsl("x509 -noout -pubkey -in geo01/cert.pem").output);
  EXPECT_EQ(OpenSsl("pkey -in ca/ca.key -pubout").output,
            OpenSsl("x509 -noout -pubkey -in ca/ca.pem").output);
  EXPECT_THAT(OpenSsl("pkey -in ca/vault.key -noout -text").output,
              HasSubstr("ED25519 Private-Key"));
}

}  // namespace
}  // namespace logvault::pki
