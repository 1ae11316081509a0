#include "formats/event_fields.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace logvault::formats {
namespace {

constexpr char kEnrichedSeparator = '\x1D';

void AddNew(Fields& fields, Fields more) {
  for (Field& field : more) {
    if (fields.size() >= kFieldsMax) return;
    if (std::find(fields.begin(), fields.end(), field) == fields.end())
      fields.push_back(std::move(field));
  }
}

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
  Fields fields;
  for (const std::string& record : records) AddNew(fields, ParseFields(format, record));
  return fields;
}

}  // namespace logvault::formats
