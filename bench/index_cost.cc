// What the index costs: its size as it is stored, and the CPU of building it beside that of checking the same batches on
// receipt (hash, decompression, record leaves and root: only a part of receiving them).
//
//   bench_index_cost FORMAT FILE...
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "evidence/batch.h"
#include "evidence/payload.h"
#include "formats/framer.h"
#include "query/index_builder.h"

namespace {

using namespace logvault;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Batch {
  evidence::BatchHeader header;
  std::string frame;
};

std::vector<Batch> BatchesOf(formats::Format format, const std::string& text) {
  const formats::Encoding encoding = formats::DetectEncoding(text);
  std::vector<formats::Cut> cuts;
  bool continues = false;
  formats::CutRecords(format, encoding, text, formats::End::kFinal, evidence::kMaxRecordSize,
                      &continues, cuts);
  std::vector<Batch> batches;
  evidence::PayloadBuilder builder;
  const auto finish = [&] {
    const auto sealed = builder.Finish(1, evidence::RandomBytes(evidence::kBatchKeySize), {});
    Batch& batch = batches.emplace_back();
    batch.header.first_seq = 1;
    batch.header.record_count = sealed.record_count;
    batch.header.records_root = sealed.records_root;
    batch.header.payload_hash = sealed.payload_hash;
    batch.header.read_time_first = sealed.read_time_first;
    batch.header.read_time_last = sealed.read_time_last;
    batch.frame = sealed.frame;
  };
  std::size_t at = 0;
  for (const formats::Cut& cut : cuts) {
    const std::uint32_t flags =
        encoding == formats::Encoding::kUtf16Le ? evidence::kRecordUtf16Le : 0;
    builder.Add({kNoTime, 1, flags, "f", std::string_view(text).substr(at, cut.length)});
    at += cut.length;
    if (builder.raw_bytes() >= evidence::kTargetBatchSize) finish();
  }
  if (builder.record_count() > 0) finish();
  return batches;
}

std::size_t StoredBytes(const std::string& row) {
  constexpr int kLevel = 3;  // RocksDB's default for its kZSTD
  std::string packed(ZSTD_compressBound(row.size()), '\0');
  return ZSTD_compress(packed.data(), packed.size(), row.data(), row.size(), kLevel);
}

}  // namespace

int main(int argc, char** argv) {
  const auto format = argc > 2 ? formats::FormatByName(argv[1]) : std::nullopt;
  if (!format) {
    std::fputs("usage: bench_index_cost FORMAT FILE...\n", stderr);
    return 2;
  }
  std::size_t raw = 0, stored = 0, always = 0, blocks = 0, records = 0;
  double checking = 0, building = 0;
  query::SegmentBuilder builder(0);
  std::vector<query::BuiltSegment> segments;
  for (int i = 2; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    raw += text.size();
    for (const Batch& batch : BatchesOf(*format, text)) {
      const double begin = CpuSeconds();
      if (!evidence::OpenPayload(batch.header, batch.frame, {}).ok()) std::abort();
      const double checked = CpuSeconds();
      if (evidence::Sha256(batch.frame) != batch.header.payload_hash) std::abort();
      Result<evidence::Payload> payload = evidence::Payload::Parse(batch.frame, {});
      if (!payload.ok()) std::abort();
      if (!builder.HasRoomFor(payload->blob().size())) {
        segments.push_back(builder.Finish(blocks));
      }
      builder.Add(blocks++, *payload, *format);
      records += payload->record_count();
      checking += checked - begin;
      building += CpuSeconds() - checked;
    }
  }
  const double begin = CpuSeconds();
  segments.push_back(builder.Finish(blocks));
  building += CpuSeconds() - begin;
  for (const query::BuiltSegment& segment : segments) {
    stored += StoredBytes(segment.directory.Serialize());
    for (const std::string& chunk : segment.chunks) stored += StoredBytes(chunk);
    always += segment.directory.always.size();
  }
  std::printf(
      "%s: %zu bytes, %zu records, %zu blocks (%zu always visited); index %zu bytes, %.2f %%; "
      "building %.2f us a record, checking on receipt %.2f\n",
      argv[1], raw, records, blocks, always, stored,
      100.0 * static_cast<double>(stored) / static_cast<double>(raw),
      1e6 * building / static_cast<double>(records), 1e6 * checking / static_cast<double>(records));
  return 0;
}
