#include "forwarder/epoch.h"

#include <algorithm>
#include <utility>

#include "evidence/batch.h"
#include "evidence/bodies.h"
#include "evidence/merkle.h"

namespace logvault::forwarder {

Epoch::Epoch(const HostIdentity& identity, std::uint64_t number, std::uint64_t previous,
             std::string_view k0)
    : host_(identity.host),
      number_(number),
      previous_(previous),
      ratchet_(k0),
      signing_key_(evidence::SigningKey::Generate()) {}

Result<std::unique_ptr<Epoch>> Epoch::Start(const HostIdentity& identity, std::uint64_t after,
                                            const Clock& clock) {
  std::uint64_t number = std::max(after + 1, static_cast<std::uint64_t>(clock.Now()));
  std::string k0 = evidence::RandomBytes(evidence::kHashSize);
  std::unique_ptr<Epoch> epoch(new Epoch(identity, number, after, k0));
  evidence::KeyBody body;
  body.host = identity.host;
  body.epoch = number;
  body.epoch_public_key = epoch->signing_key_.public_key();
  body.k0_hash = evidence::Sha256(k0);
  body.previous_epoch = after;
  body.certificate_der = identity.certificate_der;
  Result<std::string> box = evidence::SealTo(identity.vault_opening_key, k0, body.BoxContext());
  evidence::Wipe(k0);
  if (!box.ok()) return box.status().WithContext("sealing the epoch's key to the vault");
  body.box_hash = evidence::Sha256(*box);
  body.signature = identity.key.Sign(body.SignedBytes());
  SpooledItem& item = epoch->registration_;
  item.kind = ItemKind::kRegistration;
  item.epoch = number;
  item.header = body.Serialize();
  item.payload = *std::move(box);
  return epoch;
}

SpooledBatch Epoch::Seal(const std::string& source, const StreamHead& head, const Seen& seen,
                         evidence::PayloadBuilder& builder,
                         std::vector<evidence::PositionEntry> position,
                         const evidence::Dictionary* dictionary) const {
  evidence::PayloadBuilder::Sealed sealed = builder.Finish(
      head.next_seq, evidence::RandomBytes(evidence::kBatchKeySize), position, dictionary);
  evidence::BatchHeader header;
  header.stream_id = evidence::StreamId(host_, source);
  header.epoch = number_;
  header.first_seq = head.next_seq;
  header.record_count = sealed.record_count;
  header.seal_index = ratchet_.index();
  header.read_time_first = sealed.read_time_first;
  header.read_time_last = sealed.read_time_last;
  header.event_time_min = sealed.event_time_min;
  header.event_time_max = sealed.event_time_max;
  header.stream_prev = head.head_hash;
  header.records_root = sealed.records_root;
  header.payload_hash = sealed.payload_hash;
  header.seen_size = seen.size;
  header.seen_root = seen.root;
  SpooledBatch batch;
  batch.item.kind = ItemKind::kBatch;
  batch.item.source = source;
  batch.item.epoch = number_;
  batch.item.first_seq = header.first_seq;
  batch.item.last_seq = header.last_seq();
  batch.item.header = evidence::SealBatchHeader(header, ratchet_.key(), signing_key_);
  batch.item.payload = std::move(sealed.frame);
  batch.head_hash = evidence::LeafHash(batch.item.header);
  batch.position = std::move(position);
  return batch;
}

}  // namespace logvault::forwarder
