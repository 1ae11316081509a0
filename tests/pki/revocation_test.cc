// Revocation fails closed at the start, keeps the last good list afterwards, and never goes back.
#include "pki/revocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "tests/pki/test_authority.h"

namespace logvault::pki {
namespace {

class RevocationTest : public TestAuthority {
 protected:
  Result<std::unique_ptr<RevocationFile>> Open() {
    return RevocationFile::Open(Path("ca/crl.pem"), Path("ca/ca.pem"), clock_);
  }
  RevocationList List() { return *RevocationList::Parse(Read("ca/crl.pem"), Read("ca/ca.pem")); }
  void Revoke(const std::string& name) { ASSERT_TRUE(RevokeName(Ca(), name, clock_).ok()); }
};

TEST_F(RevocationTest, ANewCasListIsEmptyAndHoldsThirtyDays) {
  const RevocationList list = List();
  EXPECT_EQ(list.number, 1u);
  EXPECT_EQ(list.this_update, clock_.Now());
  EXPECT_EQ(list.next_update, clock_.Now() + 30 * kDay);
  EXPECT_TRUE(list.revoked_serials.empty());
}

TEST_F(RevocationTest, ARevokedCertificateIsFoundAfterARefreshAndNotBefore) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  ASSERT_TRUE(Issue(Role::kForwarder, "geo02").ok());
  const std::string serial = CertificateOf("geo01").serial_hex();
  std::unique_ptr<RevocationFile> file = *Open();
  Revoke("geo01");
  EXPECT_FALSE(file->IsRevoked(serial));
  EXPECT_TRUE(file->Refresh().ok());
  EXPECT_TRUE(file->IsRevoked(serial));
  EXPECT_FALSE(file->IsRevoked(CertificateOf("geo02").serial_hex()));
}

TEST_F(RevocationTest, ThereIsNoStartWithoutAGoodList) {
  const std::string good = Read("ca/crl.pem");
  std::filesystem::remove(Path("ca/crl.pem"));
  EXPECT_EQ(Open().status().code(), StatusCode::kNotFound);
  for (const std::string& bad :
       {std::string(), std::string("junk"), good.substr(0, good.size() / 2), Read("ca/ca.pem")}) {
    Write("ca/crl.pem", bad);
    EXPECT_EQ(Open().status(), InvalidArgument(Path("ca/crl.pem") + ": not a PEM revocation list"));
  }
  ASSERT_TRUE(InitAuthority(Path("other"), "lab-vault", clock_).ok());
  Write("ca/crl.pem", Read("other/crl.pem"));
  EXPECT_EQ(Open().status(),
            InvalidArgument(Path("ca/crl.pem") + ": the revocation list is not signed by this CA"));
  Write("ca/crl.pem", good);
  EXPECT_TRUE(Open().ok());
}

TEST_F(RevocationTest, ABadNewFileLeavesTheLastGoodListInForce) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  Revoke("geo01");
  const std::string serial = CertificateOf("geo01").serial_hex();
  const std::string good = Read("ca/crl.pem");
  std::unique_ptr<RevocationFile> file = *Open();
  ASSERT_TRUE(InitAuthority(Path("other"), "lab-vault", clock_).ok());
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() / 2), Read("other/crl.pem")}) {
    Write("ca/crl.pem", bad);
    EXPECT_FALSE(file->Refresh().ok());
    EXPECT_FALSE(file->Refresh().ok()) << "it is still bad";
    EXPECT_TRUE(file->IsRevoked(serial));
  }
  std::filesystem::remove(Path("ca/crl.pem"));
  EXPECT_EQ(file->Refresh().code(), StatusCode::kNotFound);
  EXPECT_TRUE(file->IsRevoked(serial));
  Write("ca/crl.pem", good);
  EXPECT_TRUE(file->Refresh().ok());
}

