#include "config/yaml_reader.h"

#include <algorithm>
#include <filesystem>

#include "config/address.h"
#include "config/name.h"
#include "config/units.h"

namespace logvault::config {
namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un holds 108 bytes, the last a NUL.

// Levenshtein's distance, one row at a time.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

std::string Join(const std::vector<std::string_view>& words) {
  std::string joined;
  for (std::string_view word : words) joined += (joined.empty() ? "" : " ") + std::string(word);
  return joined;
}

}  // namespace

std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& words) {
  word = word.substr(0, 64);  // Bounds the work on a file that is no configuration.
  return *std::min_element(words.begin(), words.end(),
                           [word](std::string_view a, std::string_view b) {
                             return EditDistance(word, a) < EditDistance(word, b);
                           });
}

YamlSource YamlSource::For(const std::string& path) {
  YamlSource source;
  source.file = path;
  std::error_code error;  // Only without a current folder; then relative paths stay relative.
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  source.folder = (error ? std::filesystem::path(path) : absolute).parent_path().string();
  return source;
}

void YamlSource::Fail(int line, std::string_view reason) {
  if (!status.ok()) return;
  status = InvalidArgument(file + ":" + std::to_string(line) + ": " + std::string(reason));
}

YamlReader::YamlReader(YamlSource& source, const YamlNode& node, std::string where,
                       const std::vector<std::string_view>& keys)
    : source_(source), node_(node), where_(std::move(where)) {
  if (node.kind != YamlNode::Kind::kMapping) {
    const std::string what = where_.empty() ? "the configuration" : where_;
    source_.Fail(node.line, what + " must be a mapping of keys to values, not " +
                                std::string(ToString(node.kind)));
    return;
  }
  for (const YamlEntry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    source_.Fail(entry.line,
                 "unknown key '" + entry.key + "'" + (where_.empty() ? "" : " in " + where_) +
                     "; the nearest known key is '" + std::string(Nearest(entry.key, keys)) + "'");
  }
}

std::string YamlReader::NameOf(std::string_view key) const {
  return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

const YamlNode* YamlReader::Find(std::string_view key, Presence presence) {
  for (const YamlEntry& entry : node_.entries) {
    if (entry.key != key) continue;
    if (entry.value.kind != YamlNode::Kind::kNothing) return &entry.value;
    source_.Fail(entry.line, NameOf(key) + " has no value");
    return nullptr;
  }
  if (presence == Presence::kRequired) {
    source_.Fail(node_.line, "the required key '" + NameOf(key) + "' is missing");
  }
  return nullptr;
}

const YamlNode* YamlReader::Scalar(std::string_view key, Presence presence) {
  const YamlNode* node = Find(key, presence);
  if (node == nullptr) return nullptr;
  if (node->kind != YamlNode::Kind::kScalar) {
    source_.Fail(node->line,
                 NameOf(key) + " must be a single value, not " + std::string(ToString(node->kind)));
    return nullptr;
  }
  if (node->text.empty()) {
    source_.Fail(node->line, NameOf(key) + " is empty");
    return nullptr;
  }
  return node;
}

void YamlReader::Text(std::string_view key, Presence presence, std::string* out) {
  if (const YamlNode* node = Scalar(key, presence)) *out = node->text;
}

void YamlReader::Name(std::string_view key, Presence presence, std::string* out) {
  const YamlNode* node = Scalar(key, presence);
  if (node == nullptr) return;
  if (!IsValidName(node->text)) {
    source_.Fail(node->line, NameOf(key) + ": '" + node->text +
                                 "' is not a name: 1 to 63 of a-z, 0-9, '.', '_' and '-'");
  }
  *out = node->text;
}

void YamlReader::Path(std::string_view key, Presence presence, std::string* out) {
  const YamlNode* node = Scalar(key, presence);
  if (node == nullptr) return;
  *out = (std::filesystem::path(source_.folder) / node->text).string();
}

void YamlReader::SocketPath(std::string_view key, Presence presence, std::string* out) {
  const YamlNode* node = Scalar(key, presence);
  if (node == nullptr) return;
  Path(key, presence, out);
  if (out->size() > kSocketPathMax) {
    source_.Fail(node->line, NameOf(key) + ": " + *out + " is longer than the " +
                                 std::to_string(kSocketPathMax) + " bytes of a socket's path");
  }
}

void YamlReader::CheckAddress(const YamlNode& node, std::string_view key, AddressUse use) {
  Result<struct Address> address = ParseAddress(node.text);
  if (!address.ok()) {
    source_.Fail(node.line, NameOf(key) + ": " + address.status().message());
    return;
  }
  if (use == AddressUse::kConnect && address->port == 0) {
    source_.Fail(node.line,
                 NameOf(key) + ": '" + node.text + "' has port 0, to which nobody can connect");
  }
}

void YamlReader::Address(std::string_view key, Presence presence, AddressUse use,
                         std::string* out) {
  const YamlNode* node = Scalar(key, presence);
  if (node == nullptr) return;
  CheckAddress(*node, key, use);
  *out = node->text;
}

void YamlReader::Addresses(std::string_view key, Presence presence, AddressUse use,
                           std::vector<std::string>* out) {
  const YamlNode* node = Find(key, presence);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    std::string one;
    Address(key, presence, use, &one);
    out->assign(1, one);
    return;
  }
  if (node->items.empty()) source_.Fail(node->line, NameOf(key) + " is empty");
  for (const YamlNode& item : node->items) {
    if (item.kind != YamlNode::Kind::kScalar) {
      source_.Fail(item.line, NameOf(key) + " must be a list of addresses; this item is " +
                                  std::string(ToString(item.kind)));
      return;
    }
    CheckAddress(item, key, use);
    if (std::find(out->begin(), out->end(), item.text) != out->end()) {
      source_.Fail(item.line, NameOf(key) + ": '" + item.text + "' stands here twice");
    }
    out->push_back(item.text);
  }
}

void YamlReader::Duration(std::string_view key, Presence presence, std::int64_t min_ns,
                          std::int64_t* out) {
  const YamlNode* node = Scalar(key, presence);
  if (node == nullptr) return;
  Result<std::int64_t> duration = ParseDuration(node->text);
  if (!duration.ok()) {
    source_.Fail(node->line, NameOf(key) + ": " + duration.status().message());
    return;
  }
  if (*duration < min_ns) {
    source_.Fail(node->line, NameOf(key) + " must be at least " + FormatDuration(min_ns) +
                                 ", not " + node->text);
  }
  *out = *duration;
}

void YamlReader::Size(std::string_view key, Presence presence, std::uint64_t min_bytes,
                      std::uint64_t* out) {
  const YamlNode* node = Scalar(key, presence);
  if (node == nullptr) return;
  Result<std::uint64_t> size = ParseSize(node->text);
  if (!size.ok()) {
    source_.Fail(node->line, NameOf(key) + ": " + size.status().message());
    return;
  }
  if (*size < min_bytes) {
    source_.Fail(node->line, NameOf(key) + " must be at least " + FormatSize(min_bytes) + ", not " +
                                 node->text);
  }
  *out = *size;
}

void YamlReader::FailChoice(const YamlNode& node, std::string_view key,
                            const std::vector<std::string_view>& names) {
  source_.Fail(node.line, NameOf(key) + ": '" + node.text + "' is none of: " + Join(names) +
                              "; the nearest is '" + std::string(Nearest(node.text, names)) + "'");
}

}  // namespace logvault::config
