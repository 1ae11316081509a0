#include "evidence/governance.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "evidence/checkpoint.h"
#include "evidence/json_body.h"

namespace logvault::evidence {
namespace {

constexpr std::size_t kMaxFormatName = 63;

bool Names(std::string_view pattern, std::string_view name) {
  return pattern == kAny || pattern == name;
}

bool Covers(const Hold& hold, const Deletable& batch) {
  return Names(hold.host, batch.host) && Names(hold.source, batch.source) &&
         (!hold.since || batch.last_time >= *hold.since) &&
         (!hold.until || batch.first_time < *hold.until);
}

// The more of it is named, the greater; a host counts more than a source.
int Precision(const RetentionRule& rule) {
  return (rule.host == kAny ? 0 : 2) + (rule.source == kAny ? 0 : 1);
}

bool SamePlace(const RetentionRule& a, const RetentionRule& b) {
  return a.host == b.host && a.source == b.source;
}

Status CheckRules(const std::vector<RetentionRule>& rules, std::uint64_t least_ns) {
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    const std::string name = rule->host + "/" + rule->source;
    if (rule->keep_ns < least_ns || rule->keep_ns == 0) {
      return PermissionDenied("the rule for " + name +
                              " keeps less than the vault's least retention");
    }
    if (std::any_of(rules.begin(), rule,
                    [&](const RetentionRule& other) { return SamePlace(other, *rule); })) {
      return InvalidArgument("two rules for " + name);
    }
  }
  return Status::Ok();
}

const std::string* HoldOf(const std::map<std::string, StandingHold>& holds,
                          const Deletable& batch) {
  for (const auto& [name, standing] : holds) {
    if (Covers(standing.hold, batch)) return &name;
  }
  return nullptr;
}

}  // namespace

bool IsGoverning(const BlockHeader& block) {
  return block.kind == BlockKind::kConfig || block.kind == BlockKind::kHold ||
         block.kind == BlockKind::kRetention || block.kind == BlockKind::kRetentionDone ||
         ((block.kind == BlockKind::kKey || block.kind == BlockKind::kAlert) &&
          IsDirective(block.body));
}

bool IsAlert(const BlockHeader& block) {
  return block.kind == BlockKind::kSilence || block.kind == BlockKind::kConflict ||
         (block.kind == BlockKind::kAlert && !IsDirective(block.body));
}

Result<RetentionBody> RetentionBody::Parse(std::string_view bytes) {
  BodyMembers members(bytes, "retention");
  RetentionBody body;
  body.policy = members.Number("policy");
  for (BodyMembers& item : members.List("streams")) {
    body.streams.push_back({item.Text("host"), item.Text("source"), item.Time("before")});
    if (!item.ok()) members.Fail("streams");
  }
  LV_RETURN_IF_ERROR(members.status("RETENTION"));
  return body;
}

std::string RetentionBody::Serialize() const {
  BodyJson json = {{"type", "retention"}, {"policy", policy}, {"streams", BodyJson::array()}};
  for (const Stream& stream : streams) {
    json["streams"].push_back(
        {{"host", stream.host}, {"source", stream.source}, {"before", stream.before}});
  }
  return DumpBody(json);
}

Result<RetentionDoneBody> RetentionDoneBody::Parse(std::string_view bytes) {
  BodyMembers members(bytes, "done");
  RetentionDoneBody body;
  body.retention = members.Number("retention");
  body.payloads = members.Number("payloads");
  body.bytes = members.Number("bytes");
  LV_RETURN_IF_ERROR(members.status("RETENTION_DONE"));
  return body;
}

std::string RetentionDoneBody::Serialize() const {
  return DumpBody(
      {{"type", "done"}, {"retention", retention}, {"payloads", payloads}, {"bytes", bytes}});
}

