#include "cli/receipt_offline.h"

#include <utility>

#include "cli/offline_vault.h"
#include "evidence/access.h"
#include "evidence/merkle.h"
#include "net/access.h"
#include "query/ask.h"
#include "query/messages.h"

namespace logvault::cli {
namespace {

std::string ResultRow(const query::Row& row) {
  v1::StreamName stream;
  stream.set_host(std::string(row.host));
  stream.set_source(std::string(row.source));
  v1::Row message;
  query::FillRow(row, message);
  return net::ResultRow(stream, message);
}

std::string ResultRow(const query::TableRow& row) {
  v1::TableRow message;
  query::FillTableRow(row, message);
  return net::ResultRow(message);
}

// The tree that the receipt is about is the folder's.
Status CheckHistory(const evidence::SearchReceipt& receipt, const OfflineVault& vault) {
  if (vault.key().name != receipt.origin)
    return Integrity("the folder is of the vault " + vault.key().name);
  if (receipt.tree_size > vault.checkpoint().size) {
    return Integrity("the folder holds " + std::to_string(vault.checkpoint().size) +
                     " blocks, fewer than the receipt is about: it is an older copy");
  }
  Result<evidence::Hash> root = evidence::RootAt(receipt.tree_size, vault.reader().Nodes());
  if (!root.ok()) return root.status();
  if (*root == receipt.root) return Status::Ok();
  return Integrity("the folder's history is not the one that the receipt is about");
}

// The call stands behind the tree that it asked; a copy may end between.
Status CheckCall(const evidence::SearchReceipt& receipt, const OfflineVault& vault) {
  if (receipt.access >= vault.checkpoint().size) {
    Tell("note: the folder ends before block " + std::to_string(receipt.access) +
         ", which says who asked");
    return Status::Ok();
  }
  Result<evidence::BlockHeader> block = vault.reader().Block(receipt.access);
  if (!block.ok()) return block.status();
  const Result<evidence::AccessBody> call = evidence::AccessBody::Parse(block->body);
  if (block->kind == evidence::BlockKind::kAccess && call.ok() && call->call == net::kCallSearch &&
      call->tree_size == receipt.tree_size && call->query_hash == evidence::Sha256(receipt.query))
    return Status::Ok();
  return Integrity("block " + std::to_string(receipt.access) +
                   " is not the call that the receipt names");
}

}  // namespace

Result<Answer> AskFolderAgain(const evidence::SearchReceipt& receipt,
                              const v1::SearchRequest& request, Environment& env) {
  Result<query::Request> asked = query::RequestFrom(request);
  if (!asked.ok()) return asked.status();
  asked->tree_size = request.tree_size();
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  LV_RETURN_IF_ERROR(CheckHistory(receipt, *vault));
  LV_RETURN_IF_ERROR(CheckCall(receipt, *vault));
  Answer answer;
  answer.problems = vault->problems();
  answer.tree_size = receipt.tree_size;
  evidence::ResultHash result;
  query::AskObserver observer;
  observer.search.on_row = [&result](const query::Row& row) {
    result.Add(ResultRow(row));
    return true;
  };
  observer.on_table_row = [&result](const query::TableRow& row) {
    result.Add(ResultRow(row));
    return true;
  };
  Result<query::Completeness> complete =
      query::Ask(vault->reader(), *asked, observer, env.interrupt.token());
  answer.interrupted = answer.cut_short = complete.status().code() == StatusCode::kCancelled;
  if (!complete.ok() && !answer.interrupted) return complete.status();
  if (complete.ok()) answer.completeness = *std::move(complete);
  answer.result = result.value();
  return answer;
}

}  // namespace logvault::cli
