#include "server/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace logvault::server {
namespace {

prometheus::MetricFamily Family(prometheus::MetricType type, const char* name, const char* help,
                                std::uint64_t value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) metric.counter.value = static_cast<double>(value);
  if (type == prometheus::MetricType::Gauge) metric.gauge.value = static_cast<double>(value);
  family.metric.push_back(std::move(metric));
  return family;
}

// Reads the counters when somebody asks, so that nothing is counted twice.
class CollectorMetrics final : public prometheus::Collectable {
 public:
  explicit CollectorMetrics(const MetricsEndpoint::Sources& sources) : sources_(sources) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    constexpr auto kCounter = prometheus::MetricType::Counter;
    constexpr auto kGauge = prometheus::MetricType::Gauge;
    const Counters& c = sources_.counters;
    std::vector<prometheus::MetricFamily> families = {
        Family(kCounter, "logvault_records_total", "Records committed", c.records),
        Family(kCounter, "logvault_payload_bytes_total", "Payload bytes committed",
               c.payload_bytes),
        Family(kCounter, "logvault_batches_total", "Batches committed", c.batches),
        Family(kCounter, "logvault_repeated_total", "Batches that were there already", c.repeated),
        Family(kCounter, "logvault_conflicts_total", "Batches under numbers already taken",
               c.conflicts),
        Family(kCounter, "logvault_refused_items_total", "Items refused for their content",
               c.refused_items),
        Family(kCounter, "logvault_refused_calls_total", "Calls not permitted", c.refused_calls),
        Family(kCounter, "logvault_refused_handshakes_total",
               "Certificates refused in the handshake", c.refused_handshakes),
        Family(kCounter, "logvault_queries_total", "Query calls admitted", c.queries),
        Family(kCounter, "logvault_deleted_payloads_total",
               "Payloads deleted under the retention policy", c.deleted_payloads),
        Family(kCounter, "logvault_indexed_segments_total",
               "Segments of the index built, and built anew", c.indexed_segments),
        Family(kCounter, "logvault_limited_calls_total",
               "Query calls refused because their certificate made too many", c.limited_calls),
        Family(kGauge, "logvault_sessions", "Open sessions", sources_.sessions.size()),
        Family(kGauge, "logvault_queue_bytes", "Bytes waiting to be committed",
               sources_.committer.queued_bytes()),
        Family(kGauge, "logvault_flush_interval_milliseconds",
               "How long hosts are asked to gather records", c.flush_interval_ms),
        Family(kGauge, "logvault_blocks", "Blocks in the vault", sources_.vault.head().size),
        Family(kGauge, "logvault_certificate_not_after_timestamp_seconds",
               "When the collector's certificate ends", Seconds(c.certificate_not_after)),
        Family(kGauge, "logvault_crl_next_update_timestamp_seconds",
               "When the revocation list must be replaced", Seconds(c.crl_next_update)),
    };
    AddHosts(families);
    return families;
  }

 private:
  static std::uint64_t Seconds(UnixNanos instant) {
    return static_cast<std::uint64_t>(instant / kNanosPerSecond);
  }

  void AddHosts(std::vector<prometheus::MetricFamily>& families) const {
    const std::map<std::string, HostFigures::Row> rows = sources_.hosts.All();
    const auto add = [&](prometheus::MetricType type, const char* name, const char* help,
                         auto value) {
      prometheus::MetricFamily family;
      family.name = name;
      family.help = help;
      family.type = type;
      for (const auto& [host, row] : rows) {
        prometheus::ClientMetric metric;
        metric.label.push_back({"host", host});
        metric.counter.value = metric.gauge.value = static_cast<double>(value(row));
        family.metric.push_back(std::move(metric));
      }
      families.push_back(std::move(family));
    };
    using Row = HostFigures::Row;
    constexpr auto kCounter = prometheus::MetricType::Counter;
    add(kCounter, "logvault_host_records_total", "Records committed",
        [](const Row& row) { return row.records; });
    add(kCounter, "logvault_host_payload_bytes_total", "Payload bytes committed",
        [](const Row& row) { return row.payload_bytes; });
    add(kCounter, "logvault_host_refused_items_total", "Items refused for their content",
        [](const Row& row) { return row.refused_items; });
    add(kCounter, "logvault_host_limited_calls_total", "Calls refused for a limit",
        [](const Row& row) { return row.limited_calls; });
    add(prometheus::MetricType::Gauge, "logvault_host_last_commit_timestamp_seconds",
        "When the host's newest batch was committed",
        [](const Row& row) { return Seconds(row.last_commit); });
  }

  const MetricsEndpoint::Sources sources_;
};

}  // namespace

struct MetricsEndpoint::Serving {
  std::shared_ptr<CollectorMetrics> metrics;  // the exposer keeps a weak reference
  std::unique_ptr<prometheus::Exposer> exposer;
};

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address,
                                                                const Sources& sources) {
  auto serving = std::make_unique<Serving>();
  serving->metrics = std::make_shared<CollectorMetrics>(sources);
  try {  // the library reports an address in use as an exception
    serving->exposer = std::make_unique<prometheus::Exposer>(address, 1);
  } catch (const std::exception& error) {
    return Unavailable("cannot serve metrics on " + address + ": " + error.what());
  }
  serving->exposer->RegisterCollectable(serving->metrics);
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(serving)));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Serving> serving) : serving_(std::move(serving)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

int MetricsEndpoint::port() const { return serving_->exposer->GetListeningPorts().front(); }

}  // namespace logvault::server