Deletable Deletable::Of(const BatchHeader& batch, std::string_view host, std::string_view source,
                        UnixNanos commit_time) {
  Deletable deletable{host, source, commit_time, commit_time, commit_time};
  const bool timed = batch.event_time_min != kNoTime;
  deletable.first_time = std::min(
      {commit_time, batch.read_time_first, timed ? batch.event_time_min : batch.read_time_first});
  deletable.last_time = std::max(
      {commit_time, batch.read_time_last, timed ? batch.event_time_max : batch.read_time_last});
  return deletable;
}

Governance::Governance(GenesisBody genesis, CertificateCheck check)
    : genesis_(std::move(genesis)), check_(std::move(check)) {
  keys_.push_back({genesis_.vault_public_key, genesis_.opening_public_key, 0, std::nullopt});
  if (check_) return;
  check_ = [](auto&&...) -> Result<std::string> {
    return Unauthenticated("nothing is there to check certificates by");
  };
}

Status Governance::Add(const BlockHeader& block) {
  if (block.kind == BlockKind::kRetention) return AddRetention(block);
  if (block.kind != BlockKind::kRetentionDone) return AddDirective(block);
  Result<RetentionDoneBody> done = RetentionDoneBody::Parse(block.body);
  if (!done.ok()) return done.status();
  if (unfinished_.erase(done->retention) == 1) return Status::Ok();
  return Corruption("RETENTION_DONE: block " + std::to_string(done->retention) +
                    " is no RETENTION that was still to be done");
}

Status Governance::AddDirective(const BlockHeader& block) {
  Result<Statement> statement = Check(block.body, block.commit_time);
  if (!statement.ok()) return statement.status();
  if (KindOf(statement->type) != block.kind) {
    return Corruption("a directive of type " + std::string(ToString(statement->type)) +
                      " in a block of another kind");
  }
  if (statement->type == DirectiveType::kRollback &&
      OpenRollback(*statement, key())->restored.size != block.index) {
    return Corruption("the rollback was accepted for another state of the vault");
  }
  if (statement->type == DirectiveType::kReview && statement->reviewed.back() >= block.index)
    return InvalidArgument("the review names block " + std::to_string(statement->reviewed.back()) +
                           ", which is not before it");
  newest_ = Sha256(block.body);
  Apply(*statement, block);
  return Status::Ok();
}

Result<Statement> Governance::Check(std::string_view directive, UnixNanos at) const {
  Result<Directive> parsed = Directive::Parse(directive);
  if (!parsed.ok()) return parsed.status();
  Result<Statement> statement = parsed->Open(genesis_.origin, genesis_.ca_pem, at, check_);
  if (!statement.ok()) return statement;
  // A rollback is bound to its place in the history instead: it may be signed where only the notes are at hand.
  if (statement->type != DirectiveType::kRollback && statement->previous != newest_) {
    return Aborted(
        "another directive came between: this one does not follow on the vault's newest");
  }
  const Status ordered = CheckOrdered(*statement);
  if (!ordered.ok()) return ordered;
  return statement;
}

Status Governance::CheckOrdered(const Statement& statement) const {
  const bool standing = holds_->contains(statement.hold.name);
  switch (statement.type) {
    case DirectiveType::kRetention:
      return CheckRules(statement.rules, genesis_.retention_min_ns);
    case DirectiveType::kHold:
      if (standing) return AlreadyExists("there is a hold named " + statement.hold.name);
      if (holds_->size() >= kMaxHolds) return ResourceExhausted("there are too many holds");
      return Status::Ok();
    case DirectiveType::kRelease:
      if (!standing) return NotFound("there is no hold named " + statement.hold.name);
      return Status::Ok();
    case DirectiveType::kNewKey:
    case DirectiveType::kRetireKey:
      return CheckKeyChange(statement);
    case DirectiveType::kReview:
      return Status::Ok();  // what it names is judged where it stands in the history
    case DirectiveType::kDictionary:
      return CheckDictionary(statement.dictionary);
    case DirectiveType::kRollback:
      break;
  }
  return OpenRollback(statement, key()).status();
}

