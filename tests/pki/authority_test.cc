// The authority: what a folder gets, what is renewed, what is refused, what is revoked.
#include "pki/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <thread>

#include "pki/issued_list.h"
#include "pki/openssl.h"
#include "pki/revocation.h"
#include "pki/vault_files.h"
#include "tests/pki/test_authority.h"

namespace logvault::pki {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class AuthorityTest : public TestAuthority {
 protected:
  static IssueRequest RequestFor(const std::string& name, const std::string& out_dir) {
    IssueRequest request;
    request.name = name;
    request.out_dir = out_dir;
    return request;
  }
  [[nodiscard]] std::set<std::string> FilesIn(const std::string& name) const {
    std::set<std::string> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(Path(name)))
      files.insert(entry.path().filename());
    return files;
  }
  [[nodiscard]] int ModeOf(const std::string& name) const {
    struct stat info;
    return ::stat(Path(name).c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 0777) : -1;
  }
  [[nodiscard]] bool IsRevoked(const Certificate& certificate) const {
    return RevocationList::Parse(Read("ca/crl.pem"), Read("ca/ca.pem"))
               ->revoked_serials.count(certificate.serial_hex()) > 0;
  }
};

TEST_F(AuthorityTest, ANewCaHasEveryFileAndItsKeysAreItsOwnersOnly) {
  EXPECT_EQ(FilesIn("ca"), (std::set<std::string>{"ca.key", "ca.pem", "crl.pem", "issued.txt",
                                                  "vault.key", "vault.pub"}));
  EXPECT_EQ(ModeOf("ca"), 0700);
  EXPECT_EQ(ModeOf("ca/ca.key"), 0600);
  EXPECT_EQ(ModeOf("ca/vault.key"), 0600);
  EXPECT_EQ(ModeOf("ca/vault.pub"), 0644);
}

TEST_F(AuthorityTest, VaultKeyHoldsBothKeysOfVaultPub) {
  Result<VaultPublic> vault = LoadVaultPublic(Path("ca/vault.pub"));
  ASSERT_TRUE(vault.ok()) << vault.status();
  EXPECT_EQ(vault->vault_name(), "lab-vault");
  EXPECT_EQ(LoadSigningKey(Path("ca/vault.key"))->public_key(), vault->verifier.public_key);
  EXPECT_EQ(LoadOpeningKey(Path("ca/vault.key"))->public_key(), vault->opening_public_key);
}

TEST_F(AuthorityTest, ACaIsNeverOverwritten) {
  const std::string key = Read("ca/ca.key");
  EXPECT_EQ(InitAuthority(Ca(), "lab-vault", clock_),
            AlreadyExists(Ca() + " already holds a ca.pem; nothing was changed"));
  EXPECT_EQ(Read("ca/ca.key"), key);
  fs::create_directory(Path("half"));
  Write("half/vault.key", "precious");
  EXPECT_EQ(InitAuthority(Path("half"), "lab-vault", clock_).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Read("half/vault.key"), "precious");
}

TEST_F(AuthorityTest, AVaultsNameIsChecked) {
  EXPECT_EQ(
      InitAuthority(Path("x"), "Lab/Vault", clock_),
      InvalidArgument("'Lab/Vault' is not a vault's name: 1 to 63 of a-z, 0-9, '.', '_' and '-'"));
  EXPECT_FALSE(fs::exists(Path("x")));
}

TEST_F(AuthorityTest, EachRoleGetsItsFiles) {
  const std::set<std::string> files = {"ca.pem", "cert.pem", "key.pem", "vault.pub"};
  for (Role role : {Role::kForwarder, Role::kInvestigator, Role::kAdmin}) {
    const std::string name(ToString(role));
    ASSERT_TRUE(Issue(role, name).ok());
    EXPECT_EQ(FilesIn(name), files);
    EXPECT_EQ(ModeOf(name), 0700);
    EXPECT_EQ(ModeOf(name + "/key.pem"), 0600);
    EXPECT_EQ(Read(name + "/ca.pem"), Read("ca/ca.pem"));
    EXPECT_EQ(Read(name + "/vault.pub"), Read("ca/vault.pub"));
  }
  ASSERT_TRUE(Issue(Role::kCollector, "vault01").ok());
  EXPECT_EQ(FilesIn("vault01"), (std::set<std::string>{"ca.pem", "cert.pem", "crl.pem", "key.pem",
                                                       "vault.key", "vault.pub"}));
  EXPECT_EQ(ModeOf("vault01/vault.key"), 0600);
  EXPECT_EQ(Read("vault01/vault.key"), Read("ca/vault.key"));
  EXPECT_EQ(Read("vault01/crl.pem"), Read("ca/crl.pem"));
}

