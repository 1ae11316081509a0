// bench_stages: what each stage of the path costs alone, per batch of half a megabyte, beside the limits of this machine
// (SHA-256, zstd).  Google Benchmark; bytes_per_second counts raw log bytes throughout.
//
//   bench_stages CORPUS [--benchmark_filter=…]        CORPUS: mixed.log of bench_corpus
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <zstd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "config/small_file.h"
#include "evidence/batch.h"
#include "evidence/checkpoint.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "evidence/seal.h"
#include "formats/event_time.h"
#include "formats/framer.h"
#include "query/index_builder.h"
#include "storage/vault.h"
#include "tests/support/batches.h"

namespace logvault {
namespace {

// One batch of the corpus, and its cuts.
struct Sample {
  std::string text;
  std::vector<formats::Cut> cuts;
  std::vector<evidence::RecordView> records;
};

Sample& TheSample() {
  static Sample sample;
  return sample;
}

void Load(const std::string& corpus) {
  Result<std::string> text = config::ReadSmallFile(corpus, UINT64_MAX);
  if (!text.ok()) {
    std::fprintf(stderr, "bench_stages: %s\n", text.status().message().c_str());
    std::exit(1);
  }
  Sample& sample = TheSample();
  sample.text = text->substr(0, evidence::kTargetBatchSize);
  bool continues = false;
  const std::size_t cut =
      formats::CutRecords(formats::Format::kSyslog, formats::Encoding::kBytes, sample.text,
                          formats::End::kMore, evidence::kMaxRecordSize, &continues, sample.cuts);
  sample.text.resize(cut);
  std::size_t at = 0;
  for (const formats::Cut& record : sample.cuts) {
    sample.records.push_back({1'720'656'000'000'000'000 + static_cast<std::int64_t>(at), 1, 0,
                              "/var/log/syslog",
                              std::string_view(sample.text).substr(at, record.length)});
    at += record.length;
  }
}

void Count(benchmark::State& state) {
  const Sample& sample = TheSample();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sample.text.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sample.records.size()));
}

evidence::PayloadBuilder::Sealed SealSample(evidence::PayloadBuilder& builder) {
  static const std::string key = evidence::RandomBytes(evidence::kBatchKeySize);
  for (const evidence::RecordView& record : TheSample().records) builder.Add(record);
  return builder.Finish(1, key, {});
}

void LimitSha256(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(evidence::Sha256(TheSample().text));
  Count(state);
}

void LimitZstd1(benchmark::State& state) {
  const std::string& text = TheSample().text;
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ZSTD_compressCCtx(context.get(), out.data(), out.size(), text.data(), text.size(), 1));
  }
  Count(state);
}

void Framing(benchmark::State& state) {
  std::vector<formats::Cut> cuts;
  for (auto _ : state) {
    cuts.clear();
    bool continues = false;
    benchmark::DoNotOptimize(
        formats::CutRecords(formats::Format::kSyslog, formats::Encoding::kBytes, TheSample().text,
                            formats::End::kMore, evidence::kMaxRecordSize, &continues, cuts));
  }
  Count(state);
}

void EventTimes(benchmark::State& state) {
  formats::TimeContext context;
  context.not_after = 1'720'742'400'000'000'000;
  for (auto _ : state) {
    for (const evidence::RecordView& record : TheSample().records) {
      benchmark::DoNotOptimize(formats::EventTime(formats::Format::kSyslog, record.bytes, context));
    }
  }
  Count(state);
}

void LeavesAndRoot(benchmark::State& state) {
  const std::string salt(evidence::kSaltSize, 's');
  std::vector<evidence::Hash> leaves;
  for (auto _ : state) {
    leaves.clear();
    std::uint64_t seq = 0;
    for (const evidence::RecordView& record : TheSample().records)
      leaves.push_back(evidence::RecordLeaf(salt, ++seq, record));
    benchmark::DoNotOptimize(evidence::RootOf(leaves));
  }
  Count(state);
}

