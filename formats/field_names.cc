// Every field a query may name.  A new field of a parser is added here and in docs/formats.md.
#include "formats/field_names.h"

#include <algorithm>
#include <array>

#include "formats/fields.h"

namespace logvault::formats {
namespace {

// clang-format off
constexpr std::string_view kGrouped[] = {
    // What several formats say.
    "app", "auid", "cmd", "comm", "cwd", "dst.ip", "dst.port", "event_id", "exe", "exception",
    "facility", "file", "gid", "key", "level", "logger", "msg", "msgid", "pid", "ppid", "pri",
    "proctitle", "serial", "severity", "src.host", "src.ip", "src.port", "success", "syscall",
    "syslog.host", "type", "uid", "user",
    // Web servers.
    "http.bytes", "http.host", "http.method", "http.path", "http.query", "http.referer",
    "http.status", "http.ua", "http.uri", "http.version",
    // SQL Server.
    "sql.database", "sql.error", "sql.new", "sql.old", "sql.option", "sql.procedure", "sql.process",
    "sql.severity", "sql.state", "sql.user",
    // auditd's own.
    "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "acct", "addr", "apparmor", "arch",
    "argc", "audit_backlog_limit", "audit_backlog_wait_time", "audit_enabled", "audit_failure",
    "audit_pid", "banners", "bus", "cap_fe", "cap_fi", "cap_fp", "cap_frootid", "cap_fver",
    "cap_pa", "cap_pe", "cap_pi", "cap_pp", "capability", "category", "cgroup", "changed", "cipher",
    "code", "compat", "daddr", "data", "default-context", "denied_mask", "dev", "device", "dir",
    "direction", "dmac", "dport", "egid", "enforcing", "entries", "errno", "euid", "exit", "fam",
    "family", "fd", "fe", "fi", "flags", "fp", "frootid", "fsgid", "fsuid", "fver", "grantors",
    "grp", "hook", "hostname", "icmptype", "id", "igid", "img-ctx", "inif", "ino", "inode",
    "invalid_context", "ipid", "ipx-net", "item", "items", "iuid", "kernel", "kind", "ksize",
    "laddr", "len", "lport", "list", "lsm", "mac", "macproto", "maj", "major", "minor", "mode",
    "model", "name", "nametype", "nargs", "net", "new", "new-chardev", "new-disk", "new-enabled",
    "new-fs", "new-level", "new-log_passwd", "new-mem", "new-net", "new-range", "new-rng",
    "new-role", "new-seuser", "new-vcpu", "new_gid", "new_lock", "new_pa", "new_pe", "new_pi",
    "new_pp", "nlnk-fam", "nlnk-grp", "nlnk-pid", "node", "oauid", "obj", "obj_gid", "obj_uid",
    "objtype", "ocomm", "oflag", "ogid", "old", "old-auid", "old-chardev", "old-disk",
    "old-enabled", "old-fs", "old-level", "old-log_passwd", "old-mem", "old-net", "old-range",
    "old-rng", "old-role", "old-ses", "old-seuser", "old-vcpu", "old_enforcing", "old_lock",
    "old_pa", "old_pe", "old_pi", "old_pp", "old_prom", "old_val", "op", "operation", "opid",
    "oses", "ouid", "outif", "pa", "path", "pe", "peer", "per", "perm", "perm_mask", "permissive",
    "pfs", "pi", "pp", "profile", "prom", "proto", "qbytes", "rdev", "reason", "removed",
    "req_mask", "requested_mask", "res", "resp", "resrc", "result", "role", "root_dir", "rport",
    "saddr", "saddr_fam", "sauid", "scontext", "selected-context", "seperms", "seqno", "seresult",
    "ses", "seuser", "sgid", "sig", "sigev_signo", "smac", "spid", "sport", "state", "subj", "suid",
    "sw", "table", "tclass", "tcontext", "terminal", "tty", "unit", "uuid", "vm", "vm-ctx",
    "vm-pid", "watch",
    // What auditd looked up itself, behind the byte 1D.
    "ARCH", "AUID", "EGID", "EUID", "FSGID", "FSUID", "GID", "IGID", "IUID", "NEW_GID", "OAUID",
    "OBJ_GID", "OBJ_UID", "OGID", "OLD-AUID", "OUID", "SADDR", "SAUID", "SGID", "SUID", "SYSCALL",
    "UID",
};
// clang-format on

constexpr auto kSorted = [] {
  auto sorted = std::to_array(kGrouped);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}();
static_assert(std::adjacent_find(kSorted.begin(), kSorted.end()) == kSorted.end());

// Fields that are named by the record itself.
constexpr std::array<std::string_view, 4> kOpenEnded = {"json.", "journal.", "sd.", "audit."};

}  // namespace

std::span<const std::string_view> KnownFieldNames() { return kSorted; }

bool IsListedFieldName(std::string_view name) {
  return std::binary_search(kSorted.begin(), kSorted.end(), name);
}

bool IsArgumentName(std::string_view name) {
  constexpr std::size_t kNameCharsMax = 8;
  return name.size() > 1 && name.size() <= kNameCharsMax && name.front() == 'a' &&
         name.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

bool IsFieldName(std::string_view name) {
  for (const std::string_view prefix : kOpenEnded) {
    if (name.size() > prefix.size() && name.starts_with(prefix)) return true;
  }
  return IsArgumentName(name) || IsListedFieldName(name);
}

}  // namespace logvault::formats
