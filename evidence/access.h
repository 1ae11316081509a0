// Who asked what: the bodies of ACCESS and ACCESS_END blocks and the hash of an answer.  Formats: docs/FORMAT.md,
// sections "ACCESS and ACCESS_END" and "Result hash"; these files and those sections change together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

// A longer query stands in blocks of its own before the one that says who asked it.
inline constexpr std::size_t kQueryTextInBodyMax = 24 * 1024;  // bytes

// ACCESS, type "asked": a call, recorded before it is answered.
struct AccessBody {
  std::string name;                  // of the caller, as in the certificate
  std::string role;                  // "investigator"
  std::string certificate;           // SHA-256 of its DER, 64 hexadecimal digits
  std::string address;               // of the peer, as the collector saw it
  std::string call;                  // "search"
  std::uint64_t tree_size = 0;       // the answer is about the first so many blocks
  Hash query_hash;                   // of the exact query text
  std::uint64_t query_bytes = 0;     // its length
  std::optional<std::string> query;  // nullopt: in the blocks before
  bool operator==(const AccessBody&) const = default;

  static Result<AccessBody> Parse(std::string_view body);
  [[nodiscard]] std::string Serialize() const;
};

// ACCESS, type "text": a piece of a long query; the pieces stand in order right before the block that they belong to.
struct AccessTextBody {
  Hash query_hash;           // of the whole text
  std::uint64_t offset = 0;  // of this piece, in bytes
  std::string text;
  bool operator==(const AccessTextBody&) const = default;

  static Result<AccessTextBody> Parse(std::string_view body);
  [[nodiscard]] std::string Serialize() const;
};

enum class AccessOutcome {
  kComplete,   // all of it was handed to the network
  kLeft,       // the caller went away, or cancelled, before the end
  kCancelled,  // the collector ended it: a reader that stood still, or the collector was stopped
  kFailed,
};
std::string_view ToString(AccessOutcome outcome);  // "complete"

// ACCESS_END, type "answered": how a call ended.
struct AccessEndBody {
  std::uint64_t access = 0;  // index of the ACCESS block
  AccessOutcome outcome = AccessOutcome::kFailed;
  std::uint64_t rows = 0;                // sent
  std::optional<std::uint64_t> matches;  // of a search
  std::uint64_t unreadable = 0;          // blocks in scope that could not be read
  Hash result;                           // ResultHash over the rows sent
  std::string reason;                    // why, where it is not complete
  bool operator==(const AccessEndBody&) const = default;

  static Result<AccessEndBody> Parse(std::string_view body);
  [[nodiscard]] std::string Serialize() const;
};

// Whether an ACCESS body is a piece of text (and not a call).  Pure; says nothing about its form.
bool IsAccessText(std::string_view body);

// The hash of an answer: R_0 = H("logvault/result/v1\n"), R_i = H(R_{i-1} || row i).  What a row is, depends on the call.
class ResultHash {
 public:
  ResultHash();
  void Add(std::string_view row);

  [[nodiscard]] const Hash& value() const { return value_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  Hash value_;
  std::uint64_t rows_ = 0;
};

}  // namespace logvault::evidence