// Columns, zstd, payload hash; leaves and root on another thread.
void Payload(benchmark::State& state) {
  evidence::PayloadBuilder builder;
  for (auto _ : state) benchmark::DoNotOptimize(SealSample(builder));
  Count(state);
}

void SealAndSign(benchmark::State& state) {
  const evidence::SigningKey key = evidence::SigningKey::Generate();
  const std::string seal_key = evidence::RandomBytes(evidence::kHashSize);
  evidence::BatchHeader header;
  header.first_seq = header.record_count = 1;
  for (auto _ : state) benchmark::DoNotOptimize(evidence::SealBatchHeader(header, seal_key, key));
  Count(state);
}

// What the collector does with a batch before it is committed, but for the seal.
void Check(benchmark::State& state) {
  testing::TestHost host("bench01");
  const storage::Entry entry = host.Batch("log", TheSample().records);
  const evidence::BatchHeader header = *evidence::BatchHeader::Parse(entry.body);
  for (auto _ : state) {
    Result<evidence::Payload> payload = evidence::OpenPayload(header, entry.payload, {});
    LV_CHECK(payload.ok());
  }
  Count(state);
}

// One synced write a batch: chain, tree, checkpoint, anchor.
void Commit(benchmark::State& state) {
  std::string folder = "/tmp/logvault-stages-XXXXXX";
  LV_CHECK(mkdtemp(folder.data()) != nullptr);
  {
    const SystemClock clock;
    const evidence::SigningKey key = evidence::SigningKey::Generate();
    storage::VaultOptions options;
    options.dir = folder + "/vault";
    options.anchor = folder + "/anchor";
    LV_CHECK(storage::Vault::Create(options, testing::TestGenesis(key), key, clock).ok());
    const auto vault = *storage::Vault::Open(options, {key}, clock);
    testing::TestHost host("bench01");
    std::vector<storage::Entry> group = {host.Key(), host.Stream("log")};
    LV_CHECK(vault->Append(group).ok());
    for (auto _ : state) {
      state.PauseTiming();
      group = {host.Batch("log", TheSample().records)};
      state.ResumeTiming();
      LV_CHECK(vault->Append(group).ok());
    }
  }
  std::filesystem::remove_all(folder);
  Count(state);
}

void Index(benchmark::State& state) {
  testing::TestHost host("bench01");
  const storage::Entry entry = host.Batch("log", TheSample().records);
  const evidence::Payload payload = *evidence::Payload::Parse(entry.payload, {});
  constexpr std::uint64_t kBlocks = 32;  // a segment
  for (auto _ : state) {
    query::SegmentBuilder builder(0);
    for (std::uint64_t block = 0; block < kBlocks; ++block)
      builder.Add(block, payload, formats::Format::kSyslog);
    benchmark::DoNotOptimize(builder.Finish(kBlocks));
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(kBlocks * TheSample().text.size()));
}

// The literal pass over one batch that is in memory already.
void ScanLiteral(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(TheSample().text.find("a-needle-that-is-not-there"));
  Count(state);
}

// Of one record among those of a batch: its path to the root.
void RecordPath(benchmark::State& state) {
  std::vector<evidence::Hash> leaves;
  for (const evidence::RecordView& record : TheSample().records)
    leaves.push_back(evidence::RecordLeaf(std::string(evidence::kSaltSize, 's'), 1, record));
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        evidence::InclusionProof(leaves.size() / 2, leaves.size(), evidence::NodesOf(leaves)));
  }
}

BENCHMARK(LimitSha256);
BENCHMARK(LimitZstd1);
BENCHMARK(Framing);
BENCHMARK(EventTimes);
BENCHMARK(LeavesAndRoot);
BENCHMARK(Payload)->UseRealTime();
BENCHMARK(SealAndSign);
BENCHMARK(Check);
BENCHMARK(Commit)->UseRealTime();
BENCHMARK(Index);
BENCHMARK(ScanLiteral);
BENCHMARK(RecordPath);

}  // namespace
}  // namespace logvault

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_stages CORPUS\n");
    return 2;
  }
  logvault::Load(argv[1]);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
