#include "evidence/directive.h"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/bytes.h"
#include "evidence/json_body.h"
#include "evidence/keys.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kMagic = "logvault/dir/v1\n";
constexpr std::array<std::pair<DirectiveType, std::string_view>, 8> kTypes = {{
    {DirectiveType::kRetention, "retention"},
    {DirectiveType::kHold, "hold"},
    {DirectiveType::kRelease, "release"},
    {DirectiveType::kRollback, "rollback"},
    {DirectiveType::kNewKey, "new_key"},
    {DirectiveType::kRetireKey, "retire_key"},
    {DirectiveType::kReview, "review"},
    {DirectiveType::kDictionary, "dictionary"},
}};

std::vector<RetentionRule> ReadRules(BodyMembers& members) {
  std::vector<RetentionRule> rules;
  for (BodyMembers& item : members.List("rules")) {
    rules.push_back({item.Text("host"), item.Text("source"), item.Number("keep_ns")});
    if (!item.ok()) members.Fail("rules");
  }
  if (rules.size() > kMaxRules) members.Fail("rules");
  return rules;
}

Hold ReadHold(BodyMembers& members) {
  Hold hold;
  hold.name = members.Text("name");
  hold.host = members.Text("host");
  hold.source = members.Text("source");
  if (members.Has("since")) hold.since = members.Time("since");
  if (members.Has("until")) hold.until = members.Time("until");
  return hold;
}

void WriteHold(const Hold& hold, BodyJson& json) {
  json["name"] = hold.name;
  json["host"] = hold.host;
  json["source"] = hold.source;
  if (hold.since) json["since"] = *hold.since;
  if (hold.until) json["until"] = *hold.until;
}

KeyChange ReadNewKey(BodyMembers& members) {
  KeyChange key{members.Text("key"), {}};
  Result<std::string> opening = FromBase64(members.Text("opening_key"));
  if (opening.ok() && opening->size() == kPublicKeySize)
    key.opening_public_key = *std::move(opening);
  else
    members.Fail("opening_key");
  return key;
}

DictionaryOrder ReadDictionary(BodyMembers& members) {
  DictionaryOrder order{members.Text("format"), {}};
  Result<std::string> bytes = FromBase64(members.Text("dictionary"));
  if (bytes.ok())
    order.bytes = *std::move(bytes);
  else
    members.Fail("dictionary");
  return order;
}

// Ascending, so that there is one way to write a review.
std::vector<std::uint64_t> ReadReviewed(BodyMembers& members) {
  std::vector<std::uint64_t> blocks = members.Numbers("blocks");
  const bool ascending =
      std::adjacent_find(blocks.begin(), blocks.end(), std::greater_equal<>()) == blocks.end();
  if (blocks.empty() || blocks.size() > kMaxReviewed || !ascending) members.Fail("blocks");
  return blocks;
}

void ReadOrdered(BodyMembers& members, Statement& statement) {
  switch (statement.type) {
    case DirectiveType::kRetention:
      statement.rules = ReadRules(members);
      return;
    case DirectiveType::kHold:
      statement.hold = ReadHold(members);
      return;
    case DirectiveType::kRelease:
      statement.hold.name = members.Text("name");
      return;
    case DirectiveType::kRollback:
      statement.rollback = {members.Text("restored"), members.Text("lost")};
      return;
    case DirectiveType::kNewKey:
      statement.key = ReadNewKey(members);
      return;
    case DirectiveType::kRetireKey:
      statement.key.verifier = members.Text("key");
      return;
    case DirectiveType::kReview:
      statement.reviewed = ReadReviewed(members);
      return;
    case DirectiveType::kDictionary:
      statement.dictionary = ReadDictionary(members);
      return;
  }
}