TEST_F(AuthorityTest, MachinesGetAYearAndPeopleThreeDays) {
  for (Role role : {Role::kForwarder, Role::kInvestigator, Role::kAdmin, Role::kCollector}) {
    const std::string name(ToString(role));
    ASSERT_TRUE(Issue(role, name).ok());
    const bool is_machine = role == Role::kForwarder || role == Role::kCollector;
    EXPECT_EQ(CertificateOf(name).not_after(), clock_.Now() + (is_machine ? 365 : 3) * kDay)
        << name;
  }
}

TEST_F(AuthorityTest, ARenewalKeepsTheKeySoThatThePairAlwaysMatches) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  const Certificate first = CertificateOf("geo01");
  const std::string key = Read("geo01/key.pem");
  clock_.Advance(3600 * kSecond);
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  EXPECT_EQ(Read("geo01/key.pem"), key);
  EXPECT_EQ(CertificateOf("geo01").not_after(), first.not_after() + 3600 * kSecond);
  EXPECT_NE(CertificateOf("geo01").serial_hex(), first.serial_hex());
}

TEST_F(AuthorityTest, AfterARevocationOrAnExpiryTheKeyIsNew) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  const std::string key = Read("geo01/key.pem");
  ASSERT_TRUE(RevokeName(Ca(), "geo01", clock_).ok());
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  const std::string second_key = Read("geo01/key.pem");
  EXPECT_NE(second_key, key);
  clock_.Advance(2 * kDay);
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  EXPECT_NE(Read("geo01/key.pem"), second_key);
  EXPECT_TRUE(CertificateOf("geo01").VerifyIssuedBy(Read("ca/ca.pem"), clock_.Now()).ok());
}

TEST_F(AuthorityTest, ACertificateAndKeyThatDoNotMatchAreBothReplaced) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ASSERT_TRUE(Issue(Role::kForwarder, "geo02").ok());
  Write("geo01/key.pem", Read("geo02/key.pem"));
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  EXPECT_NE(Read("geo01/key.pem"), Read("geo02/key.pem"));
  EXPECT_EQ(LoadSigningKey(Path("geo01/key.pem"))->public_key(),
            *CertificateOf("geo01").ed25519_public_key());
}

TEST_F(AuthorityTest, SomebodyElsesFolderIsNotWrittenInto) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  const std::string cert = Read("geo01/cert.pem");
  IssueRequest request = RequestFor("geo02", Path("geo01"));
  EXPECT_EQ(
      IssueCertificate(Ca(), request, clock_),
      AlreadyExists(Path("geo01") + " holds the certificate of spiffe://lab-vault/forwarder/geo01; "
                                    "choose another folder"));
  request.out_dir = Ca();
  EXPECT_EQ(IssueCertificate(Ca(), request, clock_),
            InvalidArgument(Ca() + " is a CA's folder; choose another"));
  ASSERT_TRUE(InitAuthority(Path("other"), "lab-vault", clock_).ok());
  request = RequestFor("geo01", Path("geo01"));
  EXPECT_EQ(IssueCertificate(Path("other"), request, clock_).code(), StatusCode::kAlreadyExists);
  fs::create_directory(Path("foreign"));
  Write("foreign/key.pem", "precious");
  request.out_dir = Path("foreign");
  EXPECT_EQ(IssueCertificate(Ca(), request, clock_).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Read("foreign/key.pem"), "precious");
  EXPECT_EQ(Read("geo01/cert.pem"), cert);
}

TEST_F(AuthorityTest, OtherFilesInTheFolderStay) {
  fs::create_directory(Path("geo01"));
  Write("geo01/forwarder.yaml", "mine");
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  EXPECT_EQ(Read("geo01/forwarder.yaml"), "mine");
}

