// TLS for senders of logs: what the server presents, whom it believes, and what it refuses; against OpenSSL's own client.
#include "pki/tls_server.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include "pki/openssl.h"
#include "tests/pki/test_authority.h"

namespace logvault::pki {
namespace {

using ::testing::HasSubstr;

// OpenSSL's client, in memory too.
class Client {
 public:
  Client() : context_(SSL_CTX_new(TLS_client_method())) {}
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  SSL_CTX* context() { return context_; }
  void Present(const std::string& folder) {
    ASSERT_EQ(SSL_CTX_use_certificate_chain_file(context_, (folder + "/cert.pem").c_str()), 1);
    ASSERT_EQ(
        SSL_CTX_use_PrivateKey_file(context_, (folder + "/key.pem").c_str(), SSL_FILETYPE_PEM), 1);
  }
  void Trust(const std::string& ca) {
    ASSERT_EQ(SSL_CTX_load_verify_file(context_, ca.c_str()), 1);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  // Goes back and forth until both have nothing to say; the server's text, or why it refused.
  Result<std::string> Talk(TlsSession& session, const std::string& message) {
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
    std::string text;
    bool written = false;
    for (int round = 0; round < 20; ++round) {
      const int done = SSL_do_handshake(ssl_);
      if (done == 1 && !written)
        written = SSL_write(ssl_, message.data(), static_cast<int>(message.size())) > 0;
      const std::string out = Contents(SSL_get_wbio(ssl_));
      BIO_reset(SSL_get_wbio(ssl_));
      ERR_clear_error();  // both ends share this thread's queue
      Status fed = session.Feed(out, &text);
      const std::string answer = session.TakeOutput();
      BIO_write(SSL_get_rbio(ssl_), answer.data(), static_cast<int>(answer.size()));
      if (!fed.ok()) return fed;
      if (written && out.empty()) break;
    }
    return text;
  }
  // One message more, after Talk.
  Result<std::string> Say(TlsSession& session, const std::string& message) {
    SSL_write(ssl_, message.data(), static_cast<int>(message.size()));
    std::string text;
    LV_RETURN_IF_ERROR(session.Feed(Contents(SSL_get_wbio(ssl_)), &text));
    return text;
  }
  SSL* ssl() { return ssl_; }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
};

class TlsServerTest : public TestAuthority {
 protected:
  void SetUp() override {
    TestAuthority::SetUp();
    // Certificates are dated by this clock, and OpenSSL goes by the real one.
    clock_.Step(SystemClock().Now() - clock_.Now());
    ASSERT_TRUE(Issue(Role::kForwarder, "relay").ok());
    Write("crl.pem", Read("ca/crl.pem"));
    Open("relay");
  }
  void Open(const std::string& folder, const std::string& crl = "") {
    Result<std::unique_ptr<TlsServer>> server = TlsServer::Open(
        {Path(folder + "/ca.pem"), Path(folder + "/cert.pem"), Path(folder + "/key.pem"), crl},
        clock_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::unique_ptr<TlsSession> Accept() {
    Status trouble;
    Result<std::unique_ptr<TlsSession>> session = server_->Accept(&trouble);
    EXPECT_TRUE(session.ok()) << session.status();
    trouble_ = trouble.message();
    return *std::move(session);
  }
  std::unique_ptr<TlsServer> server_;
  std::string trouble_;
};

TEST_F(TlsServerTest, ASenderWithoutACertificateIsHeard) {
  Client client;
  client.Trust(Path("relay/ca.pem"));
  auto session = Accept();
  Result<std::string> text = client.Talk(*session, "5 <1>ab");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "5 <1>ab");
  EXPECT_EQ(SSL_get_verify_result(client.ssl()), X509_V_OK) << "the sender could verify this host";
  EXPECT_EQ(session->peer_name(), "");
}

TEST_F(TlsServerTest, ASendersCertificateNamesIt) {
  ASSERT_TRUE(Issue(Role::kForwarder, "web01").ok());
  Client client;
  client.Present(Path("web01"));
  auto session = Accept();
  ASSERT_TRUE(client.Talk(*session, "x").ok());
  EXPECT_EQ(session->peer_name(), "spiffe://lab-vault/forwarder/web01");
}

TEST_F(TlsServerTest, ARevokedSenderIsNotHeard) {
  ASSERT_TRUE(Issue(Role::kForwarder, "web01").ok());
  ASSERT_TRUE(Issue(Role::kForwarder, "web02").ok());
  Open("relay", Path("crl.pem"));
  const auto hear = [this](const std::string& sender) {
    Client client;
    client.Present(Path(sender));
    return client.Talk(*Accept(), "x").status().message();
  };
  EXPECT_EQ(hear("web01"), "");
  Client open;
  open.Present(Path("web01"));
  auto session = Accept();
  ASSERT_TRUE(open.Talk(*session, "x").ok());
  ASSERT_TRUE(RevokeName(Ca(), "web01", clock_).ok());
  Write("crl.pem", Read("ca/crl.pem"));
  const std::string refused = "certificate refused: spiffe://lab-vault/forwarder/web01 is revoked";
  EXPECT_EQ(hear("web01"), refused);
  EXPECT_EQ(hear("web02"), "");
  EXPECT_EQ(open.Say(*session, "y").status().message(), refused) << "also where it is connected";
}

TEST_F(TlsServerTest, AnOpenConnectionLooksAtTheListItself) {
  ASSERT_TRUE(Issue(Role::kForwarder, "web01").ok());
  Open("relay", Path("crl.pem"));
  Client client;
  client.Present(Path("web01"));
  auto session = Accept();
  ASSERT_TRUE(client.Talk(*session, "x").ok());
  ASSERT_TRUE(RevokeName(Ca(), "web01", clock_).ok());
  Write("crl.pem", Read("ca/crl.pem"));
  clock_.Advance(5 * kSecond);
  EXPECT_THAT(client.Say(*session, "y").status().message(), HasSubstr("is revoked"));
}

TEST_F(TlsServerTest, AListThatCannotBeUsedIsToldAndTheLastOneHolds) {
  ASSERT_TRUE(Issue(Role::kForwarder, "web01").ok());
  ASSERT_TRUE(RevokeName(Ca(), "web01", clock_).ok());
  Write("crl.pem", Read("ca/crl.pem"));
  Open("relay", Path("crl.pem"));
  Write("crl.pem", "no list");
  Client client;
  client.Present(Path("web01"));
  auto session = Accept();
  EXPECT_THAT(trouble_, HasSubstr("crl.pem"));
  EXPECT_THAT(client.Talk(*session, "x").status().message(), HasSubstr("is revoked"));
  EXPECT_FALSE(TlsServer::Open({Path("relay/ca.pem"), Path("relay/cert.pem"), Path("relay/key.pem"),
                                Path("crl.pem")},
                               clock_)
                   .ok())
      << "there is no start without a list";
}

TEST_F(TlsServerTest, ACertificateOfAnotherAuthorityIsRefused) {
  ASSERT_EQ(OpenSsl("req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=stranger -keyout key.pem "
                    "-out cert.pem")
                .exit_code,
            0);
  Client client;
  client.Present(Path("").substr(0, Path("").size() - 1));
  auto session = Accept();
  EXPECT_THAT(client.Talk(*session, "x").status().message(),
              HasSubstr("certificate refused: self"));
}

TEST_F(TlsServerTest, Tls12IsSpokenAndNothingOlder) {
  Client old;
  SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  EXPECT_TRUE(old.Talk(*Accept(), "x").ok());
  Client ancient;
  SSL_CTX_set_min_proto_version(ancient.context(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(ancient.context(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(ancient.context(), 0);
  Result<std::string> refused = ancient.Talk(*Accept(), "x");
  EXPECT_TRUE(!refused.ok() || refused->empty());
}

TEST_F(TlsServerTest, PlaintextIsRefusedByThatName) {
  std::string text;
  EXPECT_THAT(Accept()->Feed("<13>Jul 11 13:14:15 web1 app: x\n", &text).message(),
              HasSubstr("plaintext where TLS is expected"));
  EXPECT_THAT(Accept()->Feed("31 <13>1 - - - - - -\n", &text).message(), HasSubstr("plaintext"));
  EXPECT_EQ(text, "");
}

TEST_F(TlsServerTest, AChangedCertificateIsPresentedAndABrokenOneIsNot) {
  const auto presented = [this] {
    Client client;
    EXPECT_TRUE(client.Talk(*Accept(), "x").ok());
    return SerialHex(X509_get0_serialNumber(SSL_get0_peer_certificate(client.ssl())));
  };
  ASSERT_TRUE(Issue(Role::kForwarder, "other").ok());
  EXPECT_EQ(presented(), CertificateOf("relay").serial_hex());
  Write("relay/cert.pem", Read("other/cert.pem"));
  Write("relay/key.pem", Read("other/key.pem"));
  EXPECT_EQ(presented(), CertificateOf("other").serial_hex());
  Write("relay/cert.pem", "no certificate, and longer");
  EXPECT_EQ(presented(), CertificateOf("other").serial_hex()) << "the last good one";
  EXPECT_THAT(trouble_, HasSubstr("cert.pem"));
}

}  // namespace
}  // namespace logvault::pki
