#include "server/lookup_answers.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evidence/batch.h"
#include "evidence/payload.h"
#include "net/access.h"
#include "query/heartbeat.h"
#include "server/proofs.h"

namespace logvault::server {
namespace {

void FillSummary(const QueryContext& query, const storage::StreamHead& stream,
                 v1::StreamSummary& summary) {
  summary.set_host(stream.host);
  summary.set_source(stream.source);
  summary.set_format(stream.format);
  summary.set_records(stream.records);
  summary.set_last_seq(stream.last_seq);
  summary.set_missing_records(stream.missing_records);
  summary.set_first_time(stream.first_time);
  summary.set_last_time(stream.last_time);
  summary.set_last_commit_time(stream.last_commit_time);
  summary.set_session_open(query.sessions.IsOpen(stream.host));
  const std::optional<UnixNanos> silent_since = query.silence.SilentSince(stream.host);
  summary.set_silent(silent_since.has_value());
  summary.set_silent_since(silent_since.value_or(0));
}

// What the host's newest heartbeat says of its sources.  One that cannot be read is told as such: the list goes on.
class Heartbeats {
 public:
  explicit Heartbeats(const storage::Reader& reader) : reader_(reader) {}

  void Fill(v1::StreamSummary& summary) {
    auto known = by_host_.find(summary.host());
    if (known == by_host_.end()) {
      known =
          by_host_.emplace(summary.host(), query::NewestHeartbeat(reader_, summary.host())).first;
    }
    const Result<std::optional<query::Heartbeat>>& newest = known->second;
    if (!newest.ok()) {
      summary.set_source_detail("its newest heartbeat cannot be read: " +
                                newest.status().message());
      return;
    }
    if (!newest->has_value()) return;
    summary.set_heartbeat_time((*newest)->time);
    const auto report = (*newest)->sources.find(summary.source());
    if (report == (*newest)->sources.end()) return;
    summary.set_source_state(report->second.state);
    summary.set_lag_bytes(report->second.lag_bytes);
    summary.set_source_detail(report->second.detail);
  }

 private:
  const storage::Reader& reader_;
  std::map<std::string, Result<std::optional<query::Heartbeat>>> by_host_;
};

std::string NameOf(const v1::ShowRequest& request) {
  return request.host() + "/" + request.source() + "/" + std::to_string(request.seq());
}

Result<std::uint64_t> BlockHolding(const QueryContext& query, const v1::ShowRequest& request) {
  const evidence::Hash stream_id = evidence::StreamId(request.host(), request.source());
  Result<std::optional<std::uint64_t>> block = query.reader().Locate(stream_id, request.seq());
  if (!block.ok()) return block.status();
  if (!block->has_value()) return NotFound("the vault has no such record: a gap, or past the end");
  return **block;
}

// The record out of its block's payload, every hash checked on the way.
Status FillRow(const QueryContext& query, std::uint64_t index, const v1::ShowRequest& request,
               std::string_view block_bytes, v1::Row& row) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(block_bytes);
  if (!block.ok()) return block.status();
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
  if (!batch.ok()) return batch.status();
  if (request.seq() < batch->first_seq || request.seq() > batch->last_seq()) {
    return Corruption("block " + std::to_string(index) + " does not hold " + NameOf(request));
  }
  Result<std::string> frame = query.reader().Payload(index, block->commit_time);
  if (frame.status().code() == StatusCode::kNotFound) {
    return Corruption("the payload of block " + std::to_string(index) + " is gone");
  }
  if (frame.status().code() == StatusCode::kOutOfRange) return NotFound(frame.status().message());
  if (!frame.ok()) return frame.status();
  Result<evidence::Payload> payload =
      evidence::OpenPayload(*batch, *frame, *query.reader().dictionaries());
  if (!payload.ok()) return payload.status().WithContext("block " + std::to_string(index));

