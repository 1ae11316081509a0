#include "forwarder/intake.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/check.h"

namespace logvault::forwarder {

namespace {

std::string LostRecord(const std::string& source, std::uint64_t records, const char* reason) {
  return nlohmann::json{{"type", "gap"},
                        {"source", source},
                        {"records", records},
                        {"exact", true},
                        {"reason", reason}}
      .dump();
}

StreamHead HeadAfter(const SpooledBatch& batch, StreamHead head) {
  head.next_seq = batch.item.last_seq + 1;
  head.head_hash = batch.head_hash;
  return head;
}

}  // namespace

Intake::Intake(IntakeOptions options, const HostIdentity& identity, Spool& spool,
               const Witness& witness, Handover& handover, Doorbell& to_shipper, const Clock& clock)
    : options_(std::move(options)),
      identity_(identity),
      spool_(spool),
      witness_(witness),
      handover_(handover),
      to_shipper_(to_shipper),
      clock_(clock) {
  auto own = std::make_unique<OwnSource>(clock_);
  own_ = own.get();
  AddSource(std::string(kOwnSource), std::string(kOwnFormat), std::move(own));
  own_->Say(options_.start_record);
  next_heartbeat_ = clock_.Monotonic() + options_.heartbeat_nanos;
}

Result<std::unique_ptr<Intake>> Intake::Open(IntakeOptions options, const HostIdentity& identity,
                                             Spool& spool, const Witness& witness,
                                             Handover& handover, Doorbell& to_shipper,
                                             const Clock& clock) {
  std::unique_ptr<Intake> intake(
      new Intake(std::move(options), identity, spool, witness, handover, to_shipper, clock));
  Result<std::uint64_t> last = spool.LastEpoch();
  if (!last.ok()) return last.status();
  Result<std::unique_ptr<Epoch>> epoch = Epoch::Start(identity, *last, clock);
  if (!epoch.ok()) return epoch.status();
  intake->epoch_ = *std::move(epoch);
  Result<FormatDictionaries> dictionaries = FormatDictionaries::Load(spool);
  if (!dictionaries.ok()) return dictionaries.status();
  intake->dictionaries_ = *std::move(dictionaries);
  return intake;
}

void Intake::AddSource(std::string name, std::string format, std::unique_ptr<Source> source) {
  auto stream = std::make_unique<Stream>();
  stream->name = std::move(name);
  stream->format = std::move(format);
  stream->source = std::move(source);
  streams_.push_back(std::move(stream));
}

// Where the stream stands by the spool alone; it stays unadopted where the spool does not know it.
Status Intake::LoadHead(Stream& stream) {
  Result<std::optional<StreamHead>> head = spool_.Head(stream.name);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return Status::Ok();
  Result<std::vector<evidence::PositionEntry>> position = spool_.Position(stream.name);
  if (!position.ok()) return position.status();
  stream.head = **head;
  stream.adopted = true;
  stream.source->Resume(*position, stream.head.next_seq > 1);
  return Status::Ok();
}

Status Intake::LoadHeads() {
  for (const std::unique_ptr<Stream>& stream : streams_) LV_RETURN_IF_ERROR(LoadHead(*stream));
  return Status::Ok();
}

bool Intake::Step() {
  ActOnNews();
  if (held_.has_value() && clock_.Monotonic() >= retry_held_) CommitHeld();
  if (stopped_) return false;
  if (held_.has_value()) {
    WatchAll();
    return false;
  }
  SayWhatIsDue();
  bool more = ReadAll();
  if (!held_.has_value()) SealWhatIsDue();
  return more;
}

void Intake::WatchAll() {
  for (const std::unique_ptr<Stream>& stream : streams_) stream->source->Watch();
}

bool Intake::ReadAll() {
  bool more = false;
  // The own stream last: the others make records for it.
  for (auto stream = streams_.rbegin(); stream != streams_.rend() && !held_.has_value(); ++stream) {
    more = ReadStream(**stream, kBatchesInARow) || more;
  }
  return more;
}

// Seals `most` batches at most; true where the next is full too.  While one is sealed, the one before enters the spool and the
// next is filled.
bool Intake::ReadStream(Stream& stream, int most) {
  if (!stream.adopted) {
    stream.source->Watch();
    return false;
  }
  const std::int64_t turn_end = clock_.Monotonic() + kTurnNanos;
  Fill(stream);
  for (int batches = 0; batches < most && !stream.idle && !held_.has_value(); ++batches) {
    if (batches > 0 && clock_.Monotonic() >= turn_end) break;
    HoldSealed();
    std::vector<ToSeal> full = Close({&stream});
    std::swap(stream.batch, spare_);  // `full` goes on to name the one that is to be sealed
    SealBeside(std::move(full));
    if (held_.has_value()) CommitHeld();
    if (!held_.has_value()) Fill(stream);
  }
  HoldSealed();
  if (held_.has_value()) CommitHeld();
  return !stream.idle;
}

void Intake::Fill(Stream& stream) {
  stream.idle = stream.source->Read(*stream.batch) == Source::Outcome::kIdle;
  for (std::string& record : stream.source->TakeOwnRecords()) own_->Say(std::move(record));
}

void Intake::SealWhatIsDue() {
  const auto is_due = [this](const Stream& stream) {
    return !stream.batch->empty() && clock_.Monotonic() - stream.last_flush >= flush_interval_;
  };
  // What the own stream says of the others' bytes is committed with them: none of it is left behind.
  const bool all = is_due(*streams_.front());
  std::vector<Stream*> due;
  for (const std::unique_ptr<Stream>& stream : streams_) {
    if (is_due(*stream) || (all && !stream->batch->empty())) due.push_back(stream.get());
  }
  if (!due.empty()) SealAndCommit(due);
}

void Intake::Flush() {
  if (held_.has_value()) CommitHeld();
  if (held_.has_value()) return;
  std::vector<Stream*> open;
  for (const std::unique_ptr<Stream>& stream : streams_) {
    if (!stream->batch->empty()) open.push_back(stream.get());
  }
  if (!open.empty()) SealAndCommit(open);
}

void Intake::SealAndCommit(std::vector<Stream*> streams) {
  SealBeside(Close(std::move(streams)));
  HoldSealed();
  CommitHeld();
}

std::vector<Intake::ToSeal> Intake::Close(std::vector<Stream*> streams) {
  AddOwnWords(streams);
  std::vector<ToSeal> closed;
  for (Stream* stream : streams) {
    stream->bytes += stream->batch->builder().raw_bytes();
    closed.push_back(
        {stream, stream->batch.get(), HeadOf(*stream), stream->source->TakePosition(), {}});
    if (stream->name == kOwnSource) closed.back().settled = own_->TakeSettled();
  }
  return closed;
}

// One thread seals what is new, and keeps what it needs for that.  Until HoldSealed(), what sealing reads (the batches, the
// epoch, the dictionaries) is that thread's.
void Intake::SealBeside(std::vector<ToSeal> closed) {
  LV_CHECK(!sealing_.valid());
  const bool first_of_epoch =
      !registered_ && !(held_.has_value() && held_->registration.has_value());
  sealing_ = sealer_.Run(
      [this, closed = std::move(closed), first_of_epoch] { return Seal(closed, first_of_epoch); });
}

SpoolCommit Intake::Seal(const std::vector<ToSeal>& closed, bool first_of_epoch) {
  SpoolCommit commit;
  if (first_of_epoch) commit.registration = epoch_->registration();
  const Seen seen = witness_.seen();
  for (const ToSeal& each : closed) {
    const Stream& stream = *each.stream;
    commit.batches.push_back(epoch_->Seal(stream.name, each.head, seen, each.batch->builder(),
                                          each.position, dictionaries_.For(stream.format)));
    commit.settled.insert(commit.settled.end(), each.settled.begin(), each.settled.end());
  }
  epoch_->Advance();
  return commit;
}

// What was sealed last, if anything, is held behind what is held already.
void Intake::HoldSealed() {
  if (!sealing_.valid()) return;
  SpoolCommit sealed = sealing_.get();
  if (!held_.has_value()) {
    held_ = std::move(sealed);
    return;
  }
  std::move(sealed.batches.begin(), sealed.batches.end(), std::back_inserter(held_->batches));
  held_->settled.insert(held_->settled.end(), sealed.settled.begin(), sealed.settled.end());
}

// Which the next batch of the stream follows.
StreamHead Intake::HeadOf(const Stream& stream) const {
  StreamHead head = stream.head;
  if (!held_.has_value()) return head;
  for (const SpooledBatch& batch : held_->batches) {
    if (batch.item.source == stream.name) head = HeadAfter(batch, head);
  }
  return head;
}

// What a source says of its bytes is committed with the position it says it of: neither outlives a crash alone.
void Intake::AddOwnWords(std::vector<Stream*>& streams) {
  Stream* own = streams_.front().get();
  if (!own->adopted || std::find(streams.begin(), streams.end(), own) != streams.end()) return;
  own->source->Read(*own->batch);
  if (!own->batch->empty()) streams.push_back(own);
}

void Intake::CommitHeld() {
  trouble_ = spool_.Append(*held_);
  if (trouble_.ok()) return OnAppended();
  retry_held_ = clock_.Monotonic() + kSpoolRetryNanos;
  if (blocked_since_ == 0) blocked_since_ = clock_.Now();
}

void Intake::OnAppended() {
  to_shipper_.Ring();
  SayThatItWasBlocked();
  for (const SpooledBatch& batch : held_->batches) {
    Stream* stream = Find(batch.item.source);
    stream->head = HeadAfter(batch, stream->head);
    stream->last_flush = clock_.Monotonic();
  }
  for (std::int64_t id : held_->settled) owed_said_.erase(id);
  held_.reset();
  registered_ = true;
  ++commits_;
}

void Intake::SayThatItWasBlocked() {
  if (blocked_since_ == 0) return;
  std::int64_t seconds = (clock_.Now() - std::exchange(blocked_since_, 0)) / kNanosPerSecond;
  own_->Say(nlohmann::json{
      {"type", "warning"},
      {"reason", "the spool took nothing, sources had to wait"},
      {"seconds",
       seconds}}.dump());
}

Intake::Stream* Intake::Find(std::string_view name) const {
  auto found =
      std::find_if(streams_.begin(), streams_.end(),
                   [name](const std::unique_ptr<Stream>& stream) { return stream->name == name; });
  return found == streams_.end() ? nullptr : found->get();
}

void Intake::SayWhatIsDue() {
  std::int64_t now = clock_.Monotonic();
  if (now >= next_owed_) {
    next_owed_ = now + kNanosPerSecond;
    SayOwed();
  }
  if (now < next_heartbeat_) return;
  next_heartbeat_ = now + options_.heartbeat_nanos;
  own_->Say(Heartbeat());
}

void Intake::SayOwed() {
  Result<std::vector<OwedRecord>> owed = spool_.Owed();
  if (!owed.ok()) return;  // Asked again in a second.
  for (OwedRecord& record : *owed) {
    if (owed_said_.insert(record.id).second) own_->Say(std::move(record.json), record.id);
  }
}

std::vector<Intake::SourceReport> Intake::Sources() const {
  std::vector<SourceReport> reports;
  for (const std::unique_ptr<Stream>& stream : streams_) {
    if (stream->name == kOwnSource) continue;
    SourceState state = stream->source->state();
    if (!stream->adopted) state.state = "waiting";
    reports.push_back({stream->name, stream->head.next_seq - 1, stream->bytes, std::move(state)});
  }
  return reports;
}

std::string Intake::Heartbeat() const {
  nlohmann::json sources = nlohmann::json::object();
  for (const SourceReport& report : Sources()) {
    nlohmann::json entry = {{"last", report.last_seq},
                            {"lag_bytes", report.state.lag_bytes},
                            {"state", report.state.state}};
    if (!report.state.detail.empty()) entry["detail"] = report.state.detail;
    sources[report.name] = std::move(entry);
  }
  SpoolFigures figures = spool_.figures();
  return nlohmann::json{{"type", "heartbeat"},
                        {"sources", std::move(sources)},
                        {"spool_bytes", figures.pending_bytes},
                        {"spool_items", figures.pending_items}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool Intake::AnyUnadopted() const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [](const std::unique_ptr<Stream>& stream) { return !stream->adopted; });
}

bool Intake::ReadOut() const {
  return !held_.has_value() &&
         std::all_of(streams_.begin(), streams_.end(), [](const std::unique_ptr<Stream>& stream) {
           return stream->adopted && stream->idle && stream->batch->empty();
         });
}

void Intake::Stop(std::string record) {
  GiveUpHeld();
  ReadWhatIsNowhereElse();
  Flush();
  GiveUpHeld();
  stopped_ = true;
  Stream& own = *streams_.front();
  if (!own.adopted) return;
  own_->Say(std::move(record));
  while (own.source->Read(*own.batch) == Source::Outcome::kFull && !held_.has_value())
    SealAndCommit({&own});
  if (!own.batch->empty() && !held_.has_value()) SealAndCommit({&own});
}

void Intake::ReadWhatIsNowhereElse() {
  for (const std::unique_ptr<Stream>& stream : streams_) {
    if (stream->source->reads_again()) continue;
    stream->source->Finish();
    if (!stream->adopted) {
      if (stream->source.get() != own_) OweUnnumbered(*stream);
      continue;
    }
    bool more = true;
    for (int batches = 0; more && batches < kStopBatchesMax; ++batches) {
      more = ReadStream(*stream, 1);
      GiveUpHeld();
    }
  }
}

// No number can be given to what came before the vault was ever reached, and at the end it is nowhere: the own stream, which
// may have no numbers either, says so once it has.
void Intake::OweUnnumbered(Stream& stream) {
  std::uint64_t records = 0;
  for (int batches = 0; batches == 0 || (!stream.idle && batches < kStopBatchesMax); ++batches) {
    Fill(stream);
    records += stream.batch->record_count();
    stream.batch = std::make_unique<OpenBatch>();
  }
  if (records == 0) return;
  const Status owed =
      spool_.Owe(LostRecord(stream.name, records, "stopped before the vault was reached"));
  if (!owed.ok()) spdlog::error("a gap of source {} is not told: {}", stream.name, owed.ToString());
}

// What the spool has no room for must not keep the rest out: first what is read again is dropped, then what came by
// network, which is told; the own stream's records have a reserve in the spool.
void Intake::GiveUpHeld() {
  CommitHeldOf([](const Stream& stream) { return !stream.source->reads_again(); });
  CommitHeldOf([this](const Stream& stream) { return stream.source.get() == own_; });
  if (held_.has_value()) spdlog::error("own records are lost: {}", trouble_.ToString());
  held_.reset();
}

void Intake::CommitHeldOf(const std::function<bool(const Stream&)>& wanted) {
  if (!held_.has_value()) return;
  std::erase_if(held_->batches, [&](const SpooledBatch& batch) {
    Stream& stream = *Find(batch.item.source);
    if (wanted(stream)) return false;
    if (stream.source->reads_again())
      stream.batch = std::make_unique<OpenBatch>();  // it follows on what is dropped
    else
      own_->Say(LostRecord(batch.item.source, batch.item.last_seq - batch.item.first_seq + 1,
                           "stopped while the spool had no room"));
    return true;
  });
  if (held_->batches.empty()) return held_.reset();
  CommitHeld();
}

}  // namespace logvault::forwarder
