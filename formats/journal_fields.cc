// Journal entries: every field under `journal.` and its name; those that mean what other formats call by a name of
// their own under that too.  Names that begin with `_` are journald's own word, all others the sender's.
#include <array>

#include "formats/field_parsers.h"
#include "formats/journal_entry.h"
#include "formats/syslog_names.h"

namespace logvault::formats {
namespace {

struct CanonicalName {
  std::string_view journal;
  std::string_view name;
};

constexpr std::array<CanonicalName, 24> kCanonicalNames = {{
    {"MESSAGE", "msg"},
    {"MESSAGE_ID", "msgid"},
    {"SYSLOG_IDENTIFIER", "app"},
    {"_AUDIT_ID", "serial"},
    {"_AUDIT_LOGINUID", "auid"},
    {"_AUDIT_SESSION", "ses"},
    {"_AUDIT_TYPE_NAME", "type"},
    {"_CMDLINE", "cmd"},
    {"_COMM", "comm"},
    {"_EXE", "exe"},
    {"_GID", "gid"},
    {"_HOSTNAME", "syslog.host"},
    {"_KERNEL_DEVICE", "device"},
    {"_PID", "pid"},
    {"_SELINUX_CONTEXT", "subj"},
    {"_SYSTEMD_CGROUP", "cgroup"},
    {"_SYSTEMD_UNIT", "unit"},
    {"_UID", "uid"},
    // journald's word about whom a message is from, where a manager reports about a unit or a process.
    {"OBJECT_PID", "opid"},
    {"OBJECT_UID", "ouid"},
    {"OBJECT_SYSTEMD_UNIT", "unit"},
    {"UNIT", "unit"},
    {"USER_UNIT", "unit"},
    {"_SYSTEMD_USER_UNIT", "unit"},
}};

// A small decimal number, or -1.
int SmallNumber(std::string_view text) {
  if (text.empty() || text.size() > 2) return -1;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

void AddNamedNumber(const JournalField& field, FieldList& fields) {
  const int number = SmallNumber(field.value);
  if (field.name == "PRIORITY") fields.AddUnless("", "severity", SeverityName(number));
  if (field.name == "SYSLOG_FACILITY") fields.AddUnless("", "facility", FacilityName(number));
}

}  // namespace

void ParseJournalFields(std::string_view text, FieldList& fields) {
  JournalFields found(text);
  while (const std::optional<JournalField> field = found.Next()) {
    if (fields.full()) return;
    for (const CanonicalName& known : kCanonicalNames) {
      if (field->name == known.journal) fields.Add(known.name, field->value);
    }
    AddNamedNumber(*field, fields);
    fields.Add("journal." + std::string(field->name), field->value);
  }
}

}  // namespace logvault::formats
