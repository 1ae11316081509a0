#include "server/search_receipt.h"

#include <utility>

#include "evidence/merkle.h"
#include "evidence/receipt.h"

namespace logvault::server {

Result<std::string> ReceiptFor(const QueryContext& query, const Access& access,
                               std::string query_text, const query::Completeness& complete) {
  Result<evidence::Hash> root = evidence::RootAt(access.scope(), query.reader().Nodes());
  if (!root.ok()) return root.status();
  evidence::SearchReceipt receipt;
  receipt.tree_size = access.scope();
  receipt.root = *root;
  receipt.access = access.index();
  receipt.answered_at = query.clock.Now();
  receipt.query = std::move(query_text);
  receipt.in_scope = complete.blocks_in_scope;
  receipt.pruned_by_header = complete.blocks_pruned;
  receipt.pruned_by_index = complete.blocks_pruned_by_index;
  receipt.counted = complete.blocks_counted;
  receipt.scanned = complete.blocks_scanned;
  receipt.deleted = complete.blocks_deleted;
  for (const query::Unreadable& block : complete.unreadable)
    receipt.unreadable.push_back(block.block);
  receipt.limit_reached = complete.limit_reached;
  receipt.matches = complete.matches;
  receipt.rows = complete.rows;
  receipt.result = access.result();
  return query.vault.Sign(std::move(receipt));
}

}  // namespace logvault::server
