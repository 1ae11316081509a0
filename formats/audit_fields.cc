// auditd: key=value pairs, with the kernel's hexadecimal strings decoded, user space's nested
// msg='...', and the names that auditd itself looked up behind the byte 1D.
#include <algorithm>
#include <array>

#include "formats/field_names.h"
#include "formats/field_parsers.h"
#include "formats/hex.h"
#include "formats/ip_address.h"
#include "formats/scanner.h"
#include "formats/socket_address.h"
#include "formats/syscall_name.h"

namespace logvault::formats {
namespace {

constexpr char kEnrichedSeparator = '\x1D';
constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kBracesBytesMax =
    512;  // a decoded socket address: a path of 108 bytes is its longest

// Fields whose writer puts bare hexadecimal digits where the text holds a blank, a quote or a
// control character. Sorted.
constexpr auto kEncoded = std::to_array<std::string_view>(
    {"acct", "cgroup",    "cmd",     "comm",     "cwd",  "data",     "device", "dir",
     "exe",  "file",      "grp",     "key",      "name", "new-disk", "ocomm",  "old-disk",
     "path", "proctitle", "profile", "root_dir", "sw",   "vm",       "watch"});
static_assert(std::is_sorted(kEncoded.begin(), kEncoded.end()));

struct Pair {
  std::string_view name;
  std::string_view value;
  bool quoted = false;
};

// `"..."`, `{ ... }` or everything up to a blank.
std::string_view TakePairValue(Scanner& scanner, bool* quoted) {
  const std::string_view text = scanner.rest();
  *quoted = text.starts_with('"');
  if (*quoted) {
    const std::size_t end = text.find('"', 1);
    if (end != kNone) return scanner.Take(end + 1).substr(1, end - 1);
    *quoted = false;
  }
  if (text.starts_with('{')) {
    const std::size_t end = text.substr(0, kBracesBytesMax).find('}');
    if (end != kNone) return scanner.Take(end + 1);
  }
  return scanner.Until(' ');
}

// The next pair; words without `=` are passed over.  `*word` is the last of those: "old" and "new"
// belong to what follows.
bool TakePair(Scanner& scanner, Pair& pair, std::string_view* word) {
  *word = {};
  while (scanner.Blanks() || !scanner.AtEnd()) {
    const std::size_t end = scanner.rest().find_first_of(" =");
    const std::string_view name = scanner.Take(end);
    if (scanner.Char('=')) {
      pair.name = name;
      pair.value = TakePairValue(scanner, &pair.quoted);
      return true;
    }
    *word = name;
  }
  return false;
}

// Old messages end in "(hostname=h1, addr=192.0.2.7, terminal=ssh res=failed)": neither the parentheses nor the commas in them
// are part of a name or a value.
class Parenthesis {
 public:
  void Strip(Pair& pair) {
    if (pair.name.starts_with('(')) {
      open_ = true;
      pair.name.remove_prefix(1);
    }
    if (!open_ || pair.quoted) return;
    open_ = !pair.value.ends_with(')');
    if (!open_ || pair.value.ends_with(',')) pair.value.remove_suffix(1);
  }

 private:
  bool open_ = false;
};

class AuditParser {
 public:
  explicit AuditParser(FieldList& fields) : fields_(fields) {}

  void Parse(std::string_view text) {
    const std::string_view body = TakeHeader(text);
    const std::size_t separator = body.find(kEnrichedSeparator);
    const std::string_view raw = body.substr(0, separator);
    const std::size_t nested = raw.find("msg='");
    const std::size_t nested_end = raw.rfind('\'');
    if (nested != kNone && nested_end > nested + 4) {
      const std::string_view inner = raw.substr(nested + 5, nested_end - nested - 5);
      AddPairs(raw.substr(0, nested));
      fields_.Add("msg", inner);
      AddPairs(inner);
      AddPairs(raw.substr(nested_end + 1));
    } else {
      AddDecision(raw);
      AddPairs(raw);
    }
    if (separator != kNone) AddPairs(body.substr(separator + 1));
    AddCommand();
    AddSyscallName();
  }

 private:
  // `[node=N ]type=T msg=audit(S.mmm:SERIAL):`; the rest.
  std::string_view TakeHeader(std::string_view text) {
    const std::size_t stamp = text.find("audit(");
    const std::size_t stamp_end = stamp == kNone ? kNone : text.find(')', stamp);
    if (stamp_end == kNone) return text;
    std::string_view head = text.substr(0, stamp);
    if (head.ends_with("msg=")) head.remove_suffix(4);
    AddPairs(head);
    const std::string_view inside = text.substr(stamp, stamp_end - stamp);
    const std::size_t colon = inside.find(':');
    if (colon != kNone) fields_.Add("serial", inside.substr(colon + 1));
    Scanner rest(text.substr(stamp_end + 1));
    rest.Char(':');
    return rest.rest();
  }

  // SELinux: "avc:  denied  { read write } for  pid=...".
  void AddDecision(std::string_view raw) {
    Scanner scanner(raw);
    scanner.Blanks();
    if (!scanner.Literal("avc:") || !scanner.Blanks()) return;
    fields_.Add("seresult", scanner.Until(' '));
    if (!scanner.Blanks() || !scanner.Char('{')) return;
    scanner.Blanks();
    std::string_view permissions = scanner.Until('}');
    while (permissions.ends_with(' ')) permissions.remove_suffix(1);
    fields_.Add("seperms", permissions);
  }

