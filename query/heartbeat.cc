#include "query/heartbeat.h"

#include <nlohmann/json.hpp>

#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/payload.h"

namespace logvault::query {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kOwnSource = "logvault";
// Heartbeats come every 30 s; what stands after the newest is a stop, or a few warnings.
constexpr int kBatchesSearched = 4;
constexpr std::size_t kHeartbeatBytesMax = 256 * 1024;
constexpr std::size_t kSourcesMax = 256;
constexpr std::size_t kStateBytesMax = 32;
constexpr std::size_t kDetailBytesMax = 512;

std::string TextOf(const Json& report, const char* name, std::size_t size_max) {
  if (!report.contains(name) || !report[name].is_string()) return {};
  return report[name].get<std::string>().substr(0, size_max);
}

// The newest heartbeat in one batch, and the first number of that batch.
Result<std::optional<Heartbeat>> SearchBatch(const storage::Reader& reader, std::uint64_t index,
                                             std::uint64_t& first_seq) {
  Result<evidence::BlockHeader> block = reader.Block(index);
  if (!block.ok()) return block.status();
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
  if (!batch.ok()) return batch.status();
  first_seq = batch->first_seq;
  Result<std::string> frame = reader.Payload(index, block->commit_time);
  if (!frame.ok()) return frame.status();
  Result<evidence::Payload> payload = evidence::OpenPayload(*batch, *frame, *reader.dictionaries());
  if (!payload.ok()) return payload.status();
  for (std::uint32_t i = payload->record_count(); i > 0; --i) {
    const evidence::RecordView record = payload->record(i - 1);
    std::optional<Heartbeat> heartbeat = ParseHeartbeat(record.bytes, record.read_time);
    if (heartbeat) return heartbeat;
  }
  return std::optional<Heartbeat>();
}

}  // namespace

std::optional<Heartbeat> ParseHeartbeat(std::string_view record, UnixNanos time) {
  if (record.size() > kHeartbeatBytesMax) return std::nullopt;
  const Json json = Json::parse(record, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("type") || json["type"] != "heartbeat") {
    return std::nullopt;
  }
  Heartbeat heartbeat;
  heartbeat.time = time;
  if (!json.contains("sources") || !json["sources"].is_object()) return heartbeat;
  for (const auto& [name, report] : json["sources"].items()) {
    if (!report.is_object() || heartbeat.sources.size() >= kSourcesMax) continue;
    SourceReport& source = heartbeat.sources[name];
    source.state = TextOf(report, "state", kStateBytesMax);
    source.detail = TextOf(report, "detail", kDetailBytesMax);
    if (report.contains("lag_bytes") && report["lag_bytes"].is_number_unsigned()) {
      source.lag_bytes = report["lag_bytes"].get<std::uint64_t>();
    }
  }
  return heartbeat;
}

Result<std::optional<Heartbeat>> NewestHeartbeat(const storage::Reader& reader,
                                                 const std::string& host) {
  const evidence::Hash stream_id = evidence::StreamId(host, kOwnSource);
  Result<std::optional<storage::StreamHead>> stream = reader.Stream(stream_id);
  if (!stream.ok()) return stream.status();
  if (!stream->has_value() || (*stream)->last_seq == 0) return std::optional<Heartbeat>();
  std::optional<std::uint64_t> index = (*stream)->last_block;
  for (int batch = 0; batch < kBatchesSearched && index; ++batch) {
    std::uint64_t first_seq = 0;
    Result<std::optional<Heartbeat>> found = SearchBatch(reader, *index, first_seq);
    if (!found.ok() || found->has_value()) return found;
    Result<std::optional<std::uint64_t>> before = reader.Locate(stream_id, first_seq - 1);
    if (!before.ok()) return before.status();
    index = *before;
  }
  return std::optional<Heartbeat>();
}

}  // namespace logvault::query
