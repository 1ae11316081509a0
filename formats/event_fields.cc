#include "formats/event_fields.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace logvault::formats {
namespace {

constexpr char kEnrichedSeparator = '\x1D';

// Fields, each once.  There may be thousands, so they are not compared each with each.
class DistinctFields {
 public:
  void Add(Fields more) {
    for (Field& field : more) {
      if (fields_.size() >= kFieldsMax) return;
      std::string text = std::to_string(field.name.size()) + ':' + field.name + field.value;
      if (seen_.insert(std::move(text)).second) fields_.push_back(std::move(field));
    }
  }
  Fields Take() { return std::move(fields_); }

 private:
  Fields fields_;
  std::unordered_set<std::string> seen_;  // a name's length, the name, the value
};

bool IsExecve(std::string_view record) {
  const std::string_view head = record.substr(0, record.find("audit("));
  return head.find("type=EXECVE ") != std::string_view::npos;
}

// What follows "audit(...): ", without what auditd looked up.
std::string_view BodyOf(std::string_view record) {
  const std::size_t end = record.find(')', std::min(record.find("audit("), record.size()));
  if (end == std::string_view::npos) return {};
  const std::string_view body =
      record.substr(end + 1, record.find(kEnrichedSeparator, end) - end - 1);
  return body.starts_with(':') ? body.substr(1) : body;
}

}  // namespace

std::string_view ValueOf(const Fields& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return field.value;
  }
  return {};
}

Fields ParseAuditEvent(std::span<const std::string> records) {
  // The EXECVE records as the one that they would be if a record could be so long.
  std::string command;
  for (const std::string& record : records) {
    if (!IsExecve(record)) continue;
    if (command.empty())
      command = record.substr(0, record.find(kEnrichedSeparator));
    else
      command.append(" ").append(BodyOf(record));
  }
  std::vector<std::string> whole;
  for (const std::string& record : records) {
    if (!IsExecve(record)) {
      whole.push_back(record);
    } else if (!command.empty()) {
      whole.push_back(std::exchange(command, {}));
    }
  }
  return JoinFields(Format::kAuditd, whole);
}

Fields JoinFields(Format format, std::span<const std::string> records) {
  DistinctFields fields;
  for (const std::string& record : records) fields.Add(ParseFields(format, record));
  return fields.Take();
}

}  // namespace logvault::formats
