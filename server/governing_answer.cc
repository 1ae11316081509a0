#include "server/governing_answer.h"

#include <spdlog/spdlog.h>

#include <map>
#include <string>
#include <utility>

#include "evidence/directive.h"
#include "net/access.h"
#include "pki/identity.h"
#include "server/proofs.h"

namespace logvault::server {
namespace {

constexpr std::size_t kEventBytes = 256 * 1024;

Status SendGoverning(const QueryContext& query, Access& access,
                     EventStream<v1::GoverningEvent>& stream) {
  Result<std::map<std::uint64_t, std::string>> blocks =
      query.reader().GoverningBlocks(access.scope());
  if (!blocks.ok()) return blocks.status();
  v1::GoverningEvent event;
  LV_RETURN_IF_ERROR(access.FillReceipt(*event.mutable_access()));
  std::size_t bytes = 0;
  for (const auto& [index, block] : *blocks) {
    v1::ProvenBlock& proven = *event.add_blocks();
    proven.set_block(block);
    LV_RETURN_IF_ERROR(
        AddInclusion(query.reader(), index, access.recorded(), *proven.mutable_inclusion()));
    access.AddRow(net::ResultRow(proven));
    bytes += proven.ByteSizeLong();
    if (bytes < kEventBytes) continue;
    bytes = 0;
    if (!stream.Send(std::exchange(event, {}))) return Cancelled("the client left");
  }
  event.set_result_sha256(std::string(access.result().view()));
  return stream.Send(std::move(event)) ? Status::Ok() : Cancelled("the client left");
}

// A refusal as its caller must see it: nothing that the vault holds is corrupt, the directive is.
Status AsRefusal(const Status& status) {
  if (status.code() == StatusCode::kCorruption)
    return PermissionDenied("the directive: " + status.message());
  return status;
}

// By what it says of itself: whether that is so, its signature tells later.
bool IsForInvestigators(std::string_view bytes) {
  Result<evidence::Directive> directive = evidence::Directive::Parse(bytes);
  if (!directive.ok()) return false;
  Result<evidence::Statement> statement = evidence::Statement::Parse(directive->statement);
  return statement.ok() && evidence::MayInvestigatorsSign(statement->type);
}

}  // namespace

Status AnswerGoverning(const QueryContext& query, const Caller& caller,
                       const v1::GoverningRequest& request,
                       EventStream<v1::GoverningEvent>& stream) {
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallGoverning, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  const Status ended = stream.Settle(SendGoverning(query, *access, stream));
  access->End(ended);
  return ended;
}

Status AnswerDirect(const QueryContext& query, const Caller& caller,
                    const v1::DirectRequest& request, v1::DirectResponse& response) {
  if (caller.role != pki::ToString(pki::Role::kAdmin) && !IsForInvestigators(request.directive())) {
    return PermissionDenied("only an administrator gives such a directive, and " + caller.name +
                            " is here as " + caller.role);
  }
  Result<evidence::Statement> statement =
      query.vault.governance()->Check(request.directive(), query.clock.Now());
  if (!statement.ok()) return AsRefusal(statement.status());
  if (statement->type == evidence::DirectiveType::kRollback) {
    return InvalidArgument("a rollback is accepted by logvault-collector --accept-rollback");
  }
  if (statement->type == evidence::DirectiveType::kNewKey &&
      !query.keys.CanOpen(statement->key.opening_public_key)) {
    return FailedPrecondition("the collector's vault.key does not hold the new X25519 key");
  }
  storage::Entry entry;
  entry.kind = evidence::KindOf(statement->type);
  entry.body = request.directive();
  Result<storage::Commit> commit = query.access.committer.SubmitAndWait({std::move(entry)});
  if (!commit.ok()) return AsRefusal(commit.status());
  const bool review = statement->type == evidence::DirectiveType::kReview;
  spdlog::warn("{} {}: {}", caller.name, review ? "reviewed alerts" : "ordered",
               statement->Serialize());
  const storage::Appended& appended = commit->entries.front();
  response.mutable_block()->set_block(appended.block_bytes);
  response.set_checkpoint(commit->head.note);
  return AddInclusion(query.reader(), appended.index, commit->head,
                      *response.mutable_block()->mutable_inclusion());
}

}  // namespace logvault::server
