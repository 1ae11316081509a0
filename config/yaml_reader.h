// A strict reader of one YAML mapping into a struct.  It takes each key once and checks its value;
// the first error of a file is remembered and later ones are not, so that a loader checks once, at
// its end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "config/yaml.h"

namespace logvault::config {

// What the readers of one file share.
struct YamlSource {
  std::string file;    // as named to us, for messages
  std::string folder;  // relative paths are relative to it
  Status status;       // the first error

  // `path` is the configuration file's.
  static YamlSource For(const std::string& path);
  // Remembers "FILE:LINE: reason" unless an error came before.
  void Fail(int line, std::string_view reason);
};

enum class Presence { kOptional, kRequired };
// Listening on port 0 means any free one; connecting to it means nothing.
enum class AddressUse { kListen, kConnect };

class YamlReader {
 public:
  // `keys` are all that this mapping may have; any other is an error that names the nearest.
  // `where` is the path of keys to `node`, empty at the root, for messages.  `source` must outlive
  // the reader.
  YamlReader(YamlSource& source, const YamlNode& node, std::string where,
             const std::vector<std::string_view>& keys);

  // The value of `key`; nullptr where it is absent or nothing.
  const YamlNode* Find(std::string_view key, Presence presence);

  // Each leaves `*out` alone where an optional key is absent.  Limits are inclusive.
  void Text(std::string_view key, Presence presence, std::string* out);
  void Name(std::string_view key, Presence presence, std::string* out);
  void Path(std::string_view key, Presence presence, std::string* out);
  void SocketPath(std::string_view key, Presence presence, std::string* out);
  void Address(std::string_view key, Presence presence, AddressUse use, std::string* out);
  void Duration(std::string_view key, Presence presence, std::int64_t min_ns, std::int64_t* out);
  void Size(std::string_view key, Presence presence, std::uint64_t min_bytes, std::uint64_t* out);
  // One string, or a list of them.
  void Addresses(std::string_view key, Presence presence, AddressUse use,
                 std::vector<std::string>* out);

  // One of `choices`.
  template <typename T, std::size_t N>
  void Choice(std::string_view key, Presence presence,
              const std::array<std::pair<std::string_view, T>, N>& choices, T* out) {
    const YamlNode* node = Scalar(key, presence);
    if (node == nullptr) return;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) {
      names.push_back(name);
      if (name == node->text) {
        *out = value;
        return;
      }
    }
    FailChoice(*node, key, names);
  }

  // "spool.dir": `key` as messages name it.
  [[nodiscard]] std::string NameOf(std::string_view key) const;
  [[nodiscard]] int line() const { return node_.line; }
  YamlSource& source() { return source_; }

 private:
  const YamlNode* Scalar(std::string_view key, Presence presence);
  void FailChoice(const YamlNode& node, std::string_view key,
                  const std::vector<std::string_view>& names);
  void CheckAddress(const YamlNode& node, std::string_view key, AddressUse use);

  YamlSource& source_;
  const YamlNode& node_;
  const std::string where_;
};

// The word of `words` that needs the fewest edits to become `word`.  REQUIRES: words is not empty.
std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& words);

}  // namespace logvault::config
