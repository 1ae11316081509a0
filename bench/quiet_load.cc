// Quiet hosts for bench/quiet: many in one process, each with its own certificate, session and epoch and one source of real
// lines, which ships a small batch at a time.  Nobody waits for the clock: what is measured is bytes.
//
//   bench_quiet_load COLLECTOR CREDENTIALS_DIR HOSTS CORPUS_DIR LINES BATCHES
//
// Host i has the i-th kind of CORPUS_DIR (bench_corpus; five of them, in turn) and of it a part of its own, BATCHES times
// LINES lines.  Prints its bytes, and those of the batches' payloads, as JSON.
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/light_forwarder.h"
#include "common/clock.h"
#include "config/small_file.h"
#include "evidence/hash.h"
#include "formats/event_time.h"
#include "formats/format.h"
#include "formats/framer.h"
#include "forwarder/position.h"
#include "net/transport.h"

namespace logvault::bench {
namespace {

struct Kind {
  const char* file;
  formats::Format format;
};
constexpr std::array<Kind, 5> kKinds = {{{"syslog.log", formats::Format::kSyslog},
                                         {"auditd.log", formats::Format::kAuditd},
                                         {"geoserver.log", formats::Format::kGeoserver},
                                         {"access.log", formats::Format::kAccess},
                                         {"errorlog", formats::Format::kSqlserver}}};
constexpr int kAtOnce = 4;  // hosts

[[noreturn]] void Die(const Status& status) {
  std::fprintf(stderr, "bench_quiet_load: %s\n", status.ToString().c_str());
  std::exit(1);
}

// The first `lines` lines of `rest`, which is then behind them.
std::string_view TakeLines(std::string_view& rest, int lines) {
  std::size_t end = 0;
  for (int i = 0; i < lines; ++i) {
    const std::size_t line = rest.find('\n', end);
    if (line == std::string_view::npos) Die(InvalidArgument("the corpus is too short"));
    end = line + 1;
  }
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end);
  return taken;
}

class QuietHost {
 public:
  QuietHost(Kind kind, std::string_view text) : kind_(kind), rest_(text) {
    position_.path = std::string("/var/log/") + kind.file;
    position_.id = {2049, 1'234'567};
    position_.head_hash = evidence::Sha256(text.substr(0, 4096));
  }

  // A batch of `lines` lines, with a position as a file source has it.
  std::vector<evidence::PositionEntry> Fill(evidence::PayloadBuilder& builder, int lines) {
    const std::string_view text = TakeLines(rest_, lines);
    std::vector<formats::Cut> cuts;
    bool continues = false;
    formats::CutRecords(kind_.format, formats::Encoding::kBytes, text, formats::End::kFinal,
                        evidence::kMaxRecordSize, &continues, cuts);
    evidence::RecordView record;
    record.read_time = SystemClock().Now();
    record.origin = position_.path;
    context_.not_after = record.read_time;
    std::size_t at = 0;
    for (const formats::Cut& cut : cuts) {
      record.bytes = text.substr(at, cut.length);
      record.event_time = formats::EventTime(kind_.format, record.bytes, context_);
      builder.Add(record);
      at += cut.length;
    }
    position_.offset += text.size();
    position_.tail_hash = evidence::Sha256(text);
    position_.mtime = record.read_time;
    return {position_.ToEntry()};
  }

 private:
  const Kind kind_;
  std::string_view rest_;
  formats::TimeContext context_;
  forwarder::FilePosition position_;
};

class Load {
 public:
  Load(std::string collector, std::string credentials, int hosts, const std::string& corpus,
       int lines, int batches)
      : collector_(std::move(collector)),
        credentials_(std::move(credentials)),
        lines_(lines),
        batches_(batches) {
    for (const Kind& kind : kKinds) {
      Result<std::string> text = config::ReadSmallFile(corpus + "/" + kind.file, UINT64_MAX);
      if (!text.ok()) Die(text.status());
      texts_.push_back(*std::move(text));
    }
    std::vector<std::string_view> rests(texts_.begin(), texts_.end());
    for (int host = 0; host < hosts; ++host) {
      const std::size_t kind = static_cast<std::size_t>(host) % kKinds.size();
      parts_.push_back(TakeLines(rests[kind], lines * batches));
      raw_bytes_ += parts_.back().size();
    }
  }

  void Run() {
    std::vector<std::jthread> threads;
    for (int first = 0; first < kAtOnce; ++first) {
      threads.emplace_back([this, first] {
        for (std::size_t host = static_cast<std::size_t>(first); host < parts_.size();
             host += kAtOnce)
          Ship(host);
      });
    }
    threads.clear();
    std::printf("{\"raw_bytes\": %zu, \"payload_bytes\": %zu}\n", raw_bytes_,
                payload_bytes_.load());
  }

 private:
  void Ship(std::size_t number) {
    const Kind& kind = kKinds[number % kKinds.size()];
    auto forwarder =
        LightForwarder::Open(collector_, credentials_ + "/" + HostName(static_cast<int>(number)),
                             std::string(formats::NameOf(kind.format)));
    if (!forwarder.ok()) Die(forwarder.status());
    QuietHost host(kind, parts_[number]);
    const LightForwarder::Fill fill = [&host, this](evidence::PayloadBuilder& builder) {
      return host.Fill(builder, lines_);
    };
    for (int batch = 0; batch < batches_; ++batch) {
      if (Status status = (*forwarder)->Append({&fill, 1}); !status.ok()) Die(status);
    }
    payload_bytes_ += (*forwarder)->payload_bytes();
  }

  const std::string collector_, credentials_;
  const int lines_, batches_;
  std::vector<std::string> texts_;
  std::vector<std::string_view> parts_;  // by host
  std::size_t raw_bytes_ = 0;
  std::atomic<std::size_t> payload_bytes_ = 0;
};

}  // namespace
}  // namespace logvault::bench

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: bench_quiet_load COLLECTOR CREDENTIALS_DIR HOSTS CORPUS_DIR LINES BATCHES\n",
               stderr);
    return 2;
  }
  logvault::net::StartTransport(nullptr);
  logvault::bench::Load(argv[1], argv[2], std::atoi(argv[3]), argv[4], std::atoi(argv[5]),
                        std::atoi(argv[6]))
      .Run();
  return 0;
}
