// ProvenBlocks: an answer that is a list of blocks, as it arrives: each is proven to lie in the tree that covers the
// recorded call, and all together are what the vault says it sent.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/proven_block.h"
#include "cli/remote_vault.h"
#include "common/status.h"
#include "evidence/access.h"
#include "evidence/block.h"
#include "evidence/checkpoint.h"
#include "net/access.h"

namespace logvault::cli {

// `Event` has access, blocks and result_sha256.
template <typename Event>
class ProvenBlocks {
 public:
  // Given a block and its bytes; false: enough.
  using OnBlock = std::function<bool(const evidence::BlockHeader&, const std::string&)>;

  // `vault` outlives it; `call` and `text` are what the vault must have recorded.
  ProvenBlocks(RemoteVault& vault, std::string_view call, std::string text, OnBlock on_block)
      : vault_(vault), call_(call), text_(std::move(text)), on_block_(std::move(on_block)) {}

  // False where nothing more is to be read.
  bool Take(const Event& event) {
    status_ = TakeEvent(event);
    return status_.ok() && !enough_;
  }

  // Once the answer ended: why it is not whole.  OK where nobody wanted more.
  [[nodiscard]] Status status() const {
    if (!status_.ok() || done_ || enough_) return status_;
    return Internal("the vault ended its answer without saying that it was complete");
  }

 private:
  Status TakeEvent(const Event& event) {
    if (!tree_) {
      Result<evidence::Checkpoint> recorded = vault_.CheckAccess(event.access(), call_, text_);
      if (!recorded.ok()) return recorded.status();
      tree_ = *std::move(recorded);
    }
    for (const v1::ProvenBlock& proven : event.blocks()) {
      Result<evidence::BlockHeader> block = Proven(proven, *tree_);
      if (!block.ok()) {
        return Integrity("the vault shows a block that it cannot prove: " +
                         block.status().message());
      }
      result_.Add(net::ResultRow(proven));
      enough_ = !on_block_(*block, proven.block());
      if (enough_) return Status::Ok();
    }
    if (event.result_sha256().empty()) return Status::Ok();
    done_ = true;
    if (event.result_sha256() == result_.value().view()) return Status::Ok();
    return Integrity("the blocks that arrived are not the ones that the vault says it sent");
  }

  RemoteVault& vault_;
  const std::string_view call_;
  const std::string text_;
  const OnBlock on_block_;
  std::optional<evidence::Checkpoint> tree_;
  evidence::ResultHash result_;
  bool done_ = false;
  bool enough_ = false;
  Status status_;
};

}  // namespace logvault::cli
