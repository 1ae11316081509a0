#include "server/blocks_answer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "evidence/block.h"
#include "net/access.h"

namespace logvault::server {
namespace {

constexpr std::size_t kEventBytes = 512 * 1024;

// Gathers blocks into events, and fills holes: every index asked for is answered once, in order.
class BlockSender {
 public:
  // `request` must outlive this.
  BlockSender(const storage::Reader& reader, const v1::BlocksRequest& request, Access& access,
              EventStream<v1::BlocksEvent>& stream)
      : reader_(reader),
        request_(request),
        next_(request.first()),
        access_(access),
        stream_(stream) {}

  [[nodiscard]] std::uint64_t next() const { return next_; }
  v1::BlocksEvent& event() { return event_; }

  // Blocks below `end` that were not answered yet are not there.
  bool FillHoles(std::uint64_t end, const std::string& error) {
    while (next_ < end) {
      v1::StoredBlock& hole = *event_.add_blocks();
      hole.set_index(next_++);
      hole.set_error(error);
      if (!SendIfFull(error.size() + sizeof(hole))) return false;
    }
    return true;
  }

  bool Add(std::uint64_t index, std::string_view bytes) {
    if (!FillHoles(index, "nothing is stored")) return false;
    v1::StoredBlock& block = *event_.add_blocks();
    block.set_index(index);
    block.set_block(bytes.data(), bytes.size());
    if (WantsPayload(index)) AddPayload(bytes, block);
    ++next_;
    return SendIfFull(bytes.size() + block.payload().size());
  }

  bool Flush() {
    bytes_ = 0;
    AddRows();
    return stream_.Send(std::exchange(event_, {}));
  }

  // The last event.
  bool Finish() {
    AddRows();
    event_.set_result_sha256(std::string(access_.result().view()));
    return stream_.Send(std::exchange(event_, {}));
  }

 private:
  [[nodiscard]] bool WantsPayload(std::uint64_t index) const {
    const auto& wanted = request_.payloads_of();
    return request_.payloads() || std::binary_search(wanted.begin(), wanted.end(), index);
  }

  // The index that counts is where the block is stored, whatever it says of itself.
  void AddPayload(std::string_view bytes, v1::StoredBlock& stored) const {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok() || block->kind != evidence::BlockKind::kRecords) return;
    Result<std::string> payload = reader_.Payload(stored.index(), block->commit_time);
    if (!payload.ok()) {
      stored.set_payload_error(payload.status().ToString());
      if (payload.status().code() != StatusCode::kOutOfRange) return;
      Result<std::optional<std::uint64_t>> deleted = reader_.DeletedBy(stored.index());
      if (deleted.ok() && deleted->has_value()) stored.set_deleted_by(**deleted);
      return;
    }
    stored.set_payload(*std::move(payload));
  }

  void AddRows() {
    for (const v1::StoredBlock& block : event_.blocks()) {
      access_.AddRow(net::ResultRow(block));
      const bool lost = !block.payload_error().empty() && block.deleted_by() == 0;
      if (!block.error().empty() || lost) {
        access_.set_unreadable(++unreadable_);
      }
    }
  }

  bool SendIfFull(std::size_t added) {
    bytes_ += added;
    return bytes_ < kEventBytes || Flush();
  }

  const storage::Reader& reader_;
  const v1::BlocksRequest& request_;
  std::uint64_t next_;
  Access& access_;
  EventStream<v1::BlocksEvent>& stream_;
  v1::BlocksEvent event_;
  std::size_t bytes_ = 0;
  std::uint64_t unreadable_ = 0;
};

Status SendBlocks(const QueryContext& query, const v1::BlocksRequest& request, Access& access,
                  EventStream<v1::BlocksEvent>& stream) {
  const std::uint64_t end =
      request.end() == 0 ? access.scope() : std::min(request.end(), access.scope());
  BlockSender sender(query.reader(), request, access, stream);
  sender.event().set_tree_size(access.scope());
  sender.event().set_checkpoint(access.head().note);
  LV_RETURN_IF_ERROR(access.FillReceipt(*sender.event().mutable_access()));

  const Status left = Cancelled("the client left");
  bool going = true;
  while (going && sender.next() < end) {
    const std::uint64_t first = sender.next();
    const Status read =
        query.reader().ForEachBlock(first, end, [&](std::uint64_t index, std::string_view bytes) {
          going = !stream.stop_token().stop_requested() && sender.Add(index, bytes);
          return going;
        });
    if (!going) break;
    // Where the iterator cannot go on, the next block is the damaged one; later ones may be sound.
    going = read.ok() ? sender.FillHoles(end, "nothing is stored")
                      : sender.FillHoles(sender.next() + 1, read.ToString());
  }
  if (!going || !sender.Finish()) return left;
  return Status::Ok();
}

}  // namespace

Status AnswerBlocks(const QueryContext& query, const Caller& caller,
                    const v1::BlocksRequest& request, EventStream<v1::BlocksEvent>& stream) {
  Result<Access> access = Access::Begin(
      query.access, caller, {net::kCallBlocks, net::QueryText(request), request.tree_size()});
  if (!access.ok()) return access.status();
  const Status ended = stream.Settle(SendBlocks(query, request, *access, stream));
  access->End(ended);
  return ended;
}

}  // namespace logvault::server
