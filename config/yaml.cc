#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <streambuf>

namespace logvault::config {
namespace {

constexpr std::size_t kDepthMax = 16;

// Lets a stream read a view without copying it.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // A get area is never written to.
    setg(begin, begin, begin + text.size());
  }
};

// Builds the tree from the parser's events, and remembers the first thing that is refused.
class TreeBuilder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Refuse(mark, "a second document begins here");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Leaf(mark, "", anchor, YamlNode::Kind::kNothing, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Refuse(mark, "aliases (*name) are not supported");
    Leaf(mark, "", 0, YamlNode::Kind::kNothing, "");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Leaf(mark, tag, anchor, YamlNode::Kind::kScalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Begin(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Begin(mark, tag, anchor, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { End(); }

  struct Refusal {
    int line;
    std::string reason;
  };
  std::optional<Refusal> refusal;
  YamlNode root;

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlEntry> entry;  // its key is read, its value is not
  };

  void Refuse(const YAML::Mark& mark, std::string reason) {
    if (!refusal) refusal = Refusal{mark.line + 1, std::move(reason)};
  }

  YamlNode NewNode(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                   YamlNode::Kind kind) {
    if (anchor != 0) Refuse(mark, "anchors (&name) are not supported");
    if (!tag.empty() && tag != "?" && tag != "!")
      Refuse(mark, "tags (" + tag + ") are not supported");
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }

  void Leaf(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind, const std::string& value) {
    YamlNode node = NewNode(mark, tag, anchor, kind);
    if (value.find('\0') != std::string::npos) Refuse(mark, "a NUL byte in a value");
    node.text = value;
    Add(mark, std::move(node));
  }

  // The tree stops growing once something is refused, so its depth and its destructor's are
  // bounded.
  void Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    if (open_.size() >= kDepthMax) Refuse(mark, "nested too deeply");
    open_.push_back({NewNode(mark, tag, anchor, kind), std::nullopt});
  }

  void End() {
    YAML::Mark mark;
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    mark.line = node.line - 1;
    Add(mark, std::move(node));
  }

  void Add(const YAML::Mark& mark, YamlNode node) {
    if (refusal) return;
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (!parent.entry) {
      AddKey(mark, parent, std::move(node));
      return;
    }
    parent.entry->value = std::move(node);
    parent.node.entries.push_back(*std::move(parent.entry));
    parent.entry.reset();
  }

  void AddKey(const YAML::Mark& mark, Open& parent, YamlNode key) {
    if (key.kind != YamlNode::Kind::kScalar) {
      Refuse(mark, "a key must be a word");
      return;
    }
    auto same = std::find_if(parent.node.entries.begin(), parent.node.entries.end(),
                             [&key](const YamlEntry& entry) { return entry.key == key.text; });
    if (same != parent.node.entries.end()) {
      Refuse(mark, "key '" + key.text + "' stands here again; first in line " +
                       std::to_string(same->line));
      return;
    }
    parent.entry = YamlEntry{std::move(key.text), key.line, {}};
  }

  int documents_ = 0;
  std::vector<Open> open_;
};

}  // namespace

std::string_view ToString(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNothing:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
  }
  return "nothing";
}

Result<YamlNode> ParseYaml(std::string_view text, std::string_view file) {
  auto fail = [file](int line, const std::string& reason) {
    return InvalidArgument(std::string(file) + ":" + std::to_string(line) + ": " + reason);
  };
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder) && !builder.refusal) {
    }
  } catch (const YAML::Exception& error) {
    if (!builder.refusal) return fail(error.mark.line + 1, error.msg);
  }
  if (builder.refusal) return fail(builder.refusal->line, builder.refusal->reason);
  return std::move(builder.root);
}

}  // namespace logvault::config
