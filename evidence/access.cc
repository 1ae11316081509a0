#include "evidence/access.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "evidence/json_body.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kResultMagic = "logvault/result/v1\n";
constexpr std::array<std::pair<AccessOutcome, std::string_view>, 4> kOutcomes = {{
    {AccessOutcome::kComplete, "complete"},
    {AccessOutcome::kLeft, "left"},
    {AccessOutcome::kCancelled, "cancelled"},
    {AccessOutcome::kFailed, "failed"},
}};

std::optional<AccessOutcome> OutcomeByName(std::string_view name) {
  for (const auto& [outcome, its_name] : kOutcomes) {
    if (name == its_name) return outcome;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(AccessOutcome outcome) {
  for (const auto& [known, name] : kOutcomes) {
    if (known == outcome) return name;
  }
  return "failed";
}

Result<AccessBody> AccessBody::Parse(std::string_view bytes) {
  BodyMembers members(bytes, "asked");
  AccessBody body;
  body.name = members.Text("name");
  body.role = members.Text("role");
  body.certificate = members.Text("certificate");
  body.address = members.Text("address");
  body.call = members.Text("call");
  body.tree_size = members.Number("tree_size");
  body.query_hash = members.HashOf("query_sha256");
  body.query_bytes = members.Number("query_bytes");
  if (!Hash::FromHex(body.certificate).ok()) members.Fail("certificate");
  if (members.Has("query")) {
    body.query = members.Text("query");
    if (body.query->size() != body.query_bytes || Sha256(*body.query) != body.query_hash) {
      members.Fail("query_sha256");
    }
  }
  LV_RETURN_IF_ERROR(members.status("ACCESS"));
  return body;
}

std::string AccessBody::Serialize() const {
  BodyJson json = {{"type", "asked"},
                   {"name", name},
                   {"role", role},
                   {"certificate", certificate},
                   {"address", address},
                   {"call", call},
                   {"tree_size", tree_size},
                   {"query_sha256", query_hash.Hex()},
                   {"query_bytes", query_bytes}};
  if (query) json["query"] = *query;
  return DumpBody(json);
}

Result<AccessTextBody> AccessTextBody::Parse(std::string_view bytes) {
  BodyMembers members(bytes, "text");
  AccessTextBody body;
  body.query_hash = members.HashOf("query_sha256");
  body.offset = members.Number("offset");
  body.text = members.Text("text");
  LV_RETURN_IF_ERROR(members.status("ACCESS"));
  return body;
}

std::string AccessTextBody::Serialize() const {
  return DumpBody(
      {{"type", "text"}, {"query_sha256", query_hash.Hex()}, {"offset", offset}, {"text", text}});
}

Result<AccessEndBody> AccessEndBody::Parse(std::string_view bytes) {
  BodyMembers members(bytes, "answered");
  AccessEndBody body;
  body.access = members.Number("access");
  const std::optional<AccessOutcome> outcome = OutcomeByName(members.Text("outcome"));
  if (outcome) body.outcome = *outcome;
  if (!outcome) members.Fail("outcome");
  body.rows = members.Number("rows");
  if (members.Has("matches")) body.matches = members.Number("matches");
  body.unreadable = members.Number("unreadable");
  body.result = members.HashOf("result_sha256");
  if (members.Has("reason")) body.reason = members.Text("reason");
  LV_RETURN_IF_ERROR(members.status("ACCESS_END"));
  return body;
}

std::string AccessEndBody::Serialize() const {
  BodyJson json = {{"type", "answered"},
                   {"access", access},
                   {"outcome", std::string(ToString(outcome))},
                   {"rows", rows}};
  if (matches) json["matches"] = *matches;
  json["unreadable"] = unreadable;
  json["result_sha256"] = result.Hex();
  if (!reason.empty()) json["reason"] = reason;
  return DumpBody(json);
}

bool IsAccessText(std::string_view body) {
  const BodyJson json = BodyJson::parse(body, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("type") && json["type"] == "text";
}

ResultHash::ResultHash() : value_(Sha256(kResultMagic)) {}

void ResultHash::Add(std::string_view row) {
  value_ = Sha256({value_.view(), row});
  ++rows_;
}

}  // namespace logvault::evidence
