// Light forwarders for bench/fairness: many hosts in one process, each with its own certificate, session and epoch, that
// append a small batch a second and measure how long its proven receipt takes, or that flood.
//
//   bench_fairness_load COLLECTOR CREDENTIALS_DIR FIRST HOSTS SECONDS steady|flood
//
// CREDENTIALS_DIR/host0000 … hold what `logvault pki issue` made; HOSTS of them from number FIRST on are used.  Prints a line once
// all have their sessions, and one of JSON at the end.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "evidence/hash.h"
#include "forwarder/epoch.h"
#include "forwarder/identity.h"
#include "net/ingest_client.h"
#include "net/transport.h"

namespace logvault::bench {
namespace {

using Steady = std::chrono::steady_clock;

std::string HostName(int number) {
  std::string digits = std::to_string(number);
  return "host" + std::string(4 - std::min<std::size_t>(digits.size(), 4), '0') + digits;
}

class LightForwarder {
 public:
  static Result<std::unique_ptr<LightForwarder>> Open(const std::string& collector,
                                                      const std::string& folder) {
    config::ForwarderConfig config;
    config.tls = {folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem", ""};
    config.vault_key = folder + "/vault.pub";
    Result<forwarder::LoadedIdentity> identity = forwarder::LoadIdentity(config);
    if (!identity.ok()) return identity.status();
    net::IngestClientOptions options;
    options.address = collector;
    options.ca_file = config.tls.ca;
    options.cert_file = config.tls.cert;
    options.key_file = config.tls.key;
    options.vault_name = identity->vault.vault_name();
    Result<std::unique_ptr<net::IngestClient>> client = net::ConnectIngest(options);
    if (!client.ok()) return client.status();
    std::unique_ptr<LightForwarder> self(new LightForwarder(*std::move(client)));
    LV_RETURN_IF_ERROR(self->Register(*identity));
    return self;
  }

  // `batches` of some `bytes` each in one request.
  Status Append(int batches, std::size_t bytes) {
    v1::AppendRequest request;
    request.set_session(session_);
    forwarder::StreamHead head = head_;
    for (int i = 0; i < batches; ++i) {
      forwarder::SpooledBatch batch = Next(bytes);
      v1::Batch& out = *request.add_items()->mutable_batch();
      out.set_header(batch.item.header);
      out.set_payload(std::move(batch.item.payload));
    }
    Result<v1::AppendResponse> response = client_->Append(request);
    if (!response.ok()) head_ = head;  // the same numbers again
    if (!response.ok()) return response.status();
    for (const v1::ItemReceipt& receipt : response->receipts()) {
      if (receipt.outcome() != v1::ItemReceipt::COMMITTED)
        return Internal("refused: " + receipt.reason());
    }
    return Status::Ok();
  }

 private:
  explicit LightForwarder(std::unique_ptr<net::IngestClient> client) : client_(std::move(client)) {}

  Status Register(const forwarder::LoadedIdentity& identity) {
    v1::OpenRequest open;
    v1::StreamDescriptor& stream = *open.add_streams();
    stream.set_source("load");
    stream.set_format("plain");
    stream.set_descriptor_json("{}");
    Result<v1::SessionOpened> opened = client_->Open(open);
    if (!opened.ok()) return opened.status();
    session_ = opened->session();
    Result<std::unique_ptr<forwarder::Epoch>> epoch =
        forwarder::Epoch::Start(identity.host, opened->newest_epoch(), clock_);
    if (!epoch.ok()) return epoch.status();
    epoch_ = *std::move(epoch);
    for (const v1::StreamState& state : opened->streams()) {
      head_.next_seq = state.last_seq() + 1;
      if (state.last_seq() == 0) continue;
      Result<evidence::Hash> hash = evidence::Hash::FromBytes(state.head_hash());
      if (!hash.ok()) return hash.status();
      head_.head_hash = *hash;
    }
    v1::AppendRequest request;
    request.set_session(session_);
    v1::Registration& registration = *request.add_items()->mutable_registration();
    registration.set_body(epoch_->registration().header);
    registration.set_box(epoch_->registration().payload);
    return client_->Append(request).status();
  }

  forwarder::SpooledBatch Next(std::size_t bytes) {
    evidence::PayloadBuilder builder;
    constexpr std::size_t kLine = 200;
    for (std::size_t done = 0; done < bytes; done += kLine) {
      const std::string line = ToHex(evidence::RandomBytes(kLine / 2)) + "\n";
      evidence::RecordView record;
      record.read_time = clock_.Now();
      record.bytes = line;
      builder.Add(record);
    }
    forwarder::SpooledBatch batch = epoch_->Seal("load", head_, {}, builder, {});
    head_.next_seq = batch.item.last_seq + 1;
    head_.head_hash = batch.head_hash;
    epoch_->Advance();
    return batch;
  }

  const SystemClock clock_;
  const std::unique_ptr<net::IngestClient> client_;
  std::string session_;
  std::unique_ptr<forwarder::Epoch> epoch_;
  forwarder::StreamHead head_;
};

class Load {
 public:
  Load(std::string collector, std::string folder, int first, int hosts, int seconds, bool flood)
      : collector_(std::move(collector)),
        folder_(std::move(folder)),
        first_(first),
        hosts_(hosts),
        flood_(flood),
        connected_(hosts + 1),
        length_(std::chrono::seconds(seconds)) {}

