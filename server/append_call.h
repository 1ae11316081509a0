// One Append, step by step: check each item, commit, prove.  A registration is committed by itself
// before the items behind it are checked, because they need its block.  Runs on the pool's threads and never waits on
// one: the committer's answer posts the next step.  Large payloads are checked on several threads, all else is done by one at
// a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"
#include "proto/logvault.pb.h"
#include "server/batch_check.h"
#include "server/ingest_context.h"
#include "server/seen_check.h"

namespace logvault::server {

inline constexpr int kMaxItemsPerAppend = 1024;
// So many items, or payloads of so many bytes, are checked before other hosts' calls have their turn: some milliseconds.
inline constexpr int kItemsPerSlice = 4;
inline constexpr std::size_t kSliceBytes = 256u << 10;
// Payloads of a slice that have so many bytes may be checked on a thread of their own.
inline constexpr std::size_t kLargePayloadBytes = 64u << 10;
// Payloads of so many bytes are committed before the call's next ones are checked: while they are synced, all others wait.
inline constexpr std::size_t kCommitBytes = 1u << 20;

class AppendCall final : public std::enable_shared_from_this<AppendCall> {
 public:
  using Finish = std::function<void(const Status&)>;

  // `request` and `response` live until `finish` is called, which happens once.  Payloads are moved
  // out of `request`.
  AppendCall(IngestContext& ingest, std::string host, v1::AppendRequest& request,
             v1::AppendResponse& response, Finish finish);

  // Does what can be done now; call it once, on a thread of the pool.
  void Step();

 private:
  static constexpr int kNoItem = -1;

  // What can be said of a batch by itself.
  struct Verdict {
    Result<CheckedHeader> header = Internal("not checked");
    std::optional<StreamOwner> foreign;
    Result<CheckedBatch> checked = Internal("not checked");  // where its header is right
  };

  [[nodiscard]] int SliceEnd() const;
  void CheckSlice();
  void CheckHeaders(int end);
  void CheckPayloadOf(int item);
  void OnChecked();
  Status TakeSlice();
  [[nodiscard]] bool MayTakeMore() const;
  void End(const Status& status);
  Status CheckLimits();
  Status TakeItem(int item, Verdict& verdict);
  Status TakeRegistration(int item);
  Status TakeBatch(int item, Verdict& verdict);
  // Raises an alert where the checkpoint that the batch's host saw is not one of ours.
  Status TakeSeen(const evidence::BatchHeader& batch);
  // Puts `entry` into the group that is committed next; its outcome is item `item`'s.
  void Add(storage::Entry entry, int item);
  void Refuse(int item, const std::string& reason);

  void Submit();
  void OnCommitted(const Result<storage::Commit>& commit);
  void TakeOutcome(int item, const storage::Appended& appended);
  void Count(int item, storage::Outcome outcome);
  Status Answer();

  IngestContext& ingest_;
  const std::string host_;
  v1::AppendRequest& request_;
  v1::AppendResponse& response_;
  const Finish finish_;

  SeenCheck seen_check_;
  std::set<evidence::Hash> incomplete_;  // streams of which a batch is to be sealed anew
  int next_item_ = 0;
  std::vector<Verdict> slice_;      // of the items from next_item_ on, which are being checked
  std::atomic<int> unchecked_ = 0;  // threads that are at it
  std::uint64_t taken_bytes_ = 0;   // of the day's budget
  std::vector<storage::Entry> group_;
  std::size_t group_bytes_ = 0;   // of its payloads
  std::vector<int> group_items_;  // the item each entry of the group is of, or kNoItem
  struct Accepted {
    std::optional<std::uint64_t> block;  // that the receipt proves
    std::uint32_t records = 0;
    std::uint64_t payload_bytes = 0;
  };
  std::vector<Accepted> accepted_;  // one for each item
};

}  // namespace logvault::server
