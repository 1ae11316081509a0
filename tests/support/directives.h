// Administrators for tests: they sign directives that a vault made with TestGenesis takes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evidence/directive.h"
#include "evidence/governance.h"
#include "evidence/keys.h"
#include "tests/support/batches.h"

namespace logvault::testing {

class TestAdmin {
 public:
  explicit TestAdmin(std::string origin, std::string name = "root", std::string role = "admin")
      : origin_(std::move(origin)), name_(std::move(name)), role_(std::move(role)) {}

  // The directive's bytes, following on what `governance` has; what is ordered is the caller's.
  [[nodiscard]] std::string Sign(evidence::Statement statement,
                                 const evidence::Governance& governance) const {
    statement.origin = origin_;
    statement.previous = governance.newest_directive();
    statement.by = name_;
    evidence::Directive directive;
    directive.statement = statement.Serialize();
    directive.certificate_der = TestCertificate(role_ + "/" + name_, key_.public_key());
    directive.signature = key_.Sign(directive.SignedBytes());
    return directive.Serialize();
  }

 private:
  const std::string origin_, name_, role_;
  const evidence::SigningKey key_ = evidence::SigningKey::Generate();
};

inline evidence::Statement Policy(std::vector<evidence::RetentionRule> rules) {
  evidence::Statement statement;
  statement.type = evidence::DirectiveType::kRetention;
  statement.rules = std::move(rules);
  return statement;
}

inline evidence::Statement AddHold(evidence::Hold hold) {
  evidence::Statement statement;
  statement.type = evidence::DirectiveType::kHold;
  statement.hold = std::move(hold);
  return statement;
}

inline evidence::Statement SetDictionary(std::string format, std::string bytes) {
  evidence::Statement statement;
  statement.type = evidence::DirectiveType::kDictionary;
  statement.dictionary = {std::move(format), std::move(bytes)};
  return statement;
}

inline evidence::Statement Review(std::vector<std::uint64_t> alerts) {
  evidence::Statement statement;
  statement.type = evidence::DirectiveType::kReview;
  statement.reviewed = std::move(alerts);
  return statement;
}

inline evidence::Statement Release(std::string name) {
  evidence::Statement statement;
  statement.type = evidence::DirectiveType::kRelease;
  statement.hold.name = std::move(name);
  return statement;
}

}  // namespace logvault::testing
