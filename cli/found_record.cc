#include "cli/found_record.h"

#include <memory>
#include <optional>
#include <utility>

#include "cli/governing.h"
#include "cli/offline_vault.h"
#include "cli/remote_vault.h"
#include "evidence/merkle.h"
#include "formats/format.h"
#include "net/access.h"

namespace logvault::cli {
namespace {

// What holds a record, as stored, and the tree it was found in: nothing of it is checked yet.
struct Stored {
  std::string block_bytes;
  std::string payload_frame;
  std::string format;
  std::string note;
  evidence::Checkpoint checkpoint;
  std::vector<evidence::Hash> inclusion;
  bool vault_sound = true;
  std::shared_ptr<const evidence::Dictionaries> dictionaries;  // with the one that the frame needs
};

// A file that is missing is no missing record.
Status NotOpened(const Status& status) {
  if (status.code() != StatusCode::kNotFound) return status;
  return FailedPrecondition(status.message());
}

Result<Stored> FindOffline(const RecordName& name, const Environment& env) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return NotOpened(vault.status());
  const storage::Reader& reader = vault->reader();
  const evidence::Hash stream_id = evidence::StreamId(name.host, name.source);
  Result<std::optional<storage::StreamHead>> stream = reader.Stream(stream_id);
  if (!stream.ok()) return stream.status();
  Result<std::optional<std::uint64_t>> index = reader.Locate(stream_id, name.seq);
  if (!index.ok()) return index.status();
  if (!stream->has_value() || !index->has_value()) return NotFound("the vault has no such record");
  Stored found;
  found.format = (*stream)->format;
  found.checkpoint = vault->checkpoint();
  found.note = vault->note();
  found.vault_sound = vault->problems().empty();
  Result<std::string> bytes = reader.BlockBytes(**index);
  if (!bytes.ok()) return bytes.status();
  found.block_bytes = *std::move(bytes);
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(found.block_bytes);
  if (!block.ok()) return block.status();
  Result<std::string> frame = reader.Payload(**index, block->commit_time);
  if (frame.status().code() == StatusCode::kOutOfRange) return NotFound(frame.status().message());
  if (!frame.ok())
    return Corruption("block " + std::to_string(**index) + ": " + frame.status().message());
  found.payload_frame = *std::move(frame);
  found.dictionaries = reader.dictionaries();
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
  request.set_tree_size(vault.checkpoint().size);
  bool begun = false;
  Status recorded;
  bool deleted = false;
  std::string payload, error = "the vault did not send it";
  Status status = vault.client().Blocks(request, [&](const v1::BlocksEvent& event) {
    if (!std::exchange(begun, true)) {
      recorded =
          vault.CheckAccess(event.access(), net::kCallBlocks, net::QueryText(request)).status();
    }
    if (!recorded.ok()) return false;
    for (const v1::StoredBlock& stored : event.blocks()) {
      if (stored.index() != index) continue;
      payload = stored.payload();
      error = stored.error() + stored.payload_error();
      deleted = stored.deleted_by() > 0;
    }
    return true;
  });
  if (!status.ok()) return status;
  if (!recorded.ok()) return recorded;
  if (deleted) return NotFound(error);
  if (!error.empty()) return Corruption("block " + std::to_string(index) + ": " + error);
  return payload;
}
// Few frames name one: then the governing blocks are asked for.
Result<std::shared_ptr<const evidence::Dictionaries>> FetchDictionariesFor(std::string_view frame,
                                                                           RemoteVault& vault) {
  if (evidence::DictionaryOf(frame) == 0) return std::make_shared<const evidence::Dictionaries>();
  Result<std::map<std::uint64_t, std::string>> blocks = FetchGoverning(vault);
  if (!blocks.ok()) return blocks.status();
  return storage::DictionariesOf(*blocks);
}

Result<Stored> FindRemote(const RecordName& name, const Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return NotOpened(vault.status());
  v1::ShowRequest request;
  request.set_host(name.host);
  request.set_source(name.source);
  request.set_seq(name.seq);
  request.set_tree_size((*vault)->checkpoint().size);
  Result<v1::ShowResponse> response = (*vault)->client().Show(request);
  if (!response.ok()) return response.status();
  LV_RETURN_IF_ERROR(
      (*vault)->CheckAccess(response->access(), net::kCallShow, net::QueryText(request)).status());
  Result<evidence::Checkpoint> checkpoint = (*vault)->Verify(response->checkpoint());
  if (!checkpoint.ok()) return checkpoint.status();
  Stored found;
  found.block_bytes = response->block();
  found.format = response->stream().format();
  found.checkpoint = *std::move(checkpoint);
  found.note = response->checkpoint();
  for (const std::string& bytes : response->inclusion()) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok()) return Integrity("the vault's inclusion proof holds something that is no hash");
    found.inclusion.push_back(*hash);
  }
  Result<std::string> payload = FetchPayload(**vault, response->row().block());
  if (!payload.ok()) return payload.status();
  found.payload_frame = *std::move(payload);
  Result<std::shared_ptr<const evidence::Dictionaries>> dictionaries =
      FetchDictionariesFor(found.payload_frame, **vault);
  if (!dictionaries.ok()) return dictionaries.status();
  found.dictionaries = *std::move(dictionaries);
  return found;
}

// `found` as it must be; kIntegrity where it is not.
Result<FoundRecord> Verify(const RecordName& name, Stored found) {
  auto integrity = [](const Status& status) { return Integrity(status.message()); };
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(found.block_bytes);
  if (!block.ok()) return integrity(block.status());
  if (block->index >= found.checkpoint.size)
    return Integrity("the block lies past the checkpoint's end");
  Status included =
      evidence::VerifyInclusion(evidence::LeafHash(found.block_bytes), block->index,
                                found.checkpoint.size, found.inclusion, found.checkpoint.root);
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
  Result<evidence::Payload> payload =
      evidence::OpenPayload(*batch, found.payload_frame, *found.dictionaries);
  if (!payload.ok()) return integrity(payload.status());
  return FoundRecord{name,
                     std::move(found.format),
                     std::move(found.block_bytes),
                     *std::move(block),
                     *std::move(batch),
                     *std::move(payload),
                     std::move(found.note),
                     std::move(found.checkpoint),
                     std::move(found.inclusion),
                     found.vault_sound};
}

}  // namespace

query::Row FoundRecord::row() const {
  const evidence::RecordView record =
      payload.record(static_cast<std::uint32_t>(name.seq - batch.first_seq));
  query::Row row;
  row.host = name.host;
  row.source = name.source;
  row.format = formats::FormatByName(format).value_or(formats::Format::kPlain);
  row.seq = name.seq;
  row.event_time = record.event_time;
  row.read_time = record.read_time;
  row.commit_time = block.commit_time;
  row.block = block.index;
  row.flags = record.flags;
  row.origin = record.origin;
  row.bytes = record.bytes;
  return row;
}

Result<FoundRecord> FindRecord(const RecordName& name, const Environment& env) {
  Result<Stored> stored =
      env.settings.offline.empty() ? FindRemote(name, env) : FindOffline(name, env);
  if (!stored.ok()) return stored.status();
  Result<FoundRecord> found = Verify(name, *std::move(stored));
  if (!found.ok()) return found.status().WithContext(name.ToString());
  return found;
}

}  // namespace logvault::cli
