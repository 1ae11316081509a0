// Certificates: whose they are, when they are good, and the exact reason when they are not.
#include "pki/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/small_file.h"
#include "evidence/keys.h"
#include "pki/openssl.h"
#include "tests/pki/test_authority.h"

namespace logvault::pki {
namespace {

class CertificateTest : public TestAuthority {
 protected:
  std::string CaPem() { return Read("ca/ca.pem"); }
};

TEST_F(CertificateTest, SaysWhoseItIs) {
  ASSERT_TRUE(Issue(Role::kInvestigator, "ann").ok());
  const Certificate certificate = CertificateOf("ann");
  EXPECT_EQ(*certificate.identity(), (Identity{"lab-vault", Role::kInvestigator, "ann"}));
  EXPECT_EQ(certificate.serial_hex().size(), 32u);
  EXPECT_EQ(*certificate.ed25519_public_key(),
            evidence::SigningKey::FromPem(Read("ann/key.pem"))->public_key());
}

TEST_F(CertificateTest, DerAndPemAreTheSameCertificate) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  const Certificate certificate = CertificateOf("geo01");
  Result<Certificate> again = Certificate::FromDer(certificate.ToDer());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->fingerprint_hex(), certificate.fingerprint_hex());
  EXPECT_FALSE(Certificate::FromDer(certificate.ToDer() + "x").ok());
}

TEST_F(CertificateTest, NinetySecondsAreNinetySecondsFromTheIssue) {
  const UnixNanos issued = clock_.Now();
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", 90 * kSecond).ok());
  const Certificate certificate = CertificateOf("geo01");
  EXPECT_TRUE(certificate.VerifyIssuedBy(CaPem(), issued).ok());
  EXPECT_TRUE(certificate.VerifyIssuedBy(CaPem(), issued + 90 * kSecond - 1).ok());
  EXPECT_EQ(
      certificate.VerifyIssuedBy(CaPem(), issued + 90 * kSecond),
      Unauthenticated("certificate refused: it expired on " + FormatDate(issued + 90 * kSecond)));
}

TEST_F(CertificateTest, ItBeginsFiveMinutesEarlierForClocksThatAreBehind) {
  const UnixNanos issued = clock_.Now();
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", 90 * kSecond).ok());
  const Certificate certificate = CertificateOf("geo01");
  EXPECT_TRUE(certificate.VerifyIssuedBy(CaPem(), issued - 300 * kSecond).ok());
  EXPECT_EQ(certificate.VerifyIssuedBy(CaPem(), issued - 301 * kSecond),
            Unauthenticated("certificate refused: it is not valid before " +
                            FormatDate(issued - 300 * kSecond) + " (is a clock wrong?)"));
}

TEST_F(CertificateTest, AnotherCaOfTheSameNameIsAnotherCa) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ASSERT_TRUE(InitAuthority(Path("other"), "lab-vault", clock_).ok());
  EXPECT_EQ(CertificateOf("geo01").VerifyIssuedBy(Read("other/ca.pem"), clock_.Now()),
            Unauthenticated("certificate refused: it was issued by another CA"));
}

TEST_F(CertificateTest, AChangedByteIsAWrongSignature) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  std::string der = CertificateOf("geo01").ToDer();
  const std::size_t at = der.find("forwarder/geo01");
  ASSERT_NE(at, std::string::npos);
  der.replace(at, 15, "forwarder/geo02");
  Result<Certificate> forged = Certificate::FromDer(der);
  ASSERT_TRUE(forged.ok()) << forged.status();
  EXPECT_EQ(forged->VerifyIssuedBy(CaPem(), clock_.Now()),
            Unauthenticated("certificate refused: its signature is wrong"));
}

TEST_F(CertificateTest, TheCaItselfIsNobodysCertificate) {
  Result<Certificate> ca = Certificate::FromPem(CaPem());
  ASSERT_TRUE(ca.ok()) << ca.status();
  EXPECT_EQ(ca->VerifyIssuedBy(CaPem(), clock_.Now()),
            Unauthenticated("certificate refused: it is a CA's"));
  EXPECT_EQ(ca->identity().status().code(), StatusCode::kPermissionDenied);
}

TEST_F(CertificateTest, ALeafCannotIssue) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ASSERT_TRUE(Issue(Role::kForwarder, "geo02").ok());
  EXPECT_EQ(CertificateOf("geo02").VerifyIssuedBy(Read("geo01/cert.pem"), clock_.Now()),
            InvalidArgument("CA: not the certificate of a CA"));
}