  void AddPairs(std::string_view text) {
    Scanner scanner(text);
    Pair pair;
    std::string_view word;
    Parenthesis parenthesis;
    while (!fields_.full() && TakePair(scanner, pair, &word)) {
      parenthesis.Strip(pair);
      // Old kernels wrote "old auid=700 new auid=700".
      if (word == "old") {
        Add("old-" + std::string(pair.name), std::string(pair.value));
      } else {
        AddPair(pair);
      }
    }
  }

  void AddPair(const Pair& pair) {
    if (pair.name.empty() || pair.value == "?" || pair.value == "(null)") return;
    if (pair.name == "type" && type_.empty()) type_ = pair.value;
    if (pair.name == "arch") arch_ = pair.value;
    if (pair.name == "syscall") syscall_ = pair.value;
    if (pair.name == "saddr") AddSocketAddress(pair.value);
    if (type_ == "EXECVE" && AddArgument(pair)) return;
    EndArgument();
    std::string value = Decoded(pair);
    if (pair.name == "key") return AddKeys(value);
    if (pair.name == "proctitle" || pair.name == "cmd") ReplaceNuls(value);
    AddCanonical(pair.name, value);
    Add(pair.name, std::move(value));
  }

  // What other formats say under another name.
  void AddCanonical(std::string_view name, const std::string& value) {
    if (name == "acct") fields_.Add("user", value);
    has_account_ = has_account_ || name == "acct";
    if (name == "UID" && !has_account_) fields_.Add("user", value);
    if (name == "SYSCALL") {
      fields_.Add("syscall", value);
      syscall_named_ = true;
    }
    if (name == "addr" && IsIpAddress(value)) fields_.Add("src.ip", value);
    if (name == "name" && type_ == "PATH") fields_.Add("file", value);
  }

  void Add(std::string_view name, std::string value) {
    if (IsFieldName(name)) return fields_.Add(name, std::move(value));
    fields_.Add("audit." + std::string(name), std::move(value));
  }

  static std::string Decoded(const Pair& pair) {
    if (!pair.quoted && std::binary_search(kEncoded.begin(), kEncoded.end(), pair.name)) {
      if (std::optional<std::string> text = FromUpperHex(pair.value)) return *std::move(text);
    }
    return std::string(pair.value);
  }

  // Several keys of a rule are joined by the byte 01.
  void AddKeys(std::string_view keys) {
    for (Scanner scanner(keys); !scanner.AtEnd(); scanner.Char('\x01')) {
      fields_.Add("key", scanner.Until('\x01'));
    }
  }

  void AddSocketAddress(std::string_view hex) {
    const std::optional<std::string> bytes = FromUpperHex(hex);
    if (!bytes) return;
    const SocketAddress address = DecodeSocketAddress(*bytes);
    if (!address.family.empty()) fields_.Add("saddr_fam", address.family);
    if (!address.path.empty()) fields_.Add("path", address.path);
    if (address.ip.empty()) return;
    fields_.Add("dst.ip", address.ip);
    fields_.Add("dst.port", std::to_string(address.port));
  }

  // `a1="-c"`, `a1=2D63`, and the pieces `a1[0]=` `a1[1]=` of a long one.  True if it was one.
  bool AddArgument(const Pair& pair) {
    const std::size_t bracket = pair.name.find('[');
    const std::string_view name = pair.name.substr(0, bracket);
    if (!IsArgumentName(name)) return false;
    std::optional<std::string> decoded = pair.quoted ? std::nullopt : FromUpperHex(pair.value);
    std::string value = decoded ? *std::move(decoded) : std::string(pair.value);
    const bool piece = bracket != kNone && name == last_argument_;
    if (!piece) EndArgument();
    if (!command_.empty() && !piece) command_ += ' ';
    command_ += value;
    argument_ += value;
    last_argument_ = name;
    return true;
  }

  void EndArgument() {
    if (!last_argument_.empty()) fields_.Add(last_argument_, std::move(argument_));
    last_argument_ = {};
    argument_.clear();
  }

  void AddCommand() {
    EndArgument();
    if (!command_.empty()) fields_.Add("cmd", std::move(command_));
  }

  // A number means a name only together with the architecture; auditd may have looked it up already.
  void AddSyscallName() {
    if (syscall_named_) return;
    const std::string_view name = SyscallName(arch_, syscall_);
    if (!name.empty()) fields_.Add("syscall", name);
  }

  static void ReplaceNuls(std::string& text) {
    while (text.ends_with('\0')) text.pop_back();
    std::replace(text.begin(), text.end(), '\0', ' ');
  }

  FieldList& fields_;
  std::string_view type_;
  bool has_account_ = false;
  std::string command_;
  std::string_view last_argument_;
  std::string argument_;  // what is known of it
  std::string_view arch_;
  std::string_view syscall_;
  bool syscall_named_ = false;
};

}  // namespace

void ParseAuditFields(std::string_view text, FieldList& fields) { AuditParser(fields).Parse(text); }

}  // namespace logvault::formats
