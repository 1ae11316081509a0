// What the intake does when the vault has said where each stream stands: adopt, go on, or seal anew.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "evidence/batch.h"
#include "evidence/payload.h"
#include "forwarder/intake.h"

namespace logvault::forwarder {

namespace {

v1::StreamState StateOf(const v1::SessionOpened& opened, const std::string& source) {
  for (const v1::StreamState& state : opened.streams()) {
    if (state.source() == source) return state;
  }
  return {};  // The vault has no record of it.
}

Result<StreamHead> HeadFrom(const v1::StreamState& state) {
  StreamHead head;
  head.next_seq = state.last_seq() + 1;
  head.acked_seq = state.last_seq();
  if (state.head_hash().empty() && state.last_seq() == 0) return head;
  Result<evidence::Hash> hash = evidence::Hash::FromBytes(state.head_hash());
  if (!hash.ok()) return hash.status().WithContext("head of " + state.source());
  head.head_hash = *hash;
  return head;
}

std::string UnopenedRecord(const std::string& source, std::uint64_t first_seq,
                           std::uint64_t last_seq, const std::string& why) {
  return nlohmann::json{
      {"type", "gap"},          {"source", source},
      {"first_seq", first_seq}, {"last_seq", last_seq},
      {"exact", true},          {"reason", "set aside, it cannot be sealed anew: " + why}}
      .dump();
}

}  // namespace

// Until it succeeds the shipper waits, and so does whatever is not adopted.
void Intake::ActOnNews() {
  if (std::optional<SessionNews> news = handover_.Take(); news.has_value()) news_ = std::move(news);
  if (!news_.has_value() || clock_.Monotonic() < retry_news_) return;
  trouble_ = Reconcile(*news_);
  if (!trouble_.ok()) {
    retry_news_ = clock_.Monotonic() + kNanosPerSecond;
    return;
  }
  news_.reset();
  handover_.Done();
}

Status Intake::Reconcile(const SessionNews& news) {
  LV_RETURN_IF_ERROR(dictionaries_.Take(news.opened, spool_));
  const std::uint64_t newest = news.opened.newest_epoch();
  bool outdated = newest > epoch_->number() || (!registered_ && newest > epoch_->previous());
  if (news.renew_epoch || outdated) LV_RETURN_IF_ERROR(RenewEpoch(newest));
  for (const std::string& source : news.conflicts) {
    Result<StreamHead> head = HeadFrom(StateOf(news.opened, source));
    if (!head.ok()) return head.status();
    LV_RETURN_IF_ERROR(Reseal(source, *head));
  }
  Result<std::vector<std::string>> waiting = spool_.WaitingSources();
  if (!waiting.ok()) return waiting.status();
  for (const std::unique_ptr<Stream>& stream : streams_) {
    v1::StreamState state = StateOf(news.opened, stream->name);
    bool behind = state.last_seq() >= stream->head.next_seq;
    bool waits = std::find(waiting->begin(), waiting->end(), stream->name) != waiting->end();
    // Batches that wait are shipped first: the vault says of each whether it has it.
    if (!stream->adopted || (behind && !waits)) LV_RETURN_IF_ERROR(Adopt(*stream, state));
  }
  if (held_.has_value()) return SealHeldAgain();
  return Status::Ok();
}

Status Intake::Adopt(Stream& stream, const v1::StreamState& state) {
  Result<StreamHead> head = HeadFrom(state);
  if (!head.ok()) return head.status();
  std::vector<evidence::PositionEntry> position;
  for (const v1::PositionEntry& entry : state.position())
    position.push_back({entry.key(), entry.value()});
  LV_RETURN_IF_ERROR(spool_.Adopt(stream.name, *head, position));
  stream.head = *head;
  stream.adopted = true;
  if (stream.source->Resume(position, state.last_seq() > 0)) {
    stream.batch = std::make_unique<OpenBatch>();
    DropHeld(stream.name);
  }
  return Status::Ok();
}

void Intake::DropHeld(const std::string& source) {
  if (!held_.has_value()) return;
  std::erase_if(held_->batches,
                [&](const SpooledBatch& batch) { return batch.item.source == source; });
}

// A new epoch, and everything that waits sealed in it.
Status Intake::RenewEpoch(std::uint64_t newest) {
  Result<std::uint64_t> last = spool_.LastEpoch();
  if (!last.ok()) return last.status();
  Result<std::unique_ptr<Epoch>> epoch = Epoch::Start(identity_, std::max(newest, *last), clock_);
  if (!epoch.ok()) return epoch.status();
  epoch_ = *std::move(epoch);
  registered_ = false;
  Result<std::vector<std::string>> waiting = spool_.WaitingSources();
  if (!waiting.ok()) return waiting.status();
  for (const std::string& source : *waiting) {
    Result<StreamHead> head = spool_.HeadBeforeWaiting(source);
    if (!head.ok()) return head.status();
    LV_RETURN_IF_ERROR(Reseal(source, *head));
  }
  return Status::Ok();
}

// The waiting batches of `source` become batches of this epoch that follow `head`.
Status Intake::Reseal(const std::string& source, StreamHead head) {
  std::optional<SpooledItem> registration;
  if (!registered_) registration = epoch_->registration();
  LV_RETURN_IF_ERROR(spool_.Reseal(source, registration, [&](const SpooledItem& item) {
    return SealAgainOrSetAside(item, head);
  }));
  registered_ = true;
  epoch_->Advance();
  if (Stream* stream = Find(source); stream != nullptr) stream->head = head;
  return Status::Ok();
}

// The numbers of a batch that cannot be opened stay free, so that the vault shows the gap.
Result<Spool::Resealed> Intake::SealAgainOrSetAside(const SpooledItem& item,
                                                    StreamHead& head) const {
  Result<SpooledBatch> again = SealAgain(item, evidence::kRecordReread, head);
  if (again.ok()) return Spool::Resealed{*std::move(again), {}};
  if (again.status().code() != StatusCode::kNotFound) return again.status();
  const std::uint64_t first = head.next_seq;
  head.next_seq += item.last_seq - item.first_seq + 1;
  return Spool::Resealed{std::nullopt, UnopenedRecord(item.source, first, head.next_seq - 1,
                                                      again.status().message())};
}

// What waits for room was sealed before numbers or keys changed.
Status Intake::SealHeldAgain() {
  std::map<std::string, StreamHead> heads;
  for (SpooledBatch& batch : held_->batches) {
    const std::string source = batch.item.source;
    StreamHead& head = heads.try_emplace(source, Find(source)->head).first->second;
    Result<SpooledBatch> again = SealAgain(batch.item, 0, head);
    if (!again.ok()) return again.status();
    batch = *std::move(again);
  }
  epoch_->Advance();
  if (registered_) held_->registration.reset();
  if (!registered_) held_->registration = epoch_->registration();
  if (held_->batches.empty() && held_->settled.empty()) held_.reset();
  return Status::Ok();
}

// The records of `item` as the batch after `head`, which moves on.
Result<SpooledBatch> Intake::SealAgain(const SpooledItem& item, std::uint32_t flags,
                                       StreamHead& head) const {
  Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(item.header);
  if (!header.ok()) return header.status();
  Result<evidence::Payload> payload = dictionaries_.Open(*header, item.payload);
  if (!payload.ok()) return payload.status();
  evidence::PayloadBuilder builder;
  for (std::uint32_t i = 0; i < payload->record_count(); ++i) {
    evidence::RecordView record = payload->record(i);
    record.flags |= flags;
    builder.Add(record);
  }
  const Stream* stream = Find(item.source);
  SpooledBatch batch =
      epoch_->Seal(item.source, head, witness_.seen(), builder, payload->position(),
                   stream == nullptr ? nullptr : dictionaries_.For(stream->format));
  head.next_seq = batch.item.last_seq + 1;
  head.head_hash = batch.head_hash;
  return batch;
}

}  // namespace logvault::forwarder