void WriteOrdered(const Statement& statement, BodyJson& json) {
  switch (statement.type) {
    case DirectiveType::kRetention:
      json["rules"] = BodyJson::array();
      for (const RetentionRule& rule : statement.rules) {
        json["rules"].push_back(
            {{"host", rule.host}, {"source", rule.source}, {"keep_ns", rule.keep_ns}});
      }
      return;
    case DirectiveType::kHold:
      return WriteHold(statement.hold, json);
    case DirectiveType::kRelease:
      json["name"] = statement.hold.name;
      return;
    case DirectiveType::kRollback:
      json["restored"] = statement.rollback.restored;
      json["lost"] = statement.rollback.lost;
      return;
    case DirectiveType::kNewKey:
      json["key"] = statement.key.verifier;
      json["opening_key"] = ToBase64(statement.key.opening_public_key);
      return;
    case DirectiveType::kRetireKey:
      json["key"] = statement.key.verifier;
      return;
    case DirectiveType::kReview:
      json["blocks"] = statement.reviewed;
      return;
    case DirectiveType::kDictionary:
      json["format"] = statement.dictionary.format;
      json["dictionary"] = ToBase64(statement.dictionary.bytes);
      return;
  }
}

}  // namespace

std::string_view ToString(DirectiveType type) {
  for (const auto& [known, name] : kTypes) {
    if (known == type) return name;
  }
  return "unknown";
}

BlockKind KindOf(DirectiveType type) {
  switch (type) {
    case DirectiveType::kHold:
    case DirectiveType::kRelease:
      return BlockKind::kHold;
    case DirectiveType::kNewKey:
    case DirectiveType::kRetireKey:
      return BlockKind::kKey;
    case DirectiveType::kReview:
      return BlockKind::kAlert;
    case DirectiveType::kRetention:
    case DirectiveType::kRollback:
    case DirectiveType::kDictionary:
      break;
  }
  return BlockKind::kConfig;
}

bool MayInvestigatorsSign(DirectiveType type) { return type == DirectiveType::kReview; }

bool IsDirective(std::string_view body) { return body.starts_with(kMagic); }

Result<Statement> Statement::Parse(std::string_view json) {
  BodyMembers members(json);
  Statement statement;
  const std::string type = members.Text("type");
  bool known = false;
  for (const auto& [its_type, name] : kTypes) {
    if (type != name) continue;
    statement.type = its_type;
    known = true;
  }
  if (!known) members.Fail("type");
  statement.origin = members.Text("origin");
  statement.previous = members.HashOf("previous");
  statement.by = members.Text("by");
  statement.at = members.Time("at");
  statement.reason = members.Text("reason");
  if (statement.reason.size() > kMaxReasonBytes) members.Fail("reason");
  if (members.ok()) ReadOrdered(members, statement);
  LV_RETURN_IF_ERROR(members.status("directive"));
  return statement;
}

std::string Statement::Serialize() const {
  BodyJson json = {{"type", std::string(ToString(type))},
                   {"origin", origin},
                   {"previous", previous.Hex()},
                   {"by", by},
                   {"at", at},
                   {"reason", reason}};
  WriteOrdered(*this, json);
  return DumpBody(json);
}

Result<Directive> Directive::Parse(std::string_view bytes) {
  ByteReader reader(bytes);
  Directive directive;
  if (reader.Bytes(kMagic.size()) != kMagic) return Corruption("not a directive");
  directive.statement = std::string(reader.String32());
  directive.certificate_der = std::string(reader.String32());
  directive.signature = std::string(reader.String16());
  if (!reader.Done()) return Corruption("a directive of another length than it states");
  return directive;
}

std::string Directive::SignedBytes() const {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Bytes(kMagic);
  writer.String32(statement);
  writer.String32(certificate_der);
  return bytes;
}

std::string Directive::Serialize() const {
  std::string bytes = SignedBytes();
  ByteWriter(bytes).String16(signature);
  return bytes;
}

Result<Statement> Directive::Open(std::string_view origin, std::string_view ca_pem, UnixNanos at,
                                  const CertificateCheck& check) const {
  Result<Statement> read = Statement::Parse(statement);
  if (!read.ok()) return read;
  Result<std::string> key = check(certificate_der, ca_pem, "admin", read->by, at);
  if (!key.ok() && MayInvestigatorsSign(read->type))
    key = check(certificate_der, ca_pem, "investigator", read->by, at);
  if (!key.ok()) return PermissionDenied(key.status().message());
  LV_RETURN_IF_ERROR(VerifyEd25519(*key, SignedBytes(), signature));
  if (read->origin != origin) {
    return PermissionDenied("the directive is for vault " + read->origin + ", not " +
                            std::string(origin));
  }
  return read;
}

}  // namespace logvault::evidence