TEST_F(AuthorityTest, NonsenseIsRefusedWithAReason) {
  EXPECT_EQ(Issue(Role::kForwarder, "geo 01").message(),
            "'geo 01' is not a certificate's name: 1 to 63 of a-z, 0-9, '.', '_' and '-'");
  EXPECT_EQ(Issue(Role::kForwarder, "geo01", 0).message(), "a certificate must live at least 1s");
  EXPECT_EQ(Issue(Role::kForwarder, "geo01", 1).message(), "a certificate must live at least 1s");
  EXPECT_EQ(Issue(Role::kForwarder, "geo01", -kDay).message(),
            "a certificate must live at least 1s");
  EXPECT_EQ(Issue(Role::kForwarder, "geo01", 30 * 365 * kDay).message(),
            "a certificate that lives for 10950d would outlive its CA, which ends on " +
                FormatDate(clock_.Now() + 20 * 365 * kDay));
  EXPECT_EQ(Issue(Role::kForwarder, "geo01", std::nullopt, {"a b"}).message(),
            "--san 'a b' is neither a DNS name nor an IP address");
  EXPECT_EQ(
      Issue(Role::kForwarder, "geo01", std::nullopt, {"x,URI:spiffe://lab-vault/admin/eve"}).code(),
      StatusCode::kInvalidArgument);
  EXPECT_EQ(IssueCertificate(Ca(), RequestFor("geo01", ""), clock_).message(),
            "no folder to write into");
  EXPECT_EQ(IssueCertificate(Path("none"), RequestFor("geo01", Path("x")), clock_).code(),
            StatusCode::kNotFound);
  EXPECT_EQ(RevokeName(Ca(), "Geo", clock_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(fs::exists(Path("geo01")));
  EXPECT_FALSE(fs::exists(Path("x")));
}

TEST_F(AuthorityTest, ADamagedCaIssuesNothing) {
  struct Case {
    std::string file;
    std::string bytes;
  };
  ASSERT_TRUE(InitAuthority(Path("other"), "lab-vault", clock_).ok());
  for (const Case& c :
       {Case{"ca.key", Read("other/ca.key")}, Case{"ca.pem", "junk"}, Case{"issued.txt", "junk\n"},
        Case{"crl.pem", Read("other/crl.pem")}, Case{"vault.pub", "junk"}}) {
    const std::string good = Read("ca/" + c.file);
    Write("ca/" + c.file, c.bytes);
    const Status status = Issue(Role::kForwarder, "geo01");
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.file;
    EXPECT_THAT(status.message(), HasSubstr(c.file));
    Write("ca/" + c.file, good);
  }
  Write("ca/vault.key", Read("other/vault.key"));
  EXPECT_EQ(Issue(Role::kCollector, "vault01"),
            InvalidArgument(Path("ca/vault.key") + " is not the key of vault.pub beside it"));
  EXPECT_TRUE(Issue(Role::kForwarder, "geo01").ok());
}

TEST_F(AuthorityTest, RevokingANameRevokesItInEveryRoleAndNobodyElse) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  IssueRequest request = RequestFor("geo01", Path("admin"));
  request.role = Role::kAdmin;
  ASSERT_TRUE(IssueCertificate(Ca(), request, clock_).ok());
  ASSERT_TRUE(Issue(Role::kForwarder, "geo02").ok());
  EXPECT_EQ(*RevokeName(Ca(), "geo01", clock_), 2);
  EXPECT_TRUE(IsRevoked(CertificateOf("geo01")));
  EXPECT_TRUE(IsRevoked(CertificateOf("admin")));
  EXPECT_FALSE(IsRevoked(CertificateOf("geo02")));
}

TEST_F(AuthorityTest, ANameMayBeIssuedAnewAfterItsRevocation) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  const Certificate first = CertificateOf("geo01");
  EXPECT_EQ(*RevokeName(Ca(), "geo01", clock_), 1);
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  EXPECT_TRUE(IsRevoked(first));
  EXPECT_FALSE(IsRevoked(CertificateOf("geo01")));
  EXPECT_EQ(*RevokeName(Ca(), "geo01", clock_), 2);
  EXPECT_TRUE(IsRevoked(CertificateOf("geo01")));
}

TEST_F(AuthorityTest, RevokingTwiceIsTheSameAndAStrangerIsNotFound) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  EXPECT_EQ(*RevokeName(Ca(), "geo01", clock_), 1);
  EXPECT_EQ(*RevokeName(Ca(), "geo01", clock_), 1);
  EXPECT_EQ(RevokeName(Ca(), "nobody", clock_).status(),
            NotFound(Ca() + " has issued no certificate of 'nobody' that has not expired"));
  clock_.Advance(kDay);
  EXPECT_EQ(RevokeName(Ca(), "geo01", clock_).status().code(), StatusCode::kNotFound);
}

TEST_F(AuthorityTest, AnExpiredCertificateLeavesTheListADayLater) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01", kDay).ok());
  ASSERT_TRUE(RevokeName(Ca(), "geo01", clock_).ok());
  clock_.Advance(2 * kDay);
  ASSERT_TRUE(Issue(Role::kForwarder, "geo02").ok());
  EXPECT_TRUE(IsRevoked(CertificateOf("geo01")));
  clock_.Advance(kSecond);
  ASSERT_TRUE(Issue(Role::kForwarder, "geo03").ok());
  EXPECT_FALSE(IsRevoked(CertificateOf("geo01")));
}

TEST_F(AuthorityTest, SeveralAtOnceLoseNothing) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(
        [this, i] { EXPECT_TRUE(Issue(Role::kForwarder, "host" + std::to_string(i)).ok()); });
  }
  threads.clear();
  EXPECT_EQ(IssuedList::Parse(Read("ca/issued.txt"))->certificates.size(), 8u);
  EXPECT_EQ(RevocationList::Parse(Read("ca/crl.pem"), Read("ca/ca.pem"))->number, 9u);
}

}  // namespace
}  // namespace logvault::pki
