#include "evidence/json_body.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::evidence {

std::string DumpBody(const BodyJson& body) {
  return body.dump(-1, ' ', false, BodyJson::error_handler_t::replace);
}

BodyMembers::BodyMembers(std::shared_ptr<const BodyJson> json)
    : json_(std::move(json)), ok_(json_->is_object()) {}

BodyMembers::BodyMembers(std::string_view body)
    : BodyMembers(std::make_shared<const BodyJson>(
          BodyJson::parse(body, nullptr, /*allow_exceptions=*/false))) {}

BodyMembers::BodyMembers(std::string_view body, std::string_view type) : BodyMembers(body) {
  if (ok_ && Text("type") != type) ok_ = false;
}

const BodyJson* BodyMembers::Find(const char* name) const {
  if (!json_->is_object()) return nullptr;
  const auto member = json_->find(name);
  return member == json_->end() ? nullptr : &*member;
}

std::string BodyMembers::Text(const char* name) {
  const BodyJson* member = Find(name);
  if (member != nullptr && member->is_string()) return member->get<std::string>();
  Fail(name);
  return {};
}

std::uint64_t BodyMembers::Number(const char* name) {
  const BodyJson* member = Find(name);
  if (member != nullptr && member->is_number_unsigned()) return member->get<std::uint64_t>();
  Fail(name);
  return 0;
}

std::int64_t BodyMembers::Time(const char* name) {
  const BodyJson* member = Find(name);
  const bool fits = member != nullptr && member->is_number_integer() &&
                    (!member->is_number_unsigned() || *member <= INT64_MAX);
  if (fits) return member->get<std::int64_t>();
  Fail(name);
  return 0;
}

Hash BodyMembers::HashOf(const char* name) {
  const Result<Hash> hash = Hash::FromHex(Text(name));
  if (hash.ok()) return *hash;
  Fail(name);
  return {};
}

std::vector<BodyMembers> BodyMembers::List(const char* name) {
  std::vector<BodyMembers> list;
  const BodyJson* member = Find(name);
  if (member == nullptr || !member->is_array()) {
    Fail(name);
    return list;
  }
  for (const BodyJson& item : *member) {
    list.push_back(BodyMembers(std::make_shared<const BodyJson>(item)));
  }
  return list;
}

std::vector<std::uint64_t> BodyMembers::Numbers(const char* name) {
  std::vector<std::uint64_t> numbers;
  const BodyJson* member = Find(name);
  if (member == nullptr || !member->is_array()) Fail(name);
  if (!ok_) return numbers;
  for (const BodyJson& item : *member) {
    if (!item.is_number_unsigned()) Fail(name);
    if (!ok_) break;
    numbers.push_back(item.get<std::uint64_t>());
  }
  return numbers;
}

bool BodyMembers::Has(const char* name) const { return Find(name) != nullptr; }

void BodyMembers::Fail(const char* name) {
  if (ok_ || first_bad_.empty()) first_bad_ = name;
  ok_ = false;
}

Status BodyMembers::status(std::string_view what) const {
  if (ok_) return Status::Ok();
  return Corruption(std::string(what) + ": not of the documented form" +
                    (first_bad_.empty() ? "" : " (" + first_bad_ + ")"));
}

}  // namespace logvault::evidence
