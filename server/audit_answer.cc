#include "server/audit_answer.h"

#include <utility>

#include "net/access.h"
#include "server/proofs.h"
#include "storage/access_scan.h"

namespace logvault::server {
namespace {

constexpr std::size_t kEventBytes = 256 * 1024;

class CallSender {
 public:
  CallSender(const storage::Reader& reader, Access& access, EventStream<v1::AuditEvent>& stream)
      : reader_(reader), access_(access), stream_(stream) {}

  v1::AuditEvent& event() { return event_; }
  [[nodiscard]] const Status& status() const { return status_; }

  // False where it cannot go on: the reader is gone, or status() says why.
  bool Add(const storage::AccessRecord& record) {
    v1::Accessed& call = *event_.add_calls();
    status_ = Prove(record.asked, record.asked_bytes, *call.mutable_asked());
    if (status_.ok() && !record.ended_bytes.empty()) {
      status_ = Prove(record.ended, record.ended_bytes, *call.mutable_ended());
    }
    if (!status_.ok()) return false;
    access_.AddRow(net::ResultRow(call));
    bytes_ += call.ByteSizeLong();
    return bytes_ < kEventBytes || Flush();
  }

  bool Flush() {
    bytes_ = 0;
    gone_ = !stream_.Send(std::exchange(event_, {}));
    return !gone_;
  }
  [[nodiscard]] bool gone() const { return gone_ || stream_.stop_token().stop_requested(); }

 private:
  Status Prove(std::uint64_t index, const std::string& bytes, v1::ProvenBlock& proven) const {
    proven.set_block(bytes);
    return AddInclusion(reader_, index, access_.recorded(), *proven.mutable_inclusion());
  }

  const storage::Reader& reader_;
  Access& access_;
  EventStream<v1::AuditEvent>& stream_;
  v1::AuditEvent event_;
  std::size_t bytes_ = 0;
  bool gone_ = false;
  Status status_;
};

Status SendCalls(const QueryContext& query, const v1::AuditRequest& request, Access& access,
                 EventStream<v1::AuditEvent>& stream) {
  CallSender sender(query.reader(), access, stream);
  LV_RETURN_IF_ERROR(access.FillReceipt(*sender.event().mutable_access()));
  storage::AccessScope scope;
  if (request.has_since()) scope.since = request.since();
  if (request.has_until()) scope.until = request.until();
  scope.limit = request.limit();
  scope.tree_size = access.scope();
  // What was answered before this call ended before its block: the committer keeps the order.
  scope.ends_size = access.index();
  const std::uint64_t unreadable =
      storage::ForEachAccess(query.reader(), scope, [&sender](const storage::AccessRecord& record) {
        return !sender.gone() && sender.Add(record);
      });
  if (!sender.status().ok()) return sender.status();
  access.set_unreadable(unreadable);
  sender.event().set_unreadable(unreadable);
  sender.event().set_result_sha256(std::string(access.result().view()));
  sender.Flush();
  return Status::Ok();
}

}  // namespace

Status AnswerAudit(const QueryContext& query, const Caller& caller, const v1::AuditRequest& request,
                   EventStream<v1::AuditEvent>& stream) {
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallAudit, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  const Status ended = stream.Settle(SendCalls(query, request, *access, stream));
  access->End(ended);
  return ended;
}

}  // namespace logvault::server
