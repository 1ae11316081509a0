// Who gets in: real handshakes over 127.0.0.1 against a listener as the collector makes it.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "config/small_file.h"
#include "net/call_gate.h"
#include "net/ingest_client.h"
#include "net/listener.h"
#include "net/query_client.h"
#include "net/server_credentials.h"
#include "net/status_map.h"
#include "pki/revocation.h"
#include "proto/logvault.grpc.pb.h"
#include "tests/net/pki_lab.h"

namespace logvault::net {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kHour = 3600 * kNanosPerSecond;

// Admits, counts, and answers nothing of interest.
class CountingIngest final : public v1::Ingest::CallbackService {
 public:
  explicit CountingIngest(const CallGate& gate) : gate_(gate) {}

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* /*request*/,
                                   v1::AppendResponse* /*response*/) override {
    ++calls;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(gate_.Admit(*context->auth_context()).status()));
    return reactor;
  }

  std::atomic<int> calls{0};

 private:
  const CallGate& gate_;
};

class CountingQuery final : public v1::Query::CallbackService {
 public:
  explicit CountingQuery(const CallGate& gate) : gate_(gate) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* /*request*/,
                                   v1::StatusResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(gate_.Admit(*context->auth_context()).status()));
    return reactor;
  }
  // As a server that stops ends a call.
  grpc::ServerUnaryReactor* Hosts(grpc::CallbackServerContext* context,
                                  const v1::HostsRequest* /*request*/,
                                  v1::HostsResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::CANCELLED);
    return reactor;
  }

 private:
  const CallGate& gate_;
};

class HandshakeTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<pki::RevocationFile>> revocation =
        pki::RevocationFile::Open(lab.crl_pem(), lab.ca_pem(), clock);
    ASSERT_TRUE(revocation.ok()) << revocation.status();
    revocation_ = *std::move(revocation);
    ingest_gate_ = std::make_unique<CallGate>(
        GateOptions{"ingest", lab.vault_name(), {pki::Role::kForwarder}, WhenCrlExpired::kGoOn},
        *revocation_, clock);
    query_gate_ =
        std::make_unique<CallGate>(GateOptions{"query",
                                               lab.vault_name(),
                                               {pki::Role::kInvestigator, pki::Role::kAdmin},
                                               WhenCrlExpired::kRefuse},
                                   *revocation_, clock);
    ingest = std::make_unique<CountingIngest>(*ingest_gate_);
    query_ = std::make_unique<CountingQuery>(*query_gate_);
    const std::string collector = lab.Issue(pki::Role::kCollector, "vault1");
    ingest_listener_ = Listen(collector, *ingest, *ingest_gate_);
    query_listener_ = Listen(collector, *query_, *query_gate_);
  }

  std::unique_ptr<Listener> Listen(const std::string& issued, grpc::Service& service,
                                   const CallGate& gate) {
    Result<OwnCertificate> own =
        OwnCertificate::Load(lab.ca_pem(), issued + "/cert.pem", issued + "/key.pem");
    EXPECT_TRUE(own.ok()) << own.status();
    presented_.push_back(*PresentedCertificate::Make(*own));
    const auto credentials = MakeServerCredentials(*presented_.back(), own->ca_pem, clock,
                                                   [this](const std::string& reason) {
                                                     MutexLock lock(mutex_);
                                                     refused_ += reason + "\n";
                                                   });
    ListenerOptions options;
    options.name = "ingest";
    options.address = "127.0.0.1:0";
    Result<std::unique_ptr<Listener>> listener =
        Listener::Start(options, credentials, service, gate);
    EXPECT_TRUE(listener.ok()) << listener.status();
    return *std::move(listener);
  }

  Status Append(const IngestClientOptions& options) {
    Result<std::unique_ptr<IngestClient>> client = ConnectIngest(options);
    if (!client.ok()) return client.status();
    return (*client)->Append({}).status();
  }
  Status AppendWith(const std::string& issued) {
    return Append(lab.IngestOptions(ingest_listener_->address(), issued));
  }
  Status AskStatusWith(const std::string& issued) {
    Result<std::unique_ptr<QueryClient>> client =
        ConnectQuery(lab.QueryOptions(query_listener_->address(), issued));
    if (!client.ok()) return client.status();
    return (*client)->Status({}).status();
  }
  grpc::Status AppendRaw(const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                         const v1::AppendRequest& request = {},
                         grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    auto stub = v1::Ingest::NewStub(grpc::CreateChannel(ingest_listener_->address(), credentials));
    grpc::ClientContext context;
    context.set_compression_algorithm(compression);
    v1::AppendResponse response;
    return stub->Append(&context, request, &response);
  }
  // gRPC's own credentials, without ours: what somebody else's client would do.
  std::shared_ptr<grpc::ChannelCredentials> RawCredentials(const std::string& issued,
                                                           bool with_certificate) {
    namespace tls = grpc::experimental;
    std::vector<tls::IdentityKeyCertPair> pairs;
    if (with_certificate) {
      pairs.push_back({*config::ReadSmallFile(issued + "/key.pem"),
                       *config::ReadSmallFile(issued + "/cert.pem")});
    }
    tls::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
        *config::ReadSmallFile(lab.ca_pem()), pairs));
    options.watch_root_certs();
    if (with_certificate) options.watch_identity_key_cert_pairs();
    options.set_check_call_host(false);
    options.set_certificate_verifier(std::make_shared<tls::NoOpCertificateVerifier>());
    return tls::TlsCredentials(options);
  }

  // What `openssl s_client` says, with our certificate and the given version.
  std::string OpensslClient(const std::string& issued, const std::string& version) {
    const std::string command = "openssl s_client -connect " + ingest_listener_->address() + " " +
                                version + " -alpn h2 -CAfile " + lab.ca_pem() + " -cert " + issued +
                                "/cert.pem -key " + issued + "/key.pem </dev/null 2>&1";
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
      output.append(buffer.data(), got);
    pclose(pipe);
    return output;
  }

  std::string refused() {
    MutexLock lock(mutex_);
    return refused_;
  }

  const SystemClock clock;
  PkiLab lab;
  Mutex mutex_;
  std::string refused_;
  std::unique_ptr<pki::RevocationFile> revocation_;
  std::unique_ptr<CallGate> ingest_gate_, query_gate_;
  std::unique_ptr<CountingIngest> ingest;
  std::unique_ptr<CountingQuery> query_;
  std::vector<std::unique_ptr<PresentedCertificate>> presented_;  // before the listeners
  std::unique_ptr<Listener> ingest_listener_, query_listener_;
};

