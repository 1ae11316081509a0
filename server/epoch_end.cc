#include "server/epoch_end.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "evidence/batch.h"
#include "evidence/payload.h"

namespace logvault::server {
namespace {

constexpr std::string_view kOwnSource = "logvault";

bool IsStopRecord(std::string_view line) {
  const nlohmann::json record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  return record.is_object() && record.contains("type") && record["type"] == "stop";
}

struct LastBatch {
  evidence::BatchHeader header;
  UnixNanos commit_time = 0;
};

Result<LastBatch> LastBatchOf(const storage::Reader& reader, const storage::StreamHead& stream) {
  Result<evidence::BlockHeader> block = reader.Block(stream.last_block);
  if (!block.ok()) return block.status();
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
  if (!batch.ok()) return batch.status();
  return LastBatch{*std::move(batch), block->commit_time};
}

Result<bool> EndsWithStop(const storage::Reader& reader, const storage::StreamHead& stream,
                          const LastBatch& last) {
  Result<std::string> frame = reader.Payload(stream.last_block, last.commit_time);
  if (!frame.ok()) return frame.status();
  Result<evidence::Payload> payload =
      evidence::OpenPayload(last.header, *frame, *reader.dictionaries());
  if (!payload.ok()) return payload.status();
  return IsStopRecord(payload->record(payload->record_count() - 1).bytes);
}

}  // namespace

Result<std::optional<EpochEnd>> HowNewestEpochEnded(const storage::Reader& reader,
                                                    const std::string& host) {
  Result<std::optional<storage::EpochRecord>> newest = reader.NewestEpoch(host);
  if (!newest.ok()) return newest.status();
  if (!newest->has_value()) return std::optional<EpochEnd>();
  EpochEnd end{(*newest)->epoch, false, 0};

  Result<std::vector<storage::StreamHead>> streams = reader.Streams();
  if (!streams.ok()) return streams.status();
  for (const storage::StreamHead& stream : *streams) {
    if (stream.host != host || stream.last_seq == 0) continue;
    Result<LastBatch> last = LastBatchOf(reader, stream);
    if (!last.ok()) return last.status();
    if (last->header.epoch != end.epoch) continue;
    end.last_seal = std::max(end.last_seal, last->header.seal_index);
    if (stream.source != kOwnSource) continue;
    Result<bool> stopped = EndsWithStop(reader, stream, *last);
    if (!stopped.ok()) return stopped.status();
    end.clean = *stopped;
  }
  return std::optional<EpochEnd>(end);
}

}  // namespace logvault::server
