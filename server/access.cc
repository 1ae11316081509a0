#include "server/access.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "server/proofs.h"

namespace logvault::server {
namespace {

constexpr std::size_t kReasonMax = 1024;  // bytes

// A piece ends between two characters: a body is UTF-8.
std::size_t PieceEnd(std::string_view text, std::size_t begin) {
  std::size_t end = std::min(text.size(), begin + evidence::kQueryTextInBodyMax);
  while (end < text.size() && end > begin && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return end;
}

storage::Entry EntryOf(evidence::BlockKind kind, std::string body) {
  storage::Entry entry;
  entry.kind = kind;
  entry.body = std::move(body);
  return entry;
}

// The ACCESS block, behind those that hold a text too long for it.
std::vector<storage::Entry> EntriesFor(evidence::AccessBody body, const std::string& text) {
  std::vector<storage::Entry> entries;
  if (text.size() <= evidence::kQueryTextInBodyMax) {
    body.query = text;
  } else {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = PieceEnd(text, at);
      const evidence::AccessTextBody piece{body.query_hash, at, text.substr(at, end - at)};
      entries.push_back(EntryOf(evidence::BlockKind::kAccess, piece.Serialize()));
      at = end;
    }
  }
  entries.push_back(EntryOf(evidence::BlockKind::kAccess, body.Serialize()));
  return entries;
}

evidence::AccessOutcome OutcomeOf(const Status& status, bool stopping) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kNotFound:  // an answer too
      return evidence::AccessOutcome::kComplete;
    case StatusCode::kCancelled:
      return stopping ? evidence::AccessOutcome::kCancelled : evidence::AccessOutcome::kLeft;
    case StatusCode::kAborted:
      return evidence::AccessOutcome::kCancelled;
    default:
      return evidence::AccessOutcome::kFailed;
  }
}

}  // namespace

Caller Caller::Of(const net::Peer& peer, std::string address) {
  return {peer.identity.name, std::string(ToString(peer.identity.role)),
          peer.certificate.fingerprint_hex(), std::move(address),
          std::make_shared<const net::Peer>(peer)};
}

Result<Access> Access::Begin(AccessLog& log, const Caller& caller, Question question) {
  storage::Head head = log.vault.head();
  if (question.tree_size > head.size) {
    return InvalidArgument("the vault has " + std::to_string(head.size) +
                           " blocks, the call asks for " + std::to_string(question.tree_size));
  }
  const std::uint64_t scope = question.tree_size == 0 ? head.size : question.tree_size;
  evidence::AccessBody body;
  body.name = caller.name;
  body.role = caller.role;
  body.certificate = caller.certificate;
  body.address = caller.address;
  body.call = question.call;
  body.tree_size = scope;
  body.query_hash = evidence::Sha256(question.text);
  body.query_bytes = question.text.size();
  Result<storage::Commit> commit =
      log.committer.SubmitAndWait(EntriesFor(std::move(body), question.text));
  if (!commit.ok()) {
    return commit.status().WithContext("the call could not be recorded, so it is not answered");
  }
  Access access(log, std::move(head), scope);
  access.index_ = commit->entries.back().index;
  access.block_ = std::move(commit->entries.back().block_bytes);
  access.recorded_ = std::move(commit->head);
  return access;
}

Status Access::FillReceipt(v1::AccessReceipt& receipt) const {
  receipt.set_block(block_);
  receipt.set_checkpoint(recorded_.note);
  receipt.set_scope(scope_);
  LV_RETURN_IF_ERROR(
      AddInclusion(log_->vault.reader(), index_, recorded_, *receipt.mutable_inclusion()));
  return AddConsistency(log_->vault.reader(), scope_, recorded_, *receipt.mutable_consistency());
}

void Access::End(const Status& status) {
  evidence::AccessEndBody body;
  body.access = index_;
  body.outcome = OutcomeOf(status, log_->stopping);
  body.rows = result_.rows();
  body.matches = matches_;
  body.unreadable = unreadable_;
  body.result = result_.value();
  body.reason = status.message().substr(0, kReasonMax);
  std::vector<storage::Entry> entries;
  entries.push_back(EntryOf(evidence::BlockKind::kAccessEnd, body.Serialize()));
  const Status queued = log_->committer.Submit(
      std::move(entries), [index = index_](const Result<storage::Commit>& commit) {
        if (commit.ok()) return;
        spdlog::error("the end of the call in block {} was not recorded: {}", index,
                      commit.status().ToString());
      });
  if (queued.ok()) return;
  spdlog::error("the end of the call in block {} was not recorded: {}", index_, queued.ToString());
}

}  // namespace logvault::server