TEST_F(HandshakeTest, ACallThatTheServerCancelsIsALostConnectionAndNoInterruption) {
  Result<std::unique_ptr<QueryClient>> client = ConnectQuery(
      lab.QueryOptions(query_listener_->address(), lab.Issue(pki::Role::kInvestigator, "ann")));
  ASSERT_TRUE(client.ok()) << client.status();
  const Status ended = (*client)->Hosts({}).status();
  EXPECT_EQ(ended.code(), StatusCode::kUnavailable) << ended;
  EXPECT_THAT(ended.message(), HasSubstr("was lost"));
  (*client)->Cancel();
  EXPECT_EQ((*client)->Hosts({}).status().code(), StatusCode::kCancelled);
}

TEST_F(HandshakeTest, EachRoleIsAdmittedWhereItBelongs) {
  EXPECT_EQ(AppendWith(lab.Issue(pki::Role::kForwarder, "geo01")), Status::Ok());
  EXPECT_EQ(AskStatusWith(lab.Issue(pki::Role::kInvestigator, "ann")), Status::Ok());
  EXPECT_EQ(AskStatusWith(lab.Issue(pki::Role::kAdmin, "root")), Status::Ok());
}

TEST_F(HandshakeTest, AnInvestigatorMayNotCallIngest) {
  const Status status = AppendWith(lab.Issue(pki::Role::kInvestigator, "ann"));
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("spiffe://lab-vault/investigator/ann"));
}

