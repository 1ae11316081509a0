// Governance: what administrators have ordered of a vault, what the vault may therefore have deleted, and which alerts
// somebody reviewed.  Built from its governing blocks alone (CONFIG, HOLD, RETENTION, RETENTION_DONE, and KEY and ALERT
// where they are directives), so that whoever verifies a vault comes to the same answer as the vault.  Formats: docs/FORMAT.md, sections "Directive" and "Retention".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/dictionary.h"
#include "evidence/directive.h"
#include "evidence/rollback.h"

namespace logvault::evidence {

inline constexpr std::size_t kMaxRetentionStreams = 250;  // in one block: the longest names fit
inline constexpr std::size_t kMaxHolds = 10'000;          // in force at once

bool IsGoverning(const BlockHeader& block);
// Whether the vault raised it for somebody to look at: ALERT, unless it is a review; SILENCE; CONFLICT.
bool IsAlert(const BlockHeader& block);

// RETENTION, type "retention": said before payloads are deleted.
struct RetentionBody {
  struct Stream {
    std::string host;
    std::string source;
    UnixNanos before = 0;  // payloads of batches committed before it go, but those on hold
    bool operator==(const Stream&) const = default;
  };
  std::uint64_t policy = 0;  // the CONFIG block whose rules say so
  std::vector<Stream> streams;
  bool operator==(const RetentionBody&) const = default;

  static Result<RetentionBody> Parse(std::string_view body);
  [[nodiscard]] std::string Serialize() const;
};

// RETENTION_DONE, type "done": all of it is deleted.
struct RetentionDoneBody {
  std::uint64_t retention = 0;  // the RETENTION block
  std::uint64_t payloads = 0;   // deleted, and
  std::uint64_t bytes = 0;      // their size
  bool operator==(const RetentionDoneBody&) const = default;

  static Result<RetentionDoneBody> Parse(std::string_view body);
  [[nodiscard]] std::string Serialize() const;
};

// What decides whether a batch may be deleted.
struct Deletable {
  std::string_view host;
  std::string_view source;
  UnixNanos commit_time = 0;
  // The least and the greatest of all times that its records and its block state.
  UnixNanos first_time = 0;
  UnixNanos last_time = 0;

  static Deletable Of(const BatchHeader& batch, std::string_view host, std::string_view source,
                      UnixNanos commit_time);
};

// A hold as the HOLD block `block` made it.
struct StandingHold {
  Hold hold;
  std::uint64_t block = 0;
  std::string by;
  std::string reason;
  UnixNanos commit_time = 0;
};

// What somebody said who has reviewed alerts, in the ALERT block `block`.
struct AlertReview {
  std::uint64_t block = 0;
  std::string by;
  std::string reason;
  UnixNanos commit_time = 0;
  std::vector<std::uint64_t> alerts;  // blocks before it, ascending
};

// A key of the vault, and when it signed.
struct VaultKey {
  std::string public_key;                  // Ed25519
  std::string opening_public_key;          // X25519
  std::uint64_t block = 0;                 // that brought it: GENESIS or a KEY block
  std::optional<std::uint64_t> last_size;  // of the trees that it may sign; nullopt: it is in force
};

// What small batches of a format are compressed with, as the CONFIG block `block` says.
struct DictionaryInForce {
  std::uint32_t id = 0;  // 0: they are compressed without
  std::uint64_t block = 0;
  std::string by;
  std::string reason;
  UnixNanos commit_time = 0;
};

// Not for several threads while blocks are added.
class Governance {
 public:
  Governance(GenesisBody genesis, CertificateCheck check);

  // The next governing block.  A block that is not in order is told and has no effect: nothing follows from it.
  Status Add(const BlockHeader& block);
  // Whether `directive`, put in now, would be taken.  Changes nothing.
  [[nodiscard]] Result<Statement> Check(std::string_view directive, UnixNanos at) const;
  // The vault's key in force, with those that it followed.
  [[nodiscard]] VerifierKey key() const;
  // All of them, oldest first: the newest is in force, and the one before it too until it is retired.
  [[nodiscard]] const std::vector<VaultKey>& keys() const { return keys_; }

