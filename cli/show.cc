// `logvault show HOST/SOURCE/SEQ`: one record, its fields and its block.  The block's place in the tree and the
// record's place in the block are verified here, whatever the vault says.
#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "cli/command.h"
#include "cli/offline_vault.h"
#include "cli/record_name.h"
#include "cli/remote_vault.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "formats/fields.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

struct ShowOptions {
  std::string name;
  std::string output = "text";
};

// What holds a record, as stored, and the tree it was found in.
struct Found {
  std::string block_bytes;
  std::string payload_frame;
  std::string format;
  evidence::Checkpoint checkpoint;
  std::vector<evidence::Hash> inclusion;
  bool integrity = true;  // of the vault around it
};

// A record once everything about it is verified.
struct Shown {
  evidence::BlockHeader block;
  evidence::Hash leaf;
  evidence::Payload payload;
  query::Row row;
};

Result<Found> FindOffline(const RecordName& name, const Environment& env) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  const storage::Reader& reader = vault->reader();
  const evidence::Hash stream_id = evidence::StreamId(name.host, name.source);
  Result<std::optional<storage::StreamHead>> stream = reader.Stream(stream_id);
  if (!stream.ok()) return stream.status();
  Result<std::optional<std::uint64_t>> index = reader.Locate(stream_id, name.seq);
  if (!index.ok()) return index.status();
  if (!stream->has_value() || !index->has_value()) return NotFound("the vault has no such record");
  Found found;
  found.format = (*stream)->format;
  found.checkpoint = vault->checkpoint();
  found.integrity = vault->problems().empty();
  Result<std::string> bytes = reader.BlockBytes(**index);
  if (!bytes.ok()) return bytes.status();
  found.block_bytes = *std::move(bytes);
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(found.block_bytes);
  if (!block.ok()) return block.status();
  Result<std::string> frame = reader.Payload(**index, block->commit_time);
  if (!frame.ok())
    return Corruption("block " + std::to_string(**index) + ": " + frame.status().message());
  found.payload_frame = *std::move(frame);
  Result<std::vector<evidence::Hash>> proof =
      evidence::InclusionProof(**index, found.checkpoint.size, reader.Nodes());
  if (!proof.ok()) return proof.status();
  found.inclusion = *std::move(proof);
  return found;
}

// The payload of block `index`: what Show answers is checked against it.
Result<std::string> FetchPayload(RemoteVault& vault, std::uint64_t index) {
  v1::BlocksRequest request;
  request.set_first(index);
  request.set_end(index + 1);
  request.set_payloads(true);
  std::string payload, error = "the vault did not send it";
  Status status = vault.client().Blocks(request, [&](const v1::BlocksEvent& event) {
    for (const v1::StoredBlock& stored : event.blocks()) {
      if (stored.index() != index) continue;
      payload = stored.payload();
      error = stored.error() + stored.payload_error();
    }
    return true;
  });
  if (!status.ok()) return status;
  if (!error.empty()) return Corruption("block " + std::to_string(index) + ": " + error);
  return payload;
}

Result<Found> FindRemote(const RecordName& name, const Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  v1::ShowRequest request;
  request.set_host(name.host);
  request.set_source(name.source);
  request.set_seq(name.seq);
  Result<v1::ShowResponse> response = (*vault)->client().Show(request);
  if (!response.ok()) return response.status();
  Result<evidence::Checkpoint> checkpoint = (*vault)->Verify(response->checkpoint());
  if (!checkpoint.ok()) return checkpoint.status();
  Found found;
  found.block_bytes = response->block();
  found.format = response->stream().format();
  found.checkpoint = *std::move(checkpoint);
  for (const std::string& bytes : response->inclusion()) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok()) return Integrity("the vault's inclusion proof holds something that is no hash");
    found.inclusion.push_back(*hash);
  }
  Result<std::string> payload = FetchPayload(**vault, response->row().block());
  if (!payload.ok()) return payload.status();
  found.payload_frame = *std::move(payload);
  return found;
}