Status Governance::CheckKeyChange(const Statement& statement) const {
  Result<VerifierKey> named = VerifierKey::Parse(statement.key.verifier);
  if (!named.ok()) return named.status();
  const bool two_in_force = keys_.size() > 1 && !keys_[keys_.size() - 2].last_size;
  if (statement.type == DirectiveType::kRetireKey) {
    if (two_in_force && named->public_key == keys_[keys_.size() - 2].public_key)
      return Status::Ok();
    return FailedPrecondition("only a key that another one has followed can be retired, once");
  }
  if (named->name != genesis_.origin)
    return InvalidArgument("the new key is named " + named->name + ", the vault " +
                           genesis_.origin);
  if (two_in_force)
    return FailedPrecondition("the key before is still in force: it must be retired first");
  const bool used = std::any_of(keys_.begin(), keys_.end(), [&](const VaultKey& key) {
    return key.public_key == named->public_key;
  });
  return used ? AlreadyExists("the vault has had this key before") : Status::Ok();
}

Status Governance::CheckDictionary(const DictionaryOrder& order) const {
  if (order.format.empty() || order.format.size() > kMaxFormatName)
    return InvalidArgument("a dictionary for no format");
  if (order.bytes.empty()) {
    const auto found = formats_.find(order.format);
    if (found != formats_.end() && found->second.id != 0) return Status::Ok();
    return NotFound("there is no dictionary for format " + order.format);
  }
  Result<std::shared_ptr<const Dictionary>> parsed = Dictionary::Parse(order.bytes);
  if (!parsed.ok()) return parsed.status();
  const Dictionary* before = dictionaries_->Find((*parsed)->id());
  // The one of the same number might be taken for it for ever.
  if (before != nullptr && before->bytes() != order.bytes)
    return AlreadyExists("the vault has another dictionary " + std::to_string((*parsed)->id()) +
                         ": train it with another --dictID");
  if (before == nullptr && dictionaries_->size() >= kMaxDictionaries)
    return ResourceExhausted("the vault has had " + std::to_string(kMaxDictionaries) +
                             " dictionaries");
  return Status::Ok();
}

VerifierKey Governance::key() const {
  VerifierKey key = VerifierKey::For(genesis_.origin, keys_.back().public_key);
  for (auto earlier = keys_.rbegin() + 1; earlier != keys_.rend(); ++earlier) {
    key.earlier.push_back(
        {earlier->public_key, earlier->last_size.value_or(VerifierKey::kInForce)});
  }
  return key;
}

bool Governance::WasLost(std::uint64_t size) const {
  return std::any_of(rollbacks_.begin(), rollbacks_.end(), [size](const Rollback& rollback) {
    return size > rollback.accepted.restored.size && size <= rollback.accepted.lost.size;
  });
}

// A retired key's last tree is the one before the block that says so, which it does not sign any more.
void Governance::ApplyKeyChange(const Statement& statement, const BlockHeader& block) {
  if (statement.type == DirectiveType::kRetireKey) {
    keys_[keys_.size() - 2].last_size = block.index;
    return;
  }
  keys_.push_back({VerifierKey::Parse(statement.key.verifier)->public_key,
                   statement.key.opening_public_key, block.index, std::nullopt});
}

void Governance::ApplyDictionary(const Statement& statement, const BlockHeader& block) {
  DictionaryInForce& now = formats_[statement.dictionary.format];
  now = {0, block.index, statement.by, statement.reason, block.commit_time};
  if (statement.dictionary.bytes.empty()) return;
  std::shared_ptr<const Dictionary> dictionary =
      *Dictionary::Parse(statement.dictionary.bytes);  // checked before
  now.id = dictionary->id();
  auto dictionaries = std::make_shared<Dictionaries>(*dictionaries_);
  dictionaries->Add(std::move(dictionary), block.index);
  dictionaries_ = std::move(dictionaries);
}

