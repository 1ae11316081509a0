#include "forwarder/shipper.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/crash_point.h"
#include "forwarder/format_dictionaries.h"

namespace logvault::forwarder {

namespace {

// The spool's bell ends this wait; it bounds how late a lost session is noticed.
constexpr std::int64_t kIdleWaitNanos = kNanosPerSecond;
constexpr std::int64_t kOlderNoteNanos = 3600 * kNanosPerSecond;

evidence::BlockKind KindOf(const SpooledItem& item) {
  return item.kind == ItemKind::kBatch ? evidence::BlockKind::kRecords : evidence::BlockKind::kKey;
}

// Takes the payloads out of `items`: a receipt is checked against the header alone.
v1::AppendRequest RequestFor(std::vector<SpooledItem>& items, const std::string& session,
                             std::uint64_t have_size) {
  v1::AppendRequest request;
  request.set_session(session);
  request.set_have_size(have_size);
  for (SpooledItem& item : items) {
    v1::AppendItem* out = request.add_items();
    if (item.kind == ItemKind::kBatch) {
      out->mutable_batch()->set_header(item.header);
      out->mutable_batch()->set_payload(std::move(item.payload));
    } else {
      out->mutable_registration()->set_body(item.header);
      out->mutable_registration()->set_box(std::move(item.payload));
    }
  }
  return request;
}

std::string RefusedRecord(const SpooledItem& item, const std::string& reason) {
  return nlohmann::json{{"type", "gap"},
                        {"source", item.source},
                        {"first_seq", item.first_seq},
                        {"last_seq", item.last_seq},
                        {"exact", true},
                        {"reason", "set aside, the vault refused it: " + reason}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string AlarmRecord(const Status& failure) {
  return nlohmann::json{{"type", "warning"}, {"reason", failure.message()}, {"integrity", true}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Shipper::Shipper(ShipperOptions options, Connect connect, Spool& spool, Witness& witness,
                 Handover& handover, const Clock& clock)
    : options_(std::move(options)),
      connect_(std::move(connect)),
      spool_(spool),
      witness_(witness),
      handover_(handover),
      clock_(clock) {}

std::int64_t Shipper::Step() {
  if (handover_.open()) return kIdleWaitNanos;
  std::int64_t wait = not_before_ - clock_.Monotonic();
  if (wait > 0) return wait;
  bool lost = session_.empty();
  if (!lost) {
    MutexLock lock(mutex_);
    lost = client_->session_lost();
  }
  return lost ? OpenSession() : ShipOldest();
}

std::int64_t Shipper::OpenSession() {
  EndSession();
  Status failure = Unavailable("no collector address");
  for (const std::string& address : options_.addresses) {
    Result<v1::SessionOpened> opened = OpenAt(address);
    failure = opened.ok() ? CheckOpened(*opened) : opened.status().WithContext(address);
    if (failure.ok()) {
      session_ = opened->session();
      SessionNews news = std::exchange(owed_news_, {});
      news.opened = *std::move(opened);
      {
        MutexLock lock(mutex_);
        state_.connected = true;
        state_.address = address;
        state_.trouble = Status::Ok();
        state_.flush_interval_ms = news.opened.flush_interval_ms();
        ++state_.sessions;
      }
      handover_.Post(std::move(news));
      return 0;
    }
    EndSession();
    // Other addresses are other ways to the same vault: they would say the same.
    if (failure.code() == StatusCode::kIntegrity || failure.code() == StatusCode::kPermissionDenied)
      break;
  }
  return Fail(failure, false);
}

Result<v1::SessionOpened> Shipper::OpenAt(const std::string& address) {
  Result<std::unique_ptr<net::IngestClient>> connected = connect_(address);
  if (!connected.ok()) return connected.status();
  std::shared_ptr<net::IngestClient> client = *std::move(connected);
  {
    MutexLock lock(mutex_);
    if (cancelled_) return Cancelled("stopping");
    client_ = client;
  }
  Result<v1::OpenRequest> request = MakeOpenRequest();
  if (!request.ok()) return request.status();
  return client->Open(*request);
}

// Names every configured source, and those that no longer are while something of them waits.
Result<v1::OpenRequest> Shipper::MakeOpenRequest() {
  v1::OpenRequest request;
  std::set<std::string> named;
  for (const v1::StreamDescriptor& stream : options_.streams) {
    *request.add_streams() = stream;
    named.insert(stream.source());
    LV_RETURN_IF_ERROR(spool_.KeepDescriptor(stream.source(), stream.SerializeAsString()));
  }
  Result<std::vector<std::string>> waiting = spool_.WaitingSources();
  if (!waiting.ok()) return waiting.status();
  for (const std::string& source : *waiting) {
    if (named.contains(source)) continue;
    Result<std::string> kept = spool_.Descriptor(source);
    if (!kept.ok()) return kept.status();
    if (!request.add_streams()->ParseFromString(*kept))
      return Corruption("spool: descriptor of " + source);
  }
  Result<std::string> note = spool_.Note();
  if (!note.ok()) return note.status();
  request.set_have_note(*note);
  Result<std::vector<std::shared_ptr<const evidence::Dictionary>>> dictionaries =
      spool_.Dictionaries();
  if (!dictionaries.ok()) return dictionaries.status();
  for (const auto& dictionary : *dictionaries)
    request.add_have_dictionaries(std::string(dictionary->hash().view()));
  return request;
}

Status Shipper::CheckOpened(const v1::SessionOpened& opened) {
  Result<evidence::Checkpoint> checkpoint =
      witness_.Check(opened.checkpoint(), opened.consistency());
  if (!checkpoint.ok()) {
    OnIntegrityFailure(checkpoint.status(), opened.checkpoint());
    return checkpoint.status();
  }
  if (Status proven = CheckDictionaries(opened, *checkpoint); !proven.ok()) {
    OnIntegrityFailure(proven, opened.checkpoint());
    return proven;
  }
  for (const v1::StreamState& stream : opened.streams()) {
    Result<std::optional<StreamHead>> head = spool_.Head(stream.source());
    if (!head.ok()) return head.status();
    if (!head->has_value() || stream.last_seq() >= (*head)->acked_seq) continue;
    Status lost =
        Integrity("the vault acknowledged record " + std::to_string((*head)->acked_seq) + " of " +
                  stream.source() + " and now ends at " + std::to_string(stream.last_seq()));
    OnIntegrityFailure(lost, opened.checkpoint());
    return lost;
  }
  LV_RETURN_IF_ERROR(spool_.Acknowledge({}, opened.checkpoint()));
  witness_.Keep(*checkpoint);
  return Status::Ok();
}

std::int64_t Shipper::ShipOldest() {
  Result<std::vector<SpooledItem>> items = spool_.Oldest(kMaxRequestBytes, kMaxRequestItems);
  if (!items.ok()) return Fail(items.status(), true);
  if (items->empty()) return kIdleWaitNanos;
  std::shared_ptr<net::IngestClient> client;
  {
    MutexLock lock(mutex_);
    client = client_;
  }
  Result<v1::AppendResponse> response =
      client->Append(RequestFor(*items, session_, witness_.seen().size));
  if (!response.ok()) {
    // Load is no reason to open anew; anything else may be the session's end.
    return Fail(response.status(), response.status().code() == StatusCode::kResourceExhausted);
  }
  LV_CRASH_POINT("shipper.answered");
  Result<evidence::Checkpoint> checkpoint = CheckResponse(*items, *response);
  if (!checkpoint.ok()) {
    OnIntegrityFailure(checkpoint.status(), response->checkpoint());
    return Fail(checkpoint.status(), false);
  }
  if (Status settled = Settle(*items, *response, *checkpoint); !settled.ok())
    return Fail(settled, true);
  backoff_.Reset();
  return 0;
}

// Everything that the answer claims is proven before anything is done about it.
Result<evidence::Checkpoint> Shipper::CheckResponse(const std::vector<SpooledItem>& items,
                                                    const v1::AppendResponse& response) {
  if (static_cast<std::size_t>(response.receipts_size()) != items.size()) {
    return Integrity("the vault answered " + std::to_string(items.size()) + " items with " +
                     std::to_string(response.receipts_size()) + " receipts");
  }
  Result<evidence::Checkpoint> checkpoint =
      witness_.Check(response.checkpoint(), response.consistency());
  if (!checkpoint.ok()) return checkpoint;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const v1::ItemReceipt& receipt = response.receipts(static_cast<int>(i));
    switch (receipt.outcome()) {
      case v1::ItemReceipt::COMMITTED:
      case v1::ItemReceipt::REPEATED:
        LV_RETURN_IF_ERROR(VerifyReceipt(receipt, KindOf(items[i]), items[i].header, *checkpoint));
        break;
      case v1::ItemReceipt::CONFLICT:
      case v1::ItemReceipt::REFUSED:
        break;
      default:
        return Integrity("a receipt without an outcome");
    }
  }
  return checkpoint;
}

Status Shipper::SettleItem(const SpooledItem& item, const v1::ItemReceipt& receipt,
                           Settled& settled) {
  if (receipt.outcome() == v1::ItemReceipt::COMMITTED ||
      receipt.outcome() == v1::ItemReceipt::REPEATED) {
    settled.proven.push_back(item.id);
    settled.bytes += item.size;
  } else if (item.kind == ItemKind::kRegistration) {
    // Without its key nothing of that epoch can be accepted: its batches are sealed again in a new one.
    LV_RETURN_IF_ERROR(spool_.Discard(item.id));
    owed_news_.renew_epoch = settled.reopen = true;
  } else if (receipt.outcome() == v1::ItemReceipt::CONFLICT) {
    owed_news_.conflicts.insert(item.source);
    settled.reopen = true;
  } else if (receipt.seal_anew()) {
    // A damaged spool lost the registration, or the vault is an older copy: these records are as good as before.
    owed_news_.renew_epoch = settled.reopen = true;
  } else if (!owed_news_.renew_epoch) {
    LV_RETURN_IF_ERROR(spool_.SetAside(item.id, RefusedRecord(item, receipt.reason())));
    ++settled.set_aside;
  }
  return Status::Ok();
}

Status Shipper::Settle(const std::vector<SpooledItem>& items, const v1::AppendResponse& response,
                       const evidence::Checkpoint& checkpoint) {
  Settled settled;
  for (std::size_t i = 0; i < items.size(); ++i)
    LV_RETURN_IF_ERROR(SettleItem(items[i], response.receipts(static_cast<int>(i)), settled));
  LV_RETURN_IF_ERROR(spool_.Acknowledge(settled.proven, response.checkpoint()));
  witness_.Keep(checkpoint);
  LV_RETURN_IF_ERROR(KeepNow(response.checkpoint()));
  Count(settled, response.flush_interval_ms());
  if (settled.reopen) EndSession();
  // Records sealed again and refused again must not spin.
  if (settled.reopen && settled.proven.empty())
    return Aborted("the vault gave our numbers to other records");
  return Status::Ok();
}

void Shipper::Count(const Settled& settled, std::uint32_t flush_interval_ms) {
  MutexLock lock(mutex_);
  state_.items_shipped += settled.proven.size();
  state_.bytes_shipped += settled.bytes;
  state_.last_receipt = clock_.Now();
  state_.set_aside += settled.set_aside;
  state_.flush_interval_ms = flush_interval_ms;
  state_.trouble = Status::Ok();
}

Status Shipper::KeepNow(const std::string& note) {
  if (clock_.Monotonic() < next_older_note_) return Status::Ok();
  LV_RETURN_IF_ERROR(spool_.KeepOlderNote(note));
  next_older_note_ = clock_.Monotonic() + kOlderNoteNanos;
  return Status::Ok();
}

std::int64_t Shipper::Fail(const Status& failure, bool keep_session) {
  if (!keep_session) EndSession();
  {
    MutexLock lock(mutex_);
    state_.trouble = failure;
  }
  std::int64_t wait = backoff_.Next();
  not_before_ = clock_.Monotonic() + wait;
  return wait;
}

void Shipper::OnIntegrityFailure(const Status& failure, const std::string& note) {
  // Both are best effort: the failure itself is what the caller reports, and nothing is freed meanwhile.
  if (last_alarm_ == failure.message()) return;
  last_alarm_ = failure.message();
  (void)(witness_.IsSigned(note) ? spool_.KeepContradiction(note) : spool_.KeepRefused(note));
  (void)spool_.Owe(AlarmRecord(failure));
}

void Shipper::EndSession() {
  session_.clear();
  std::shared_ptr<net::IngestClient> client;
  {
    MutexLock lock(mutex_);
    client = std::exchange(client_, nullptr);
    state_.connected = false;
  }
  if (client != nullptr) client->Close();
}

void Shipper::Close() { EndSession(); }

ShipperState Shipper::state() const {
  MutexLock lock(mutex_);
  return state_;
}

void Shipper::Cancel() {
  std::shared_ptr<net::IngestClient> client;
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
    client = client_;
  }
  if (client != nullptr) client->Cancel();
}

}  // namespace logvault::forwarder
