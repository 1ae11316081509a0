#include "server/alerts_answer.h"

#include <utility>

#include "net/access.h"
#include "server/proofs.h"
#include "storage/alert_scan.h"

namespace logvault::server {
namespace {

constexpr std::size_t kEventBytes = 256 * 1024;

Status SendAlerts(const QueryContext& query, const v1::AlertsRequest& request, Access& access,
                  EventStream<v1::AlertsEvent>& stream) {
  v1::AlertsEvent event;
  LV_RETURN_IF_ERROR(access.FillReceipt(*event.mutable_access()));
  storage::AlertScope scope;
  if (request.has_since()) scope.since = request.since();
  if (request.has_until()) scope.until = request.until();
  scope.tree_size = access.scope();
  std::size_t bytes = 0;
  Status status;
  const std::uint64_t unreadable =
      storage::ForEachAlert(query.reader(), scope, [&](const storage::ScannedBlock& alert) {
        v1::ProvenBlock& proven = *event.add_blocks();
        proven.set_block(alert.bytes);
        status = AddInclusion(query.reader(), alert.header.index, access.recorded(),
                              *proven.mutable_inclusion());
        if (!status.ok()) return false;
        access.AddRow(net::ResultRow(proven));
        bytes += proven.ByteSizeLong();
        if (bytes < kEventBytes) return !stream.stop_token().stop_requested();
        bytes = 0;
        return stream.Send(std::exchange(event, {}));
      });
  LV_RETURN_IF_ERROR(status);
  access.set_unreadable(unreadable);
  event.set_unreadable(unreadable);
  event.set_result_sha256(std::string(access.result().view()));
  stream.Send(std::move(event));
  return Status::Ok();
}

}  // namespace

Status AnswerAlerts(const QueryContext& query, const Caller& caller,
                    const v1::AlertsRequest& request, EventStream<v1::AlertsEvent>& stream) {
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallAlerts, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  const Status ended = stream.Settle(SendAlerts(query, request, *access, stream));
  access->End(ended);
  return ended;
}

}  // namespace logvault::server