  int Run() {
    std::vector<std::jthread> threads;
    for (int host = 0; host < hosts_; ++host) threads.emplace_back([this, host] { Live(host); });
    connected_.arrive_and_wait();
    std::puts("connected");
    std::fflush(stdout);
    threads.clear();
    Print();
    return failures_ == 0 ? 0 : 1;
  }

 private:
  void Live(int host) {
    auto forwarder = LightForwarder::Open(collector_, folder_ + "/" + HostName(first_ + host));
    if (!forwarder.ok()) Fail(forwarder.status());
    connected_.arrive_and_wait();
    if (!forwarder.ok()) return;
    const Steady::time_point end = Steady::now() + length_;
    if (flood_) return Flood(**forwarder, end);
    // Spread over the second.
    Steady::time_point next = Steady::now() + std::chrono::milliseconds(host * 1000 / hosts_);
    for (; next < end; next += std::chrono::seconds(1)) {
      std::this_thread::sleep_until(next);
      const Steady::time_point began = Steady::now();
      if (Status status = (*forwarder)->Append(1, 2'000); !status.ok()) {
        Fail(status);
        continue;
      }
      const std::chrono::duration<double> took = Steady::now() - began;
      MutexLock lock(mutex_);
      seconds_.push_back(took.count());
    }
  }

  // As much as it can, without regard to what it is told.
  void Flood(LightForwarder& forwarder, Steady::time_point end) {
    while (Steady::now() < end) {
      if (forwarder.Append(8, 480'000).ok()) {
        ++flooded_;
      } else {
        ++flood_refused_;
      }
    }
  }

  void Fail(const Status& status) {
    if (failures_++ < 3) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  }

  void Print() {
    MutexLock lock(mutex_);
    std::sort(seconds_.begin(), seconds_.end());
    const auto at = [&](double part) LV_REQUIRES(mutex_) {
      return seconds_.empty() ? 0.0
                              : seconds_[static_cast<std::size_t>(
                                    part * static_cast<double>(seconds_.size() - 1))];
    };
    std::printf(
        "{\"appends\": %zu, \"p50_s\": %.4f, \"p99_s\": %.4f, \"max_s\": %.4f, \"failures\": %d, "
        "\"flood_requests\": %d, \"flood_refused\": %d}\n",
        seconds_.size(), at(0.5), at(0.99), at(1), failures_.load(), flooded_.load(),
        flood_refused_.load());
  }

  const std::string collector_, folder_;
  const int first_, hosts_;
  const bool flood_;
  std::latch connected_;
  const Steady::duration length_;
  std::atomic<int> failures_ = 0, flooded_ = 0, flood_refused_ = 0;
  Mutex mutex_;
  std::vector<double> seconds_ LV_GUARDED_BY(mutex_);
};

}  // namespace
}  // namespace logvault::bench

int main(int argc, char** argv) {
  const std::string mode = argc == 7 ? argv[6] : "";
  if (mode != "steady" && mode != "flood") {
    std::fputs(
        "usage: bench_fairness_load COLLECTOR CREDENTIALS_DIR FIRST HOSTS SECONDS steady|flood\n",
        stderr);
    return 2;
  }
  logvault::net::StartTransport(nullptr);
  return logvault::bench::Load(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]),
                               std::atoi(argv[5]), mode == "flood")
      .Run();
}