  // SHA-256 of the newest directive's body; zeros where there is none.
  [[nodiscard]] const Hash& newest_directive() const { return newest_; }
  // The rules in force and the CONFIG block that set them; none: everything is kept.
  [[nodiscard]] const std::vector<RetentionRule>& rules() const { return rules_; }
  [[nodiscard]] std::uint64_t rules_block() const { return rules_block_; }
  // By name.
  [[nodiscard]] const std::map<std::string, StandingHold>& holds() const { return *holds_; }
  // Oldest first.  Whether each block named is an alert, whoever has the blocks tells (IsAlert).
  [[nodiscard]] const std::vector<std::shared_ptr<const AlertReview>>& reviews() const {
    return reviews_;
  }
  // Every dictionary that was ever in force, and by format what is in force now.
  [[nodiscard]] const std::shared_ptr<const Dictionaries>& dictionaries() const {
    return dictionaries_;
  }
  [[nodiscard]] const std::map<std::string, DictionaryInForce, std::less<>>& formats() const {
    return formats_;
  }
  struct Rollback {
    std::uint64_t block = 0;
    AcceptedRollback accepted;
  };
  [[nodiscard]] const std::vector<Rollback>& rollbacks() const { return rollbacks_; }
  // Whether a checkpoint of `size` may be one of a history that was lost and given up.
  [[nodiscard]] bool WasLost(std::uint64_t size) const;
  // RETENTION blocks without a RETENTION_DONE, ascending.
  [[nodiscard]] const std::map<std::uint64_t, RetentionBody>& unfinished() const {
    return unfinished_;
  }

  // How long payloads of a stream are kept: the rule of host and source, else of the host, else of the source, else of
  // all; nullopt: for ever.
  [[nodiscard]] std::optional<std::uint64_t> KeepFor(std::string_view host,
                                                     std::string_view source) const;
  // Whether a hold in force covers the batch; its name.
  [[nodiscard]] std::optional<std::string> HeldBy(const Deletable& batch) const;

  // The RETENTION block by which the payload of `batch` may be gone; nullopt: by none.
  [[nodiscard]] std::optional<std::uint64_t> DeletedBy(const Deletable& batch) const;

 private:
  using Holds = std::map<std::string, StandingHold>;
  // What a RETENTION block deletes of a stream.
  struct Deletion {
    std::uint64_t block = 0;
    UnixNanos before = 0;
    std::shared_ptr<const Holds> holds;  // in force then
  };

  Status AddDirective(const BlockHeader& block);
  Status AddRetention(const BlockHeader& block);
  Status CheckOrdered(const Statement& statement) const;
  Status CheckKeyChange(const Statement& statement) const;
  [[nodiscard]] Status CheckDictionary(const DictionaryOrder& order) const;
  void Apply(const Statement& statement, const BlockHeader& block);
  void ApplyDictionary(const Statement& statement, const BlockHeader& block);
  void ApplyKeyChange(const Statement& statement, const BlockHeader& block);

  GenesisBody genesis_;
  CertificateCheck check_;
  Hash newest_;
  std::vector<VaultKey> keys_;
  std::vector<RetentionRule> rules_;
  std::uint64_t rules_block_ = 0;
  std::shared_ptr<const Holds> holds_ = std::make_shared<Holds>();
  std::vector<std::shared_ptr<const AlertReview>> reviews_;
  std::shared_ptr<const Dictionaries> dictionaries_ = std::make_shared<Dictionaries>();
  std::map<std::string, DictionaryInForce, std::less<>> formats_;
  std::vector<Rollback> rollbacks_;
  std::map<std::uint64_t, RetentionBody> unfinished_;
  std::map<std::pair<std::string, std::string>, std::vector<Deletion>, std::less<>> deletions_;
};

}  // namespace logvault::evidence
