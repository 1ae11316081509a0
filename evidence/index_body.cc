#include "evidence/index_body.h"

#include <nlohmann/json.hpp>

#include "evidence/json_body.h"

namespace logvault::evidence {
namespace {

constexpr std::uint64_t kVersion = 1;

}  // namespace

Result<IndexBody> IndexBody::Parse(std::string_view body) {
  BodyMembers members(body, "index");
  IndexBody index;
  if (members.Number("version") != kVersion) members.Fail("version");
  index.first = members.Number("first");
  index.end = members.Number("end");
  index.directory_hash = members.HashOf("sha256");
  if (index.first >= index.end) members.Fail("end");
  if (!members.ok()) return members.status("INDEX");
  return index;
}

std::string IndexBody::Serialize() const {
  BodyJson body;
  body["type"] = "index";
  body["version"] = kVersion;
  body["first"] = first;
  body["end"] = end;
  body["sha256"] = directory_hash.Hex();
  return DumpBody(body);
}

}  // namespace logvault::evidence