// There is nothing to read on the ingest listener, and whoever asks is told why.
TEST_F(HandshakeTest, NobodyMayQueryTheIngestListener) {
  const auto ask = [&](const std::string& issued) {
    return (*ConnectQuery(lab.QueryOptions(ingest_listener_->address(), issued)))
        ->Status({})
        .status();
  };
  const Status investigator = ask(lab.Issue(pki::Role::kInvestigator, "ann"));
  EXPECT_EQ(investigator.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(investigator.message(), HasSubstr("is for forwarder certificates"));
  const Status forwarder = ask(lab.Issue(pki::Role::kForwarder, "geo01"));
  EXPECT_EQ(forwarder.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(forwarder.message(), HasSubstr("does not offer"));
}

TEST_F(HandshakeTest, AForwarderMayNotQuery) {
  const Status status = AskStatusWith(lab.Issue(pki::Role::kForwarder, "geo01"));
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("for investigator or admin certificates"));
}

TEST_F(HandshakeTest, AnExpiredCertificateIsRefusedAndBothSidesSayWhy) {
  const Status status = AppendWith(lab.Issue(pki::Role::kForwarder, "geo01", kHour, 2 * kHour));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("has expired"));
  EXPECT_THAT(refused(), HasSubstr("expired"));
  EXPECT_THAT(refused(), HasSubstr("spiffe://lab-vault/forwarder/geo01"));
  EXPECT_EQ(ingest->calls, 0);
}

TEST_F(HandshakeTest, ACertificateThatExpiresLaterIsRefusedAtTheNextCall) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01", kHour);
  const FakeClock later(clock.Now() + 2 * kHour);
  const CallGate gate({"ingest", lab.vault_name(), {pki::Role::kForwarder}, WhenCrlExpired::kGoOn},
                      *revocation_, later);
  Result<pki::Certificate> certificate =
      pki::Certificate::FromPem(*config::ReadSmallFile(issued + "/cert.pem"));
  ASSERT_TRUE(certificate.ok());
  EXPECT_EQ(gate.Check({*certificate->identity(), *certificate}).code(),
            StatusCode::kPermissionDenied);
}

TEST_F(HandshakeTest, ACertificateOfAnotherCaIsRefused) {
  PkiLab other(lab.vault_name());
  const std::string theirs = other.Issue(pki::Role::kForwarder, "geo01");
  IngestClientOptions options = lab.IngestOptions(ingest_listener_->address(), theirs);
  options.ca_file = lab.ca_pem();
  const Status status = Append(options);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("certificate"));
  EXPECT_NE(refused(), "");
  EXPECT_EQ(ingest->calls, 0);
}

TEST_F(HandshakeTest, ARevokedCertificateIsDeniedOnceTheListIsRead) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  ASSERT_EQ(AppendWith(issued), Status::Ok());
  lab.Revoke("geo01");
  ASSERT_EQ(revocation_->Refresh(), Status::Ok());
  const Status status = AppendWith(issued);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("revoked"));
}

// gRPC's own CRL check lets everybody in when the file is garbage or gone.
TEST_F(HandshakeTest, AListThatBecomesGarbageOrGoesAwayRevokesNothingLess) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  lab.Revoke("geo01");
  ASSERT_EQ(revocation_->Refresh(), Status::Ok());
  std::ofstream(lab.crl_pem(), std::ios::trunc) << "garbage\n";
  EXPECT_FALSE(revocation_->Refresh().ok());
  EXPECT_EQ(AppendWith(issued).code(), StatusCode::kPermissionDenied);
  std::filesystem::remove(lab.crl_pem());
  EXPECT_FALSE(revocation_->Refresh().ok());
  EXPECT_EQ(AppendWith(issued).code(), StatusCode::kPermissionDenied);
}

TEST_F(HandshakeTest, AnExpiredListStopsQueriesButNotIngest) {
  FakeClock later(clock.Now());
  Result<std::unique_ptr<pki::RevocationFile>> list =
      pki::RevocationFile::Open(lab.crl_pem(), lab.ca_pem(), later);
  ASSERT_TRUE(list.ok());
  const auto check = [&](pki::Role role, WhenCrlExpired when, const std::string& issued) {
    const CallGate gate({"test", lab.vault_name(), {role}, when}, **list, clock);
    Result<pki::Certificate> certificate =
        pki::Certificate::FromPem(*config::ReadSmallFile(issued + "/cert.pem"));
    return gate.Check({*certificate->identity(), *certificate}).code();
  };
  const std::string forwarder = lab.Issue(pki::Role::kForwarder, "geo01");
  const std::string investigator = lab.Issue(pki::Role::kInvestigator, "ann");
  EXPECT_EQ(check(pki::Role::kInvestigator, WhenCrlExpired::kRefuse, investigator),
            StatusCode::kOk);
  later.Advance(100 * 365 * 24 * kHour);
  EXPECT_EQ(check(pki::Role::kForwarder, WhenCrlExpired::kGoOn, forwarder), StatusCode::kOk);
  EXPECT_EQ(check(pki::Role::kInvestigator, WhenCrlExpired::kRefuse, investigator),
            StatusCode::kPermissionDenied);
}

