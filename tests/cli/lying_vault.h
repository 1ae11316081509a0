// A collector between the tool and the real one, with a certificate of the same authority, that answers what the real
// one answers but for what a test makes of it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "net/call_gate.h"
#include "net/listener.h"
#include "net/own_certificate.h"
#include "net/presented_certificate.h"
#include "net/server_credentials.h"
#include "net/status_map.h"
#include "pki/revocation.h"
#include "proto/logvault.grpc.pb.h"
#include "tests/server/server_lab.h"

namespace logvault::cli {

// What a test does to answers; each is called for every message that passes.  False: it is left out.
struct Lies {
  std::function<bool(v1::SearchEvent&)> search = [](v1::SearchEvent&) { return true; };
  std::function<bool(v1::BlocksEvent&)> blocks = [](v1::BlocksEvent&) { return true; };
  std::function<bool(v1::AuditEvent&)> audit = [](v1::AuditEvent&) { return true; };
  std::function<bool(v1::GoverningEvent&)> governing = [](v1::GoverningEvent&) { return true; };
  std::function<bool(v1::AlertsEvent&)> alerts = [](v1::AlertsEvent&) { return true; };
  std::function<void(v1::HostsResponse&)> hosts = [](v1::HostsResponse&) {};
  std::function<void(v1::ShowResponse&)> show = [](v1::ShowResponse&) {};
};

class LyingVault final : public v1::Query::Service {
 private:
  template <typename Response, typename Lie>
  static grpc::Status Pass(Result<Response> truth, Response& response, const Lie& lie) {
    if (!truth.ok()) return net::ToGrpc(truth.status());
    response = *std::move(truth);
    lie(response);
    return grpc::Status::OK;
  }
  template <typename Event>
  static auto Passing(grpc::ServerWriter<Event>& writer, const std::function<bool(Event&)>& lie) {
    return [&writer, &lie](const Event& event) {
      Event told = event;
      return lie(told) ? writer.Write(told) : true;
    };
  }

 public:
  // Asks the lab's collector with the credentials in `caller`, which the tool must use too.
  LyingVault(server::ServerLab& lab, const std::string& caller)
      : truth_(*net::ConnectQuery(lab.pki.QueryOptions(lab.collector->query_address(), caller))),
        own_(
            *net::OwnCertificate::Load(lab.config.tls.ca, lab.config.tls.cert, lab.config.tls.key)),
        revocation_(*pki::RevocationFile::Open(lab.config.tls.crl, lab.config.tls.ca, clock_)),
        gate_({"query", lab.config.vault_name, {pki::Role::kInvestigator}}, *revocation_, clock_) {
    net::ListenerOptions options;
    options.name = "query";
    options.address = "127.0.0.1:0";
    Result<std::unique_ptr<net::Listener>> started = net::Listener::Start(
        options,
        net::MakeServerCredentials(*presented_, own_.ca_pem, clock_, [](const std::string&) {}),
        *this, gate_);
    EXPECT_TRUE(started.ok()) << started.status();
    listener_ = *std::move(started);
  }

  [[nodiscard]] const std::string& address() const { return listener_->address(); }

  grpc::Status Status(grpc::ServerContext*, const v1::StatusRequest* request,
                      v1::StatusResponse* response) override {
    return Pass(truth_->Status(*request), *response, [](v1::StatusResponse&) {});
  }
  grpc::Status Hosts(grpc::ServerContext*, const v1::HostsRequest* request,
                     v1::HostsResponse* response) override {
    return Pass(truth_->Hosts(*request), *response, lies.hosts);
  }
  grpc::Status Show(grpc::ServerContext*, const v1::ShowRequest* request,
                    v1::ShowResponse* response) override {
    return Pass(truth_->Show(*request), *response, lies.show);
  }
  grpc::Status Search(grpc::ServerContext*, const v1::SearchRequest* request,
                      grpc::ServerWriter<v1::SearchEvent>* writer) override {
    return net::ToGrpc(truth_->Search(*request, Passing(*writer, lies.search)));
  }
  grpc::Status Blocks(grpc::ServerContext*, const v1::BlocksRequest* request,
                      grpc::ServerWriter<v1::BlocksEvent>* writer) override {
    return net::ToGrpc(truth_->Blocks(*request, Passing(*writer, lies.blocks)));
  }
  grpc::Status Audit(grpc::ServerContext*, const v1::AuditRequest* request,
                     grpc::ServerWriter<v1::AuditEvent>* writer) override {
    return net::ToGrpc(truth_->Audit(*request, Passing(*writer, lies.audit)));
  }

  grpc::Status Governing(grpc::ServerContext*, const v1::GoverningRequest* request,
                         grpc::ServerWriter<v1::GoverningEvent>* writer) override {
    return net::ToGrpc(truth_->Governing(*request, Passing(*writer, lies.governing)));
  }
  grpc::Status Alerts(grpc::ServerContext*, const v1::AlertsRequest* request,
                      grpc::ServerWriter<v1::AlertsEvent>* writer) override {
    return net::ToGrpc(truth_->Alerts(*request, Passing(*writer, lies.alerts)));
  }
  grpc::Status Direct(grpc::ServerContext*, const v1::DirectRequest* request,
                      v1::DirectResponse* response) override {
    return Pass(truth_->Direct(*request), *response, [](v1::DirectResponse&) {});
  }

  Lies lies;

 private:
  const SystemClock clock_;
  const std::unique_ptr<net::QueryClient> truth_;
  const net::OwnCertificate own_;
  const std::unique_ptr<net::PresentedCertificate> presented_ =
      *net::PresentedCertificate::Make(own_);
  const std::unique_ptr<pki::RevocationFile> revocation_;
  const net::CallGate gate_;
  std::unique_ptr<net::Listener> listener_;  // last: its calls use what stands above
};

}  // namespace logvault::cli
