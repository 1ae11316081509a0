#include "server/append_call.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "common/crash_point.h"
#include "server/alerts.h"
#include "server/batch_check.h"
#include "server/epoch_end.h"
#include "server/proofs.h"
#include "server/refusal.h"
#include "server/registration_check.h"

namespace logvault::server {
namespace {

v1::ItemReceipt::Outcome OutcomeOf(storage::Outcome outcome) {
  switch (outcome) {
    case storage::Outcome::kCommitted:
      return v1::ItemReceipt::COMMITTED;
    case storage::Outcome::kRepeated:
      return v1::ItemReceipt::REPEATED;
    case storage::Outcome::kConflict:
      return v1::ItemReceipt::CONFLICT;
  }  // No default: the compiler names any outcome added and not mapped.
  return v1::ItemReceipt::UNSPECIFIED;
}

evidence::Hash StreamOf(const v1::Batch& batch) {
  Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(batch.header());
  return header.ok() ? header->stream_id : evidence::Hash{};
}

}  // namespace

AppendCall::AppendCall(IngestContext& ingest, std::string host, v1::AppendRequest& request,
                       v1::AppendResponse& response, Finish finish)
    : ingest_(ingest),
      host_(std::move(host)),
      request_(request),
      response_(response),
      finish_(std::move(finish)),
      accepted_(static_cast<std::size_t>(request.items_size())) {
  for (int i = 0; i < request.items_size(); ++i) response_.add_receipts();
}

void AppendCall::Step() {
  if (next_item_ == 0) {
    const Status within = CheckLimits();
    if (!within.ok()) return End(within);
  }
  CheckSlice();
}

// A registration is a slice alone, with no group before it: what follows needs its key.
int AppendCall::SliceEnd() const {
  if (next_item_ == request_.items_size()) return next_item_;
  if (request_.items(next_item_).has_registration())
    return group_.empty() ? next_item_ + 1 : next_item_;
  const int end = std::min(request_.items_size(), next_item_ + kItemsPerSlice);
  std::size_t bytes = 0;
  int item = next_item_;
  for (; item < end && bytes < kSliceBytes && !request_.items(item).has_registration(); ++item)
    bytes += request_.items(item).batch().payload().size();
  return item;
}

// The slice's large payloads but the first are checked by the pool's next free threads, the rest by this one.  Who is done last
// goes on.
void AppendCall::CheckSlice() {
  CheckHeaders(SliceEnd());
  std::vector<int> here, beside;
  for (int i = 0; i < static_cast<int>(slice_.size()); ++i) {
    if (!slice_[static_cast<std::size_t>(i)].header.ok()) continue;
    const int item = next_item_ + i;
    const bool large = request_.items(item).batch().payload().size() >= kLargePayloadBytes;
    (large && !here.empty() ? beside : here).push_back(item);
  }
  unchecked_ = static_cast<int>(1 + beside.size());
  for (const int item : beside) {
    ingest_.pool.Continue([self = shared_from_this(), item] {
      self->CheckPayloadOf(item);
      self->OnChecked();
    });
  }
  for (const int item : here) CheckPayloadOf(item);
  OnChecked();
}

// Of the items up to before `end`, or to the first whose failure ends the call: what a header may cost is spent once.
void AppendCall::CheckHeaders(int end) {
  slice_.clear();
  for (int item = next_item_; item < end; ++item) {
    Verdict& verdict = slice_.emplace_back();
    if (!request_.items(item).has_batch()) continue;
    verdict.header = CheckHeader(ingest_.reader(), ingest_.seal_keys, host_,
                                 request_.items(item).batch().header(), verdict.foreign);
    if (!verdict.header.ok() && !WillStayWrong(verdict.header.status().code())) return;
  }
}

void AppendCall::CheckPayloadOf(int item) {
  v1::Batch& sent = *request_.mutable_items(item)->mutable_batch();
  Verdict& verdict = slice_[static_cast<std::size_t>(item - next_item_)];
  verdict.checked = CheckPayload(ingest_.reader(), *verdict.header, sent.header(),
                                 *sent.mutable_payload(), ingest_.clock.Now());
}

void AppendCall::OnChecked() {
  if (--unchecked_ > 0) return;
  const Status taken = TakeSlice();
  if (!taken.ok()) return End(taken);
  if (MayTakeMore()) return ingest_.pool.Later([self = shared_from_this()] { self->CheckSlice(); });
  if (!group_.empty()) return Submit();
  End(Answer());
}

Status AppendCall::TakeSlice() {
  std::vector<Verdict> slice = std::exchange(slice_, {});
  for (Verdict& verdict : slice) {
    LV_RETURN_IF_ERROR(TakeItem(next_item_, verdict));
    ++next_item_;
  }
  return Status::Ok();
}

// Before what was taken is committed.
bool AppendCall::MayTakeMore() const {
  if (next_item_ == request_.items_size() || group_bytes_ >= kCommitBytes) return false;
  if (group_.empty()) return true;
  return !request_.items(next_item_).has_registration() &&
         !(next_item_ > 0 && request_.items(next_item_ - 1).has_registration());
}

void AppendCall::End(const Status& status) {
  if (!status.ok()) ingest_.budgets.GiveBack(host_, taken_bytes_);
  if (status.code() == StatusCode::kResourceExhausted) ingest_.figures.Limited(host_);
  finish_(status);
}

Status AppendCall::CheckLimits() {
  LV_RETURN_IF_ERROR(ingest_.halt.status());
  if (request_.items_size() > kMaxItemsPerAppend) {
    return InvalidArgument("an Append may have at most " + std::to_string(kMaxItemsPerAppend) +
                           " items");
  }
  const std::uint64_t bytes = request_.ByteSizeLong();
  LV_RETURN_IF_ERROR(
      ingest_.budgets.TakeRate(host_, bytes, static_cast<std::uint64_t>(request_.items_size())));
  bool first_refusal = false;
  const Status within = ingest_.budgets.TakeBytes(host_, bytes, first_refusal);
  if (first_refusal) ingest_.Raise(QuotaAlert(host_, ingest_.host_bytes_per_day));
  if (within.ok()) taken_bytes_ = bytes;
  return within;
}

// OK where the item was taken or refused for what it is; else the whole call fails.
Status AppendCall::TakeItem(int item, Verdict& verdict) {
  const v1::AppendItem& sent = request_.items(item);
  Status taken = InvalidArgument("an item is a registration or a batch");
  if (sent.has_registration()) taken = TakeRegistration(item);
  if (sent.has_batch()) taken = TakeBatch(item, verdict);
  if (taken.ok() || !WillStayWrong(taken.code())) return taken;
  Refuse(item, taken.message());
  // Its epoch or its dictionary is not known here.
  const bool seal_anew = sent.has_batch() && taken.code() == StatusCode::kUnauthenticated;
  response_.mutable_receipts(item)->set_seal_anew(seal_anew);
  if (seal_anew) incomplete_.insert(StreamOf(sent.batch()));
  return Status::Ok();
}

Status AppendCall::TakeRegistration(int item) {
  const v1::Registration& sent = request_.items(item).registration();
  const RegistrationChecks checks{ingest_.reader(), ingest_.opening_keys, ingest_.revocation,
                                  ingest_.vault.genesis().ca_pem};
  Result<CheckedRegistration> checked =
      CheckRegistration(checks, host_, sent.body(), sent.box(), ingest_.clock.Now());
  if (!checked.ok()) return checked.status();
  if (checked->block.has_value()) {
    Result<std::string> block = ingest_.reader().BlockBytes(*checked->block);
    if (!block.ok()) return OurFault(block.status());
    TakeOutcome(item, {storage::Outcome::kRepeated, *checked->block, *std::move(block), 0});
    return Status::Ok();
  }

  LV_RETURN_IF_ERROR(ingest_.budgets.TakeEpoch(host_));
  Result<std::optional<EpochEnd>> before = HowNewestEpochEnded(ingest_.reader(), host_);
  if (!before.ok()) return OurFault(before.status());
  const bool unclean = before->has_value() && !(*before)->clean;
  if (unclean) checked->entry.flags |= evidence::kFlagUnclean;
  Add(std::move(checked->entry), item);
  if (unclean) {
    Add(UncleanAlert(host_, checked->key.epoch, (*before)->epoch, (*before)->last_seal), kNoItem);
  }
  return Status::Ok();
}

Status AppendCall::TakeBatch(int item, Verdict& verdict) {
  const v1::Batch& sent = request_.items(item).batch();
  // Taken, it would be a gap, and the one before it would come behind it.
  if (!incomplete_.empty() && incomplete_.contains(StreamOf(sent)))
    return Unauthenticated("it stands behind a batch that is to be sealed anew");
  const std::optional<StreamOwner>& foreign = verdict.foreign;
  if (foreign.has_value() && ingest_.alerts.Allow("foreign_stream " + host_)) {
    ingest_.Raise(ForeignStreamAlert(host_, foreign->host, foreign->source));
  }
  if (!verdict.header.ok()) return verdict.header.status();
  Result<CheckedBatch>& checked = verdict.checked;
  if (!checked.ok()) return checked.status();
  Accepted& accepted = accepted_[static_cast<std::size_t>(item)];
  accepted.records = checked->header.record_count;
  accepted.payload_bytes = checked->entry.payload.size();
  Add(std::move(checked->entry), item);
  LV_RETURN_IF_ERROR(TakeSeen(checked->header));
  if (checked->clock_ahead_ns > 0 && ingest_.alerts.Allow("clock " + host_)) {
    Add(ClockAlert(host_, checked->clock_ahead_ns), kNoItem);
  }
  return Status::Ok();
}

Status AppendCall::TakeSeen(const evidence::BatchHeader& batch) {
  Result<SeenCheck::Verdict> verdict = seen_check_.Check(batch, ingest_.vault);
  if (!verdict.ok()) return OurFault(verdict.status());
  if (*verdict == SeenCheck::Verdict::kOurs || !ingest_.alerts.Allow("seen " + host_)) {
    return Status::Ok();
  }
  Result<std::optional<storage::StreamHead>> stream = ingest_.reader().Stream(batch.stream_id);
  if (!stream.ok()) return OurFault(stream.status());
  const std::string source = stream->has_value() ? (*stream)->source : "";
  spdlog::error("host {} says it saw a checkpoint of size {} that is not in this vault's history",
                host_, batch.seen_size);
  Add(SeenAlert(host_, source, batch, *verdict == SeenCheck::Verdict::kAhead), kNoItem);
  return Status::Ok();
}

void AppendCall::Add(storage::Entry entry, int item) {
  group_bytes_ += entry.payload.size();
  group_.push_back(std::move(entry));
  group_items_.push_back(item);
}

void AppendCall::Refuse(int item, const std::string& reason) {
  spdlog::warn("refused item {} of host {}: {}", item, host_, reason);
  ++ingest_.counters.refused_items;
  ingest_.figures.Refused(host_);
  v1::ItemReceipt& receipt = *response_.mutable_receipts(item);
  receipt.set_outcome(v1::ItemReceipt::REFUSED);
  receipt.set_reason(reason);
}

void AppendCall::Submit() {
  std::vector<storage::Entry> group = std::exchange(group_, {});
  group_bytes_ = 0;
  auto self = shared_from_this();
  const Status queued =
      ingest_.committer.Submit(std::move(group), [self](const Result<storage::Commit>& commit) {
        self->ingest_.pool.Continue([self, commit] { self->OnCommitted(commit); });
      });
  if (!queued.ok()) End(queued);
}

void AppendCall::OnCommitted(const Result<storage::Commit>& commit) {
  if (!commit.ok()) return End(commit.status());
  LV_CRASH_POINT("collector.committed");
  const std::vector<int> items = std::exchange(group_items_, {});
  LV_CHECK(commit->entries.size() == items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i] != kNoItem) TakeOutcome(items[i], commit->entries[i]);
  }
  Step();
}