TEST_F(CertificateTest, AnExpiredCaIsNamedAsTheReason) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  const std::string message =
      CertificateOf("geo01").VerifyIssuedBy(CaPem(), clock_.Now() + 21 * 365 * kDay).message();
  EXPECT_THAT(message, testing::HasSubstr("expired on"));
}

TEST_F(CertificateTest, AStrangersSelfSignedCertificateIsAnotherCas) {
  ASSERT_EQ(OpenSsl("req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=x "
                    "-addext subjectAltName=URI:spiffe://lab-vault/admin/eve")
                .exit_code,
            0);
  Result<Certificate> stranger = Certificate::FromPem(Read("c.pem"));
  ASSERT_TRUE(stranger.ok()) << stranger.status();
  EXPECT_EQ(stranger->VerifyIssuedBy(CaPem(), SystemClock().Now()),
            Unauthenticated("certificate refused: it was issued by another CA"));
}

TEST_F(CertificateTest, NoUriTwoUrisAndOtherUrisAreNoIdentity) {
  struct Case {
    std::string san;
    std::string message;
  };
  const std::string one = "URI:spiffe://v/admin/a";
  for (const Case& c :
       {Case{"DNS:a", "a certificate must name one identity as its URI; this one has 0"},
        Case{one + ",URI:spiffe://v/admin/b",
             "a certificate must name one identity as its URI; this one has 2"},
        Case{"URI:https://v/admin/a",
             "certificate: 'https://v/admin/a' is not of the form spiffe://VAULT/ROLE/NAME"}}) {
    ASSERT_EQ(OpenSsl("req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -subj /CN=x "
                      "-addext subjectAltName=" +
                      c.san)
                  .exit_code,
              0);
    EXPECT_EQ(Certificate::FromPem(Read("c.pem"))->identity().status(),
              PermissionDenied(c.message));
  }
}

TEST_F(CertificateTest, AnotherKindOfKeyIsSaidToBeOne) {
  ASSERT_EQ(OpenSsl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem "
                    "-out c.pem -subj /CN=x")
                .exit_code,
            0);
  EXPECT_EQ(Certificate::FromPem(Read("c.pem"))->ed25519_public_key().status(),
            InvalidArgument("the certificate's key is not an Ed25519 key"));
}

TEST_F(CertificateTest, GarbageIsNoCertificate) {
  const std::string pem = CaPem();
  for (const std::string& text :
       {std::string(), std::string("hello"), pem.substr(0, pem.size() / 2), Read("ca/ca.key"),
        Read("ca/crl.pem")}) {
    EXPECT_EQ(Certificate::FromPem(text).status(), InvalidArgument("not a PEM certificate"));
    EXPECT_EQ(Certificate::FromDer(text).status().code(), StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  EXPECT_EQ(CertificateOf("geo01").VerifyIssuedBy("junk", clock_.Now()),
            InvalidArgument("CA: not a PEM certificate"));
}

TEST_F(CertificateTest, NothingIsLeftInOpenSslsErrorQueue) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ERR_clear_error();
  (void)Certificate::FromPem("junk");
  (void)Certificate::FromDer("junk");
  (void)CertificateOf("geo01").VerifyIssuedBy("junk", clock_.Now());
  (void)CertificateOf("geo01").VerifyIssuedBy(CaPem(), 0);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(CertificateTest, TheAuditorsCheckAcceptsOnlyTheHostsForwarder) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", 90 * kSecond).ok());
  ASSERT_TRUE(Issue(Role::kAdmin, "root").ok());
  const std::string geo01 = CertificateOf("geo01").ToDer();
  const UnixNanos now = clock_.Now();

  Result<std::string> key = CheckCertificateOf(geo01, CaPem(), "forwarder", "geo01", now);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, *CertificateOf("geo01").ed25519_public_key());

  EXPECT_EQ(CheckCertificateOf(geo01, CaPem(), "forwarder", "geo02", now).status(),
            PermissionDenied("the certificate is spiffe://lab-vault/forwarder/geo01's, not that of "
                             "forwarder 'geo02'"));
  EXPECT_EQ(CheckCertificateOf(CertificateOf("root").ToDer(), CaPem(), "forwarder", "root", now)
                .status()
                .code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(CheckCertificateOf(geo01, CaPem(), "forwarder", "geo01", now + kDay).status().code(),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(CheckCertificateOf("junk", CaPem(), "forwarder", "geo01", now).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace logvault::pki