void Governance::Apply(const Statement& statement, const BlockHeader& block) {
  if (KindOf(statement.type) == BlockKind::kKey) return ApplyKeyChange(statement, block);
  if (statement.type == DirectiveType::kDictionary) return ApplyDictionary(statement, block);
  if (statement.type == DirectiveType::kRetention) {
    rules_ = statement.rules;
    rules_block_ = block.index;
  } else if (statement.type == DirectiveType::kRollback) {
    rollbacks_.push_back({block.index, *OpenRollback(statement, key())});
  } else if (statement.type == DirectiveType::kReview) {
    reviews_.push_back(std::make_shared<const AlertReview>(AlertReview{
        block.index, statement.by, statement.reason, block.commit_time, statement.reviewed}));
  } else {
    Holds holds = *holds_;
    if (statement.type == DirectiveType::kRelease) {
      holds.erase(statement.hold.name);
    } else {
      holds[statement.hold.name] = {statement.hold, block.index, statement.by, statement.reason,
                                    block.commit_time};
    }
    holds_ = std::make_shared<const Holds>(std::move(holds));
  }
}

Status Governance::AddRetention(const BlockHeader& block) {
  Result<RetentionBody> body = RetentionBody::Parse(block.body);
  if (!body.ok()) return body.status();
  if (rules_.empty() || body->policy != rules_block_) {
    return Integrity("RETENTION: block " + std::to_string(body->policy) +
                     " is not the retention policy in force");
  }
  for (const RetentionBody::Stream& stream : body->streams) {
    const std::optional<std::uint64_t> keep = KeepFor(stream.host, stream.source);
    const auto now = static_cast<std::uint64_t>(std::max<UnixNanos>(block.commit_time, 0));
    if (!keep || *keep > now || stream.before > static_cast<UnixNanos>(now - *keep)) {
      return Integrity("RETENTION: the policy still keeps what is deleted of " + stream.host + "/" +
                       stream.source);
    }
  }
  for (const RetentionBody::Stream& stream : body->streams) {
    std::vector<Deletion>& deletions = deletions_[{stream.host, stream.source}];
    // While the holds stay the same, one deletion says what several do.
    if (!deletions.empty() && deletions.back().holds == holds_) {
      if (stream.before > deletions.back().before)
        deletions.back() = {block.index, stream.before, holds_};
    } else {
      deletions.push_back({block.index, stream.before, holds_});
    }
  }
  unfinished_.emplace(block.index, *std::move(body));
  return Status::Ok();
}

std::optional<std::uint64_t> Governance::KeepFor(std::string_view host,
                                                 std::string_view source) const {
  const RetentionRule* best = nullptr;
  for (const RetentionRule& rule : rules_) {
    if (!Names(rule.host, host) || !Names(rule.source, source)) continue;
    if (best == nullptr || Precision(rule) > Precision(*best)) best = &rule;
  }
  if (best == nullptr) return std::nullopt;
  return best->keep_ns;
}

std::optional<std::string> Governance::HeldBy(const Deletable& batch) const {
  const std::string* name = HoldOf(*holds_, batch);
  if (name == nullptr) return std::nullopt;
  return *name;
}

std::optional<std::uint64_t> Governance::DeletedBy(const Deletable& batch) const {
  const auto stream =
      deletions_.find(std::pair(std::string(batch.host), std::string(batch.source)));
  if (stream == deletions_.end()) return std::nullopt;
  // The newest deletes most: nearly always it is the answer.
  for (auto deletion = stream->second.rbegin(); deletion != stream->second.rend(); ++deletion) {
    if (batch.commit_time >= deletion->before) continue;
    if (HoldOf(*deletion->holds, batch) == nullptr) return deletion->block;
  }
  return std::nullopt;
}

}  // namespace logvault::evidence