void AppendCall::TakeOutcome(int item, const storage::Appended& appended) {
  v1::ItemReceipt& receipt = *response_.mutable_receipts(item);
  receipt.set_outcome(OutcomeOf(appended.outcome));
  receipt.set_block(appended.block_bytes);
  receipt.set_last_seq(appended.stream_last_seq);
  accepted_[static_cast<std::size_t>(item)].block = appended.index;
  if (request_.items(item).has_batch()) Count(item, appended.outcome);
}

void AppendCall::Count(int item, storage::Outcome outcome) {
  Counters& counters = ingest_.counters;
  if (outcome == storage::Outcome::kRepeated) ++counters.repeated;
  if (outcome == storage::Outcome::kConflict) {
    ++counters.conflicts;
    spdlog::error(
        "conflict: host {} sent other records under numbers that are taken; see CONFLICT block {}",
        host_, *accepted_[static_cast<std::size_t>(item)].block);
  }
  if (outcome != storage::Outcome::kCommitted) return;
  const Accepted& accepted = accepted_[static_cast<std::size_t>(item)];
  ++counters.batches;
  counters.records += accepted.records;
  counters.payload_bytes += accepted.payload_bytes;
  ingest_.pace.Took(accepted.payload_bytes);
  ingest_.figures.Committed(host_, accepted.records, accepted.payload_bytes, ingest_.clock.Now());
}

// Everything is proven against one head, read after the commit: a repeated batch too gets a fresh
// proof.
Status AppendCall::Answer() {
  const storage::Head head = ingest_.vault.head();
  for (int i = 0; i < response_.receipts_size(); ++i) {
    const std::optional<std::uint64_t>& block = accepted_[static_cast<std::size_t>(i)].block;
    if (!block.has_value()) continue;
    LV_RETURN_IF_ERROR(AddInclusion(ingest_.reader(), *block, head,
                                    *response_.mutable_receipts(i)->mutable_inclusion()));
  }
  LV_RETURN_IF_ERROR(AddConsistency(ingest_.reader(), request_.have_size(), head,
                                    *response_.mutable_consistency()));
  response_.set_checkpoint(head.note);
  response_.set_flush_interval_ms(ingest_.FlushIntervalMs());
  return Status::Ok();
}

}  // namespace logvault::server
