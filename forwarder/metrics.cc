#include "forwarder/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <utility>

#include "common/mutex.h"

namespace logvault::forwarder {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Empty(MetricType type, const std::string& name, const char* help) {
  MetricFamily family;
  family.name = "logvault_forwarder_" + name;
  family.help = help;
  family.type = type;
  return family;
}

void AddValue(MetricFamily& family, double value, const std::string& source = "") {
  prometheus::ClientMetric metric;
  if (!source.empty()) metric.label.push_back({"source", source});
  if (family.type == MetricType::Counter) metric.counter.value = value;
  if (family.type == MetricType::Gauge) metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

MetricFamily One(MetricType type, const std::string& name, const char* help, double value) {
  MetricFamily family = Empty(type, name, help);
  AddValue(family, value);
  return family;
}

double Seconds(UnixNanos instant) { return static_cast<double>(instant) / kNanosPerSecond; }

// Answers with the newest figures.
class ShownFigures final : public prometheus::Collectable {
 public:
  void Show(ForwarderFigures figures) LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    figures_ = std::move(figures);
  }

  [[nodiscard]] std::vector<MetricFamily> Collect() const override LV_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    std::vector<MetricFamily> families = OfShipping(figures_);
    MetricFamily records =
        Empty(MetricType::Counter, "source_records_total", "Records sealed: the last number");
    MetricFamily bytes =
        Empty(MetricType::Counter, "source_bytes_total", "Bytes sealed since the start");
    MetricFamily seconds =
        Empty(MetricType::Gauge, "source_lag_seconds", "Since when some of it is not in the vault");
    MetricFamily lag = Empty(MetricType::Gauge, "source_lag_bytes", "Bytes not yet in a batch");
    MetricFamily dropped = Empty(MetricType::Counter, "source_dropped_messages_total",
                                 "Messages that came and are lost");
    MetricFamily over_rate = Empty(MetricType::Counter, "source_over_rate_messages_total",
                                   "Of those dropped, sent faster than sender_rate allows");
    MetricFamily ok = Empty(MetricType::Gauge, "source_ok", "1 where the source can be read");
    for (const ForwarderFigures::Source& source : figures_.sources) {
      AddValue(records, static_cast<double>(source.records), source.name);
      AddValue(lag, static_cast<double>(source.lag_bytes), source.name);
      AddValue(ok, source.state == "ok" ? 1 : 0, source.name);
      AddValue(bytes, static_cast<double>(source.bytes), source.name);
      AddValue(seconds, source.lag_seconds, source.name);
      AddValue(dropped, static_cast<double>(source.dropped), source.name);
      AddValue(over_rate, static_cast<double>(source.over_rate), source.name);
    }
    for (MetricFamily* family : {&records, &bytes, &lag, &seconds, &dropped, &over_rate, &ok})
      families.push_back(std::move(*family));
    return families;
  }

 private:
  static std::vector<MetricFamily> OfShipping(const ForwarderFigures& f) {
    constexpr auto kGauge = MetricType::Gauge;
    constexpr auto kCounter = MetricType::Counter;
    auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    return {
        One(kGauge, "spool_pending_bytes", "Bytes that wait", number(f.pending_bytes)),
        One(kGauge, "spool_pending_items", "Batches that wait", number(f.pending_items)),
        One(kGauge, "spool_kept_bytes", "Bytes kept after their receipt", number(f.kept_bytes)),
        One(kGauge, "connected", "1 while a session is open", f.connected ? 1 : 0),
        One(kGauge, "integrity_failure", "1 while the vault contradicts what it signed",
            f.integrity_failure ? 1 : 0),
        One(kCounter, "sessions_total", "Sessions opened", number(f.sessions)),
        One(kCounter, "items_shipped_total", "Items with a proven receipt",
            number(f.items_shipped)),
        One(kCounter, "shipped_bytes_total", "Bytes with a proven receipt",
            number(f.bytes_shipped)),
        One(kCounter, "gaps_total", "Gap records said", number(f.gaps)),
        One(kCounter, "set_aside_total", "Batches refused for their content", number(f.set_aside)),
        One(kGauge, "last_receipt_timestamp_seconds",
            "When the newest receipt was proven; 0: never", Seconds(f.last_receipt)),
        One(kGauge, "certificate_not_after_timestamp_seconds", "When this host's certificate ends",
            Seconds(f.certificate_not_after)),
    };
  }

  mutable Mutex mutex_;
  ForwarderFigures figures_ LV_GUARDED_BY(mutex_);
};

}  // namespace

struct MetricsEndpoint::Serving {
  std::shared_ptr<ShownFigures> figures;  // the exposer keeps a weak reference
  std::unique_ptr<prometheus::Exposer> exposer;
};

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address) {
  auto serving = std::make_unique<Serving>();
  serving->figures = std::make_shared<ShownFigures>();
  try {  // the library reports an address in use as an exception
    serving->exposer = std::make_unique<prometheus::Exposer>(address, 1);
  } catch (const std::exception& error) {
    return Unavailable("cannot serve metrics on " + address + ": " + error.what());
  }
  serving->exposer->RegisterCollectable(serving->figures);
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(serving)));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Serving> serving) : serving_(std::move(serving)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

void MetricsEndpoint::Show(ForwarderFigures figures) {
  serving_->figures->Show(std::move(figures));
}
int MetricsEndpoint::port() const { return serving_->exposer->GetListeningPorts().front(); }

}  // namespace logvault::forwarder