TEST_F(RevocationTest, AnOlderListIsNotTaken) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  const std::string before = Read("ca/crl.pem");
  Revoke("geo01");
  std::unique_ptr<RevocationFile> file = *Open();
  Write("ca/crl.pem", before);
  EXPECT_EQ(file->Refresh(),
            FailedPrecondition(Path("ca/crl.pem") +
                               ": revocation list 2 is older than 3, which stays in force"));
  EXPECT_TRUE(file->IsRevoked(CertificateOf("geo01").serial_hex()));
}

TEST_F(RevocationTest, ASecondListOfTheSameNumberIsNotTaken) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  std::filesystem::copy(Ca(), Path("restored"), std::filesystem::copy_options::recursive);
  Revoke("geo01");
  std::unique_ptr<RevocationFile> file = *Open();
  clock_.Advance(kSecond);
  ASSERT_TRUE(RevokeName(Path("restored"), "geo01", clock_).ok());
  Write("ca/crl.pem", Read("restored/crl.pem"));
  EXPECT_EQ(
      file->Refresh(),
      FailedPrecondition(Path("ca/crl.pem") + ": another revocation list 3 than the one in force"));
}

TEST_F(RevocationTest, ItExpiresAfterThirtyDaysAndANewOneEndsThat) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  std::unique_ptr<RevocationFile> file = *Open();
  clock_.Advance(30 * kDay - kSecond);
  EXPECT_FALSE(file->IsExpired());
  clock_.Advance(kSecond);
  EXPECT_TRUE(file->IsExpired());
  ASSERT_TRUE(Issue(Role::kForwarder, "geo02").ok());
  ASSERT_TRUE(file->Refresh().ok());
  EXPECT_FALSE(file->IsExpired());
}

TEST_F(RevocationTest, AListThatMeansMoreThanWeKnowIsRefused) {
  Write("ca/ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=ca/db\ndefault_md=default\ncrlnumber=ca/"
        "number\ndefault_crl_days=1\n"
        "crl_extensions=e\n[e]\nissuingDistributionPoint=critical,@idp\n[idp]\nonlyuser=TRUE\n");
  Write("ca/db", "");
  Write("ca/number", "0A\n");
  const CommandResult made =
      OpenSsl("ca -config ca/ca.cnf -gencrl -keyfile ca/ca.key -cert ca/ca.pem -out idp.pem");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(RevocationList::Parse(Read("idp.pem"), Read("ca/ca.pem")).status(),
            InvalidArgument("the revocation list has a critical extension that is not known here"));
}

TEST_F(RevocationTest, AListMadeByOpenSslIsRead) {
  Write("ca/ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=ca/db\ndefault_md=default\ncrlnumber=ca/"
        "number\ndefault_crl_days=1\n");
  Write("ca/db", "R\t300101000000Z\t260101000000Z\t0A1B2C\tunknown\t/CN=x\n");
  Write("ca/number", "0100\n");
  const CommandResult made =
      OpenSsl("ca -config ca/ca.cnf -gencrl -keyfile ca/ca.key -cert ca/ca.pem -out theirs.pem");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  Result<RevocationList> list = RevocationList::Parse(Read("theirs.pem"), Read("ca/ca.pem"));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->number, 256u);
  EXPECT_THAT(list->revoked_serials, testing::ElementsAre("0a1b2c"));
}

TEST_F(RevocationTest, ManyThreadsMayAskWhileItIsRefreshed) {
  ASSERT_TRUE(Issue(Role::kForwarder, "geo01").ok());
  Revoke("geo01");
  const std::string serial = CertificateOf("geo01").serial_hex();
  std::unique_ptr<RevocationFile> file = *Open();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&file, &serial] {
      for (int j = 0; j < 200; ++j) EXPECT_TRUE(file->IsRevoked(serial));
    });
  }
  for (int i = 0; i < 5; ++i) {
    Revoke("geo01");
    EXPECT_TRUE(file->Refresh().ok());
  }
}

}  // namespace
}  // namespace logvault::pki
