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

#include "bench/light_forwarder.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "net/transport.h"

namespace logvault::bench {
namespace {

using Steady = std::chrono::steady_clock;

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
    auto forwarder =
        LightForwarder::Open(collector_, folder_ + "/" + HostName(first_ + host), "plain");
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
      if (Status status = Append(**forwarder, 1, 2'000); !status.ok()) {
        Fail(status);
        continue;
      }
      const std::chrono::duration<double> took = Steady::now() - began;
      MutexLock lock(mutex_);
      seconds_.push_back(took.count());
    }
  }

  // A request of `batches` of some `bytes` that do not compress.
  static Status Append(LightForwarder& forwarder, std::size_t batches, std::size_t bytes) {
    const LightForwarder::Fill fill = [bytes](evidence::PayloadBuilder& builder) {
      constexpr std::size_t kLine = 200;
      for (std::size_t done = 0; done < bytes; done += kLine) {
        const std::string line = ToHex(evidence::RandomBytes(kLine / 2)) + "\n";
        evidence::RecordView record;
        record.read_time = SystemClock().Now();
        record.bytes = line;
        builder.Add(record);
      }
      return std::vector<evidence::PositionEntry>();
    };
    return forwarder.Append(std::vector<LightForwarder::Fill>(batches, fill));
  }

  // As much as it can, without regard to what it is told.
  void Flood(LightForwarder& forwarder, Steady::time_point end) {
    while (Steady::now() < end) {
      if (Append(forwarder, 8, 480'000).ok()) {
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
