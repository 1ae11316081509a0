// JSON bodies of blocks: how their members are read and written.  Private to evidence's sources.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "evidence/hash.h"

namespace logvault::evidence {

using BodyJson = nlohmann::ordered_json;  // members stay in their order

// Without blanks.  Names and addresses come from peers: bytes that are no UTF-8 are shown as U+FFFD.
std::string DumpBody(const BodyJson& body);

// A body's members; a read of one that is missing or of another type makes it fail, so that a parser checks once.
class BodyMembers {
 public:
  explicit BodyMembers(std::string_view body);
  // The same, failing at once where the member `type` is not this one.
  BodyMembers(std::string_view body, std::string_view type);

  std::string Text(const char* name);
  std::uint64_t Number(const char* name);
  std::int64_t Time(const char* name);              // nanoseconds; before 1970 it is negative
  Hash HashOf(const char* name);                    // 64 lower-case hexadecimal digits
  std::vector<BodyMembers> List(const char* name);  // of objects
  std::vector<std::uint64_t> Numbers(const char* name);

  [[nodiscard]] bool Has(const char* name) const;
  [[nodiscard]] bool ok() const { return ok_; }
  void Fail(const char* name);
  // kCorruption, with `what` and the first member that is wrong.
  [[nodiscard]] Status status(std::string_view what) const;

 private:
  explicit BodyMembers(std::shared_ptr<const BodyJson> json);
  // The member, or nullptr.
  [[nodiscard]] const BodyJson* Find(const char* name) const;

  std::shared_ptr<const BodyJson> json_;
  bool ok_ = false;
  std::string first_bad_;
};

}  // namespace logvault::evidence