  const evidence::RecordView record =
      payload->record(static_cast<std::uint32_t>(request.seq() - batch->first_seq));
  row.set_seq(request.seq());
  row.set_event_time(record.event_time);
  row.set_read_time(record.read_time);
  row.set_commit_time(block->commit_time);
  row.set_block(index);
  row.set_flags(record.flags);
  row.set_origin(std::string(record.origin));
  row.set_bytes(std::string(record.bytes));
  return Status::Ok();
}

Status FillMissing(const QueryContext& query, v1::StreamSummary& summary) {
  if (summary.missing_records() == 0) return Status::Ok();
  Result<std::vector<storage::NumberRange>> missing = query.reader().Missing(
      evidence::StreamId(summary.host(), summary.source()), storage::kMissingRangesTold);
  if (!missing.ok()) return missing.status();
  for (const storage::NumberRange& range : *missing) {
    v1::NumberRange& told = *summary.add_missing();
    told.set_first(range.first);
    told.set_last(range.last);
  }
  return Status::Ok();
}

Status FillHosts(const QueryContext& query, Access& access, v1::HostsResponse& response) {
  response.set_tree_size(access.scope());
  LV_RETURN_IF_ERROR(access.FillReceipt(*response.mutable_access()));
  Result<std::vector<storage::StreamHead>> streams = query.reader().Streams();
  if (!streams.ok()) return streams.status();
  Heartbeats heartbeats(query.reader());
  for (const storage::StreamHead& stream : *streams) {
    v1::StreamSummary& summary = *response.add_streams();
    FillSummary(query, stream, summary);
    heartbeats.Fill(summary);
    LV_RETURN_IF_ERROR(FillMissing(query, summary));
    access.AddRow(net::ResultRow(summary));
  }
  response.set_result_sha256(std::string(access.result().view()));
  return Status::Ok();
}

Status FillShown(const QueryContext& query, const v1::ShowRequest& request, Access& access,
                 v1::ShowResponse& response) {
  LV_RETURN_IF_ERROR(access.FillReceipt(*response.mutable_access()));
  Result<std::optional<storage::StreamHead>> stream =
      query.reader().Stream(evidence::StreamId(request.host(), request.source()));
  if (!stream.ok()) return stream.status();
  if (!stream->has_value()) {
    return NotFound("the vault knows no source " + request.source() + " of host " + request.host());
  }
  Result<std::uint64_t> index = BlockHolding(query, request);
  if (!index.ok()) return index.status();
  if (*index >= access.scope()) return NotFound("it came later than that");
  Result<std::string> block = query.reader().BlockBytes(*index);
  if (!block.ok()) return block.status();
  LV_RETURN_IF_ERROR(FillRow(query, *index, request, *block, *response.mutable_row()));

  response.mutable_stream()->set_host((*stream)->host);
  response.mutable_stream()->set_source((*stream)->source);
  response.mutable_stream()->set_format((*stream)->format);
  response.set_block(*std::move(block));
  response.set_checkpoint(access.head().note);
  access.AddRow(net::ResultRow(response.stream(), response.row()));
  response.set_result_sha256(std::string(access.result().view()));
  return AddInclusion(query.reader(), *index, access.head(), *response.mutable_inclusion());
}

}  // namespace

Status AnswerStatus(const QueryContext& query, const v1::StatusRequest& request,
                    v1::StatusResponse& response) {
  const storage::Head head = query.vault.head();
  response.set_origin(query.vault.origin());
  response.set_checkpoint(head.note);
  if (request.have_size() > head.size) return Status::Ok();  // the note itself shows it
  return AddConsistency(query.reader(), request.have_size(), head, *response.mutable_consistency());
}

Status AnswerHosts(const QueryContext& query, const Caller& caller, const v1::HostsRequest& request,
                   v1::HostsResponse& response) {
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallHosts, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  const Status ended = FillHosts(query, *access, response);
  access->End(ended);
  return ended;
}

Status AnswerShow(const QueryContext& query, const Caller& caller, const v1::ShowRequest& request,
                  v1::ShowResponse& response) {
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallShow, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  const Status ended = FillShown(query, request, *access, response);
  access->End(ended);
  return ended;
}

}  // namespace logvault::server
