#include "server/batch_check.h"

#include <utility>

#include "evidence/payload.h"
#include "server/refusal.h"

namespace logvault::server {
namespace {

Status CheckOwner(const storage::Reader& reader, const std::string& host,
                  const evidence::Hash& stream_id, std::optional<StreamOwner>& foreign) {
  Result<std::optional<storage::StreamHead>> stream = reader.Stream(stream_id);
  if (!stream.ok()) return OurFault(stream.status());
  if (!stream->has_value()) {
    return PermissionDenied("stream " + stream_id.Hex() + " is not one that host " + host +
                            " has opened");
  }
  if ((*stream)->host == host) return Status::Ok();
  foreign = StreamOwner{(*stream)->host, (*stream)->source};
  return PermissionDenied("the batch names stream " + foreign->host + "/" + foreign->source +
                          "; the certificate is for host " + host);
}

Result<storage::EpochRecord> EpochOf(const storage::Reader& reader, const std::string& host,
                                     std::uint64_t epoch) {
  Result<std::optional<storage::EpochRecord>> known = reader.Epoch(host, epoch);
  if (!known.ok()) return OurFault(known.status());
  if (!known->has_value()) {
    return Unauthenticated("epoch " + std::to_string(epoch) + " of host " + host +
                           " is not registered");
  }
  return **std::move(known);
}

Status CheckSeal(SealKeys& seal_keys, const std::string& host, const evidence::BatchHeader& batch,
                 std::string_view header) {
  Result<evidence::Hash> key = seal_keys.KeyAt(host, batch.epoch, batch.seal_index);
  if (!key.ok()) return key.status();
  return evidence::VerifyBatchSeal(header, key->view());
}

storage::Entry EntryFor(std::string_view header, std::string&& frame,
                        const evidence::Payload& payload) {
  storage::Entry entry;
  entry.kind = evidence::BlockKind::kRecords;
  entry.body = std::string(header);
  entry.payload = std::move(frame);
  entry.position = payload.position();
  return entry;
}

}  // namespace

Result<CheckedHeader> CheckHeader(const storage::Reader& reader, SealKeys& seal_keys,
                                  const std::string& host, std::string_view header,
                                  std::optional<StreamOwner>& foreign) {
  Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(header);
  if (!batch.ok()) return batch.status();
  LV_RETURN_IF_ERROR(CheckOwner(reader, host, batch->stream_id, foreign));
  Result<storage::EpochRecord> epoch = EpochOf(reader, host, batch->epoch);
  if (!epoch.ok()) return epoch.status();
  LV_RETURN_IF_ERROR(evidence::VerifyBatchSignature(header, epoch->public_key));
  LV_RETURN_IF_ERROR(CheckSeal(seal_keys, host, *batch, header));
  return CheckedHeader{*batch, epoch->commit_time};
}

Result<CheckedBatch> CheckPayload(const storage::Reader& reader, const CheckedHeader& header,
                                  std::string_view header_bytes, std::string& payload,
                                  UnixNanos now) {
  const evidence::BatchHeader& batch = header.batch;
  const std::shared_ptr<const evidence::Dictionaries> dictionaries = reader.dictionaries();
  const std::uint32_t named = evidence::DictionaryOf(payload);
  if (named != 0 && dictionaries->Find(named) == nullptr)
    return Unauthenticated("dictionary " + std::to_string(named) + " is not one of this vault");
  Result<evidence::Payload> opened = evidence::OpenPayload(batch, payload, *dictionaries);
  // Another vault, or this one before it was set back, may have given that number to another one.
  if (!opened.ok() && named != 0 && evidence::Sha256(payload) == batch.payload_hash)
    return Unauthenticated("with dictionary " + std::to_string(named) +
                           " of this vault: " + opened.status().message());
  if (!opened.ok()) return opened.status();

  CheckedBatch checked{batch, 0, EntryFor(header_bytes, std::move(payload), *opened)};
  if (header.epoch_committed - batch.read_time_last > kLateKeyAfterNs) {
    checked.entry.flags |= evidence::kFlagLateKey;
  }
  if (batch.read_time_last - now > kClockAheadMaxNs) {
    checked.entry.flags |= evidence::kFlagClock;
    checked.clock_ahead_ns = batch.read_time_last - now;
  }
  return checked;
}

}  // namespace logvault::server