// `name`, `found` and the result must outlive the row.
Result<std::unique_ptr<Shown>> Verify(const RecordName& name, const Found& found) {
  auto integrity = [](const Status& status) { return Integrity(status.message()); };
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(found.block_bytes);
  if (!block.ok()) return integrity(block.status());
  const evidence::Hash leaf = evidence::LeafHash(found.block_bytes);
  if (block->index >= found.checkpoint.size)
    return Integrity("the block lies past the checkpoint's end");
  Status included = evidence::VerifyInclusion(leaf, block->index, found.checkpoint.size,
                                              found.inclusion, found.checkpoint.root);
  if (!included.ok()) {
    return Integrity("block " + std::to_string(block->index) +
                     " is not in the signed tree: " + included.message());
  }
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
  if (!batch.ok()) return integrity(batch.status());
  if (batch->stream_id != evidence::StreamId(name.host, name.source) ||
      name.seq < batch->first_seq || name.seq > batch->last_seq()) {
    return Integrity("block " + std::to_string(block->index) +
                     ", which the vault names, does not hold this record");
  }
  Result<evidence::Payload> payload = evidence::OpenPayload(*batch, found.payload_frame);
  if (!payload.ok()) return integrity(payload.status());

  std::unique_ptr<Shown> shown(new Shown{*std::move(block), leaf, *std::move(payload), {}});
  const evidence::RecordView record =
      shown->payload.record(static_cast<std::uint32_t>(name.seq - batch->first_seq));
  query::Row& row = shown->row;
  row.host = name.host;
  row.source = name.source;
  row.format = formats::FormatByName(found.format).value_or(formats::Format::kPlain);
  row.seq = name.seq;
  row.event_time = record.event_time;
  row.read_time = record.read_time;
  row.commit_time = shown->block.commit_time;
  row.block = shown->block.index;
  row.flags = record.flags;
  row.origin = record.origin;
  row.bytes = record.bytes;
  return shown;
}

void AppendText(const Shown& shown, const Found& found, std::string& out) {
  const query::Row& row = shown.row;
  const std::string text =
      formats::RecordText(row.bytes, (row.flags & evidence::kRecordUtf16Le) != 0);
  auto line = [&out](std::string name, std::string_view value) {
    name.resize(std::max<std::size_t>(name.size() + 1, 14), ' ');
    out += name + query::EscapeForTerminal(value) + "\n";
  };
  line("host", row.host);
  line("source", row.source);
  line("seq", std::to_string(row.seq));
  line("time", formats::FormatUtc(row.time()) + (row.event_time == kNoTime ? " (of reading)" : ""));
  line("read time", formats::FormatUtc(row.read_time));
  line("commit time", formats::FormatUtc(row.commit_time));
  line("origin", row.origin);
  line("format", found.format);
  line("block", std::to_string(row.block) + ", leaf hash " + shown.leaf.Hex());
  line("verified", "in the signed tree of size " + std::to_string(found.checkpoint.size) +
                       ", root " + found.checkpoint.root.Hex());
  out += "fields\n";
  for (const formats::Field& field : formats::ParseFields(row.format, text))
    line("  " + field.name, field.value);
  out += "record\n";
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += "  " + query::EscapeForTerminal(std::string_view(text).substr(at, end - at)) + "\n";
    at = end + 1;
  }
}

void AppendJson(const Shown& shown, const Found& found, std::string& out) {
  query::RowWriter writer(query::OutputFormat::kJson, formats::TimeZone::Utc());
  writer.Add(shown.row, out);
  out.resize(out.size() - 2);  // "}\n": more members follow
  out += ",\"format\":";
  query::AppendJsonString(found.format, out);
  out += ",\"block_hash\":\"" + shown.leaf.Hex() +
         "\",\"tree_size\":" + std::to_string(found.checkpoint.size) + ",\"root\":\"" +
         found.checkpoint.root.Hex() + "\"}\n";
}

ExitCode RunShow(const ShowOptions& options, Environment& env) {
  Result<RecordName> name = RecordName::Parse(options.name);
  if (!name.ok()) return Fail(name.status());
  Result<Found> found =
      env.settings.offline.empty() ? FindRemote(*name, env) : FindOffline(*name, env);
  if (!found.ok() && found.status().code() == StatusCode::kNotFound) {
    Tell(options.name + ": " + found.status().message());
    return ExitCode::kNoMatch;
  }
  if (!found.ok()) return Fail(found.status());
  Result<std::unique_ptr<Shown>> shown = Verify(*name, *found);
  if (!shown.ok()) return Fail(shown.status().WithContext(options.name));
  if (options.output == "raw")
    env.out.buffer() += (*shown)->row.bytes;
  else if (options.output == "json")
    AppendJson(**shown, *found, env.out.buffer());
  else
    AppendText(**shown, *found, env.out.buffer());
  env.out.Flush();
  return found->integrity ? ExitCode::kOk : ExitCode::kIntegrity;
}

}  // namespace

Action DefineShow(CLI::App& command) {
  auto options = std::make_shared<ShowOptions>();
  command.add_option("RECORD", options->name, "HOST/SOURCE/SEQ")->required()->type_name("");
  command
      .add_option("-o,--output", options->output, "text (default), json or raw (the exact bytes)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json", "raw"}));
  command.footer("Example: logvault show geo01/access/17\n");
  return [options](Environment& env) { return RunShow(*options, env); };
}

}  // namespace logvault::cli