// One forgotten option of gRPC, and this client is served.
TEST_F(HandshakeTest, AClientWithoutACertificateGetsNothing) {
  const grpc::Status status = AppendRaw(RawCredentials("", /*with_certificate=*/false));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ingest->calls, 0);
}

TEST_F(HandshakeTest, PlaintextGetsNothing) {
  const grpc::Status status = AppendRaw(grpc::InsecureChannelCredentials());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ingest->calls, 0);
}

TEST_F(HandshakeTest, OnlyTls13IsSpoken) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  EXPECT_THAT(OpensslClient(issued, "-tls1_3"),
              HasSubstr("New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"));
  EXPECT_THAT(OpensslClient(issued, "-tls1_2"), HasSubstr("Cipher is (NONE)"));
}

TEST_F(HandshakeTest, ANeighboursCertificateDoesNotMakeAServerTheCollector) {
  CountingIngest impostor(*ingest_gate_);
  const std::string neighbour = lab.Issue(pki::Role::kForwarder, "web01");
  const std::unique_ptr<Listener> listener = Listen(neighbour, impostor, *ingest_gate_);
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  const Status status = Append(lab.IngestOptions(listener->address(), issued));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("is not a collector of vault lab-vault"));
  EXPECT_EQ(impostor.calls, 0);
}

TEST_F(HandshakeTest, NobodyListeningIsTold) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  const Status status = Append(lab.IngestOptions("127.0.0.1:1", issued));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("cannot connect to 127.0.0.1:1"));
}

TEST_F(HandshakeTest, AnOwnFileThatIsMissingIsNamed) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  std::filesystem::remove(issued + "/key.pem");
  const Status status = AppendWith(issued);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("key.pem"));
}

TEST_F(HandshakeTest, AKeyOfAnotherCertificateIsNamed) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  const std::string other = lab.Issue(pki::Role::kForwarder, "web01");
  std::filesystem::copy_file(other + "/key.pem", issued + "/key.pem",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(AppendWith(issued).message(), HasSubstr("is not the private key of"));
}

// gRPC unpacks a compressed message before it looks at its size, so none is unpacked: not even a small one.
TEST_F(HandshakeTest, ACompressedMessageIsNotUnpacked) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  v1::AppendRequest request;
  request.set_session(std::string(1u << 20, '\0'));
  ASSERT_TRUE(AppendRaw(RawCredentials(issued, true), request).ok());
  const grpc::Status status = AppendRaw(RawCredentials(issued, true), request, GRPC_COMPRESS_GZIP);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(ingest->calls, 1);
}

TEST_F(HandshakeTest, AMessageOverTheReceiveLimitIsRefused) {
  const std::string issued = lab.Issue(pki::Role::kForwarder, "geo01");
  v1::AppendRequest request;
  request.set_session(std::string(kServerReceiveMax + 1, 'x'));
  const grpc::Status status = AppendRaw(RawCredentials(issued, true), request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ingest->calls, 0);
}

TEST_F(HandshakeTest, TwoListenersCannotShareAnAddress) {
  const std::string issued = lab.Issue(pki::Role::kCollector, "vault2");
  Result<OwnCertificate> own =
      OwnCertificate::Load(lab.ca_pem(), issued + "/cert.pem", issued + "/key.pem");
  ASSERT_TRUE(own.ok());
  CountingIngest second(*ingest_gate_);
  ListenerOptions options;
  options.address = ingest_listener_->address();
  const Result<std::unique_ptr<Listener>> listener = Listener::Start(
      options, MakeServerCredentials(*presented_.front(), own->ca_pem, clock, nullptr), second,
      *ingest_gate_);
  EXPECT_EQ(listener.status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace logvault::net
