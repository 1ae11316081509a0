// Directive: what a person says to the vault in their own signature: what an administrator orders, in HOLD, CONFIG and
// KEY blocks; what somebody says who has reviewed alerts, in ALERT blocks.  The collector can neither make one nor
// change one, and each names the one before, so that an old one cannot be put in again.
// Format: docs/FORMAT.md, section "Directive"; this file and that section change together.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "evidence/block.h"
#include "evidence/hash.h"

namespace logvault::evidence {

// Checks a certificate (DER) against a CA (PEM) at `at`, and that it is that of `name` in `role` ("forwarder",
// "admin", "investigator"); returns its Ed25519 public key.  Given by the caller: X.509 is pki's.
using CertificateCheck =
    std::function<Result<std::string>(std::string_view certificate_der, std::string_view ca_pem,
                                      std::string_view role, std::string_view name, UnixNanos at)>;

// Names any host, or any source, in a rule or a hold.
inline constexpr std::string_view kAny = "*";
inline constexpr std::uint64_t kKeepForever = UINT64_MAX;
inline constexpr std::size_t kMaxRules = 500;
inline constexpr std::size_t kMaxReasonBytes = 2048;
inline constexpr std::size_t kMaxReviewed = 1000;  // alerts in one review

enum class DirectiveType {
  kRetention,
  kHold,
  kRelease,
  kRollback,
  kNewKey,
  kRetireKey,
  kReview,
  kDictionary
};
std::string_view ToString(DirectiveType type);  // "retention"
BlockKind KindOf(DirectiveType type);           // CONFIG, HOLD, KEY or ALERT
// Whether an investigator may sign it, or an administrator only.
bool MayInvestigatorsSign(DirectiveType type);

// Whether the body of a KEY block is a directive about the vault's key, and not the registration of a host's epoch; that
// of an ALERT block a review of others, and not what the vault raised.
bool IsDirective(std::string_view body);

// How long the payloads of a stream are kept, counted from their commit.  host and source are names or kAny.
struct RetentionRule {
  std::string host;
  std::string source;
  std::uint64_t keep_ns = 0;
  bool operator==(const RetentionRule&) const = default;
};

// Payloads that no rule may delete, until the hold is released.
struct Hold {
  std::string name;  // [a-z0-9._-]{1,63}
  std::string host;  // a name or kAny
  std::string source;
  std::optional<UnixNanos> since;  // of the records' times, inclusive
  std::optional<UnixNanos> until;  // exclusive
  bool operator==(const Hold&) const = default;
};

// The vault goes on from an older copy of itself.  Both are signed notes of this vault.
struct Rollback {
  std::string restored;  // where the older copy stands
  std::string lost;      // the newest checkpoint that anybody is known to hold
  bool operator==(const Rollback&) const = default;
};

// The vault's keys, as vault.pub has them.
struct KeyChange {
  std::string
      verifier;  // kNewKey: the one that signs from now on, beside the one before; kRetireKey: the one that ends
  std::string opening_public_key;  // kNewKey: X25519, 32 bytes
  bool operator==(const KeyChange&) const = default;
};

// What small batches of a format are compressed with from now on.
struct DictionaryOrder {
  std::string format;  // 1 to 63 bytes
  std::string bytes;   // as Dictionary::Parse takes them; empty: without one
  bool operator==(const DictionaryOrder&) const = default;
};

// What is ordered.  Which members mean something depends on the type.
struct Statement {
  DirectiveType type = DirectiveType::kRetention;
  std::string origin;
  Hash previous;       // SHA-256 of the body of the vault's directive before; zeros for the first
  std::string by;      // the signer's name, as in the certificate
  UnixNanos at = 0;    // when it was signed
  std::string reason;  // for people
  std::vector<RetentionRule> rules;     // kRetention: the whole policy; none: everything is kept
  Hold hold;                            // kHold; of kRelease the name
  Rollback rollback;                    // kRollback
  KeyChange key;                        // kNewKey, kRetireKey
  std::vector<std::uint64_t> reviewed;  // kReview: the blocks, ascending, one or more
  DictionaryOrder dictionary;           // kDictionary
  bool operator==(const Statement&) const = default;

  static Result<Statement> Parse(std::string_view json);
  [[nodiscard]] std::string Serialize() const;
};

// "logvault/dir/v1\n" || statement (u32, JSON) || certificate (u32, DER) || signature (u16).  The signature is by the
// certificate's key over everything before its length.
struct Directive {
  std::string statement;
  std::string certificate_der;
  std::string signature;
  bool operator==(const Directive&) const = default;

  static Result<Directive> Parse(std::string_view bytes);
  [[nodiscard]] std::string Serialize() const;
  [[nodiscard]] std::string SignedBytes() const;

  // The statement, where the directive is signed by somebody of `origin`'s CA who may sign such a one, and whose
  // certificate is valid at `at`; else kPermissionDenied or kCorruption saying why not.
  [[nodiscard]] Result<Statement> Open(std::string_view origin, std::string_view ca_pem,
                                       UnixNanos at, const CertificateCheck& check) const;
};

}  // namespace logvault::evidence
