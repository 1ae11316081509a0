#include "evidence/access.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::evidence {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kResultMagic = "logvault/result/v1\n";
constexpr std::array<std::pair<AccessOutcome, std::string_view>, 4> kOutcomes = {{
    {AccessOutcome::kComplete, "complete"},
    {AccessOutcome::kLeft, "left"},
    {AccessOutcome::kCancelled, "cancelled"},
    {AccessOutcome::kFailed, "failed"},
}};

// Names and addresses come from peers: bytes that are no UTF-8 are shown as U+FFFD.
std::string Dump(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Hash> HashFromHex(std::string_view hex) {
  std::string bytes;
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return Corruption("not hexadecimal");
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  if (hex.size() != 2 * kHashSize) return Corruption("not the length of a hash");
  return Hash::FromBytes(bytes);
}

// A body's members; a read of one that is missing or of another type makes it fail, so that a parser checks once.
class Members {
 public:
  Members(std::string_view body, std::string_view type)
      : json_(Json::parse(body, nullptr, /*allow_exceptions=*/false)) {
    ok_ = json_.is_object();
    if (ok_ && Text("type") != type) ok_ = false;
  }

  std::string Text(const char* name) {
    if (Has(name) && json_[name].is_string()) return json_[name].get<std::string>();
    Fail(name);
    return {};
  }
  std::uint64_t Number(const char* name) {
    if (Has(name) && json_[name].is_number_unsigned()) return json_[name].get<std::uint64_t>();
    Fail(name);
    return 0;
  }
  Hash HashOf(const char* name) {
    const Result<Hash> hash = HashFromHex(Text(name));
    if (!hash.ok()) Fail(name);
    return hash.ok() ? *hash : Hash{};
  }
  [[nodiscard]] bool Has(const char* name) const {
    return json_.is_object() && json_.contains(name);
  }
  void Fail(const char* name) {
    if (ok_ || first_bad_.empty()) first_bad_ = name;
    ok_ = false;
  }

  [[nodiscard]] Status status(const char* what) const {
    if (ok_) return Status::Ok();
    return Corruption(std::string(what) + ": not of the documented form" +
                      (first_bad_.empty() ? "" : " (" + first_bad_ + ")"));
  }

 private:
  Json json_;
  bool ok_ = false;
  std::string first_bad_;
};

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
  Members members(bytes, "asked");
  AccessBody body;
  body.name = members.Text("name");
  body.role = members.Text("role");
  body.certificate = members.Text("certificate");
  body.address = members.Text("address");
  body.call = members.Text("call");
  body.tree_size = members.Number("tree_size");
  body.query_hash = members.HashOf("query_sha256");
  body.query_bytes = members.Number("query_bytes");
  if (!HashFromHex(body.certificate).ok()) members.Fail("certificate");
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
  Json json = {{"type", "asked"},
               {"name", name},
               {"role", role},
               {"certificate", certificate},
               {"address", address},
               {"call", call},
               {"tree_size", tree_size},
               {"query_sha256", query_hash.Hex()},
               {"query_bytes", query_bytes}};
  if (query) json["query"] = *query;
  return Dump(json);
}

Result<AccessTextBody> AccessTextBody::Parse(std::string_view bytes) {
  Members members(bytes, "text");
  AccessTextBody body;
  body.query_hash = members.HashOf("query_sha256");
  body.offset = members.Number("offset");
  body.text = members.Text("text");
  LV_RETURN_IF_ERROR(members.status("ACCESS"));
  return body;
}

std::string AccessTextBody::Serialize() const {
  return Dump(
      {{"type", "text"}, {"query_sha256", query_hash.Hex()}, {"offset", offset}, {"text", text}});
}

Result<AccessEndBody> AccessEndBody::Parse(std::string_view bytes) {
  Members members(bytes, "answered");
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
  Json json = {{"type", "answered"},
               {"access", access},
               {"outcome", std::string(ToString(outcome))},
               {"rows", rows}};
  if (matches) json["matches"] = *matches;
  json["unreadable"] = unreadable;
  json["result_sha256"] = result.Hex();
  if (!reason.empty()) json["reason"] = reason;
  return Dump(json);
}

bool IsAccessText(std::string_view body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("type") && json["type"] == "text";
}

ResultHash::ResultHash() : value_(Sha256(kResultMagic)) {}

void ResultHash::Add(std::string_view row) {
  value_ = Sha256({value_.view(), row});
  ++rows_;
}

}  // namespace logvault::evidence
