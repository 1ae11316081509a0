#include "cli/export_source.h"

#include <algorithm>
#include <utility>

#include "cli/offline_vault.h"
#include "cli/remote_search.h"
#include "cli/remote_vault.h"
#include "net/access.h"

namespace logvault::cli {
namespace {

Status Missing(std::uint64_t index, std::string_view reason) {
  return Corruption("block " + std::to_string(index) + ": " + std::string(reason));
}

class OfflineSource final : public ExportSource {
 public:
  OfflineSource(OfflineVault vault, const Environment& env)
      : vault_(std::move(vault)), stop_(env.interrupt.token()) {
    checkpoint_ = vault_.checkpoint();
    note_ = vault_.note();
    searched_size_ = checkpoint_.size;
  }

  Result<Answer> Search(const PreparedQuery& prepared, const query::Observer& observer) override {
    Answer answer;
    answer.problems = vault_.problems();
    query::Request request = prepared.request;
    request.tree_size = answer.tree_size = searched_size_;
    Result<query::Completeness> completeness =
        query::Ask(vault_.reader(), request, {observer, nullptr}, stop_);
    if (!completeness.ok()) return completeness.status();
    answer.completeness = *std::move(completeness);
    return answer;
  }

  Status ForEachBlock(const TakeBlock& take) override { return ForEach(0, checkpoint_.size, take); }

  Status ForEachPayload(std::uint64_t first, std::uint64_t end,
                        const std::vector<std::uint64_t>& payloads_of,
                        const TakePayload& take) override {
    return ForEach(first, end, [&](std::uint64_t index, std::string_view bytes) -> Status {
      if (!std::binary_search(payloads_of.begin(), payloads_of.end(), index))
        return take(index, bytes, "");
      Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
      if (!block.ok()) return Missing(index, block.status().message());
      Result<std::string> frame = vault_.reader().Payload(index, block->commit_time);
      if (!frame.ok()) return Missing(index, frame.status().message());
      return take(index, bytes, *frame);
    });
  }

  [[nodiscard]] const evidence::VerifierKey& key() const override { return vault_.key(); }

 private:
  Status ForEach(std::uint64_t first, std::uint64_t end, const TakeBlock& take) const {
    std::uint64_t next = first;
    Status status;
    const Status read =
        vault_.reader().ForEachBlock(first, end, [&](std::uint64_t index, std::string_view bytes) {
          if (stop_.stop_requested())
            status = Cancelled("interrupted");
          else if (index != next)
            status = Missing(next, "nothing is stored");
          else
            status = take(index, bytes);
          ++next;
          return status.ok();
        });
    if (!status.ok()) return status;
    if (!read.ok()) return read;
    return next == end ? Status::Ok() : Missing(next, "nothing is stored");
  }

  const OfflineVault vault_;
  const std::stop_token stop_;
};

class RemoteSource final : public ExportSource {
 public:
  // `env` must outlive it.
  RemoteSource(std::unique_ptr<RemoteVault> vault, const Environment& env)
      : env_(env), vault_(std::move(vault)) {
    searched_size_ = vault_->checkpoint().size;
  }

  Result<Answer> Search(const PreparedQuery& prepared, const query::Observer& observer) override {
    return SearchRemote(*vault_, prepared, {observer, nullptr});
  }

  Status ForEachBlock(const TakeBlock& take) override {
    // Connecting anew gives a checkpoint that has grown past the ACCESS blocks of the search, and is proven to go on
    // from the one before.
    Result<std::unique_ptr<RemoteVault>> again =
        RemoteVault::Connect(env_.settings, env_.interrupt.token());
    if (!again.ok()) return again.status();
    vault_ = *std::move(again);
    checkpoint_ = vault_->checkpoint();
    note_ = vault_->note();
    v1::BlocksRequest request;
    request.set_end(checkpoint_.size);
    return Blocks(std::move(request), [&take](const v1::StoredBlock& stored) {
      return take(stored.index(), stored.block());
    });
  }

  Status ForEachPayload(std::uint64_t first, std::uint64_t end,
                        const std::vector<std::uint64_t>& payloads_of,
                        const TakePayload& take) override {
    v1::BlocksRequest request;
    request.set_first(first);
    request.set_end(end);
    request.mutable_payloads_of()->Add(payloads_of.begin(), payloads_of.end());
    return Blocks(std::move(request), [&take](const v1::StoredBlock& stored) -> Status {
      if (!stored.payload_error().empty()) return Missing(stored.index(), stored.payload_error());
      return take(stored.index(), stored.block(), stored.payload());
    });
  }

  [[nodiscard]] const evidence::VerifierKey& key() const override { return vault_->key(); }

 private:
  Status Blocks(v1::BlocksRequest request,
                const std::function<Status(const v1::StoredBlock&)>& take) {
    request.set_tree_size(checkpoint_.size);
    std::uint64_t next = request.first();
    bool begun = false;
    Status status;
    const Status ended = vault_->client().Blocks(request, [&](const v1::BlocksEvent& event) {
      if (!std::exchange(begun, true)) {
        status =
            vault_->CheckAccess(event.access(), net::kCallBlocks, net::QueryText(request)).status();
      }
      for (int i = 0; status.ok() && i < event.blocks_size(); ++i, ++next) {
        const v1::StoredBlock& stored = event.blocks(i);
        if (stored.index() != next)
          status = Missing(next, "the vault left it out");
        else
          status = stored.error().empty() ? take(stored) : Missing(next, stored.error());
      }
      return status.ok();
    });
    if (!status.ok()) return status;
    LV_RETURN_IF_ERROR(ended);
    return next == request.end() ? Status::Ok() : Missing(next, "the vault left it out");
  }

  const Environment& env_;
  std::unique_ptr<RemoteVault> vault_;
};

}  // namespace

Result<std::unique_ptr<ExportSource>> OpenExportSource(const Environment& env) {
  if (!env.settings.offline.empty()) {
    Result<OfflineVault> vault = OfflineVault::Open(env.settings);
    if (!vault.ok()) return vault.status();
    return std::unique_ptr<ExportSource>(new OfflineSource(*std::move(vault), env));
  }
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  return std::unique_ptr<ExportSource>(new RemoteSource(*std::move(vault), env));
}

}  // namespace logvault::cli
