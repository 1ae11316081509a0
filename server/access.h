// Access: one query call in the log.  Its ACCESS block is committed before anything is answered, its ACCESS_END block
// is appended when the answer has ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/access.h"
#include "net/call_gate.h"
#include "proto/logvault.pb.h"
#include "storage/committer.h"
#include "storage/vault.h"

namespace logvault::server {

// Who calls, as it is recorded.
struct Caller {
  std::string name;
  std::string role;
  std::string certificate;  // SHA-256 of its DER in hexadecimal
  std::string address;
  std::shared_ptr<const net::Peer> peer;  // for a call that lasts: may it still?

  static Caller Of(const net::Peer& peer, std::string address);
};

// What is asked.
struct Question {
  std::string_view call;        // net::kCall...
  std::string text;             // net::QueryText
  std::uint64_t tree_size = 0;  // as the caller names it; 0: the newest
};

// Where calls are recorded.  Everything outlives it; safe from several threads.
struct AccessLog {
  const storage::Vault& vault;
  storage::Committer& committer;
  std::atomic<bool> stopping{false};  // calls that break off now are ended by the collector
};

class Access {
 public:
  // Commits the ACCESS block and waits for it.  The scope is fixed before: the newest tree, or the first
  // `tree_size` blocks.  kInvalidArgument where the vault has fewer.  A failure says that nothing was recorded, and
  // nothing may be answered.
  static Result<Access> Begin(AccessLog& log, const Caller& caller, Question question);

  // The newest head when the call came, and the size of the tree that the answer is about.
  [[nodiscard]] const storage::Head& head() const { return head_; }
  [[nodiscard]] std::uint64_t scope() const { return scope_; }
  [[nodiscard]] std::uint64_t index() const { return index_; }  // of the ACCESS block
  // The head that covers the ACCESS block.
  [[nodiscard]] const storage::Head& recorded() const { return recorded_; }

  // The block and its proofs.
  Status FillReceipt(v1::AccessReceipt& receipt) const;

  // What is sent, as it is sent.
  void AddRow(std::string_view row) { result_.Add(row); }
  void set_matches(std::uint64_t matches) { matches_ = matches; }
  void set_unreadable(std::uint64_t blocks) { unreadable_ = blocks; }
  [[nodiscard]] const evidence::Hash& result() const { return result_.value(); }

  // Once, when the answer ended with `status`: kCancelled is a caller that left, kAborted a call that the collector
  // ended.  Appends the ACCESS_END block without waiting; where that fails, the log says so.
  void End(const Status& status);

 private:
  Access(AccessLog& log, storage::Head head, std::uint64_t scope)
      : log_(&log), head_(std::move(head)), scope_(scope) {}

  AccessLog* log_;
  storage::Head head_;
  std::uint64_t scope_;
  std::uint64_t index_ = 0;
  std::string block_;
  storage::Head recorded_;
  evidence::ResultHash result_;
  std::optional<std::uint64_t> matches_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace logvault::server
