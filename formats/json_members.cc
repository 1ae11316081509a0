#include "formats/json_members.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::formats {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 4> kTimeNames = {"time", "timestamp", "@timestamp", "ts"};

bool IsTimeName(std::string_view name) {
  for (const std::string_view known : kTimeNames) {
    if (known == name) return true;
  }
  return false;
}

// Turns nlohmann's events into calls of `leaf(path, depth, value)`, which says whether to go on.
// The path is built of the members that enclose a leaf, as far as the limits allow.
template <typename OnLeaf>
class LeafReader final : public nlohmann::json_sax<Json> {
 public:
  explicit LeafReader(OnLeaf on_leaf) : on_leaf_(std::move(on_leaf)) {}

  bool null() override { return true; }
  bool boolean(bool value) override { return Leaf(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return Leaf(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Leaf(std::to_string(value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override { return Leaf(text); }
  bool string(string_t& value) override { return Leaf(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return true; }

  bool start_object(std::size_t /*elements*/) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t /*elements*/) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool key(string_t& name) override {
    if (depth_ > kJsonDepthMax) return true;
    const std::size_t parent = enclosing_[depth_ - 1];
    fits_ = parent != kTooLong && parent + 1 + name.size() <= kJsonPathBytesMax;
    if (!fits_) return true;
    path_.resize(parent);
    if (!path_.empty()) path_ += '.';
    path_ += name;
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const Json::exception& /*reason*/) override {
    return false;
  }

 private:
  static constexpr std::size_t kTooLong = SIZE_MAX;

  // Where the path of what is entered ends, so that leaving can cut it back.
  bool Enter() {
    ++depth_;
    if (depth_ <= kJsonDepthMax) enclosing_[depth_ - 1] = fits_ ? path_.size() : kTooLong;
    return true;
  }
  bool Leave() {
    if (depth_ <= kJsonDepthMax) {
      const std::size_t parent = enclosing_[depth_ - 1];
      fits_ = parent != kTooLong;
      if (fits_) path_.resize(parent);
    }
    --depth_;
    return true;
  }
  bool Leaf(std::string value) {
    if (depth_ > kJsonDepthMax || !fits_) return true;
    return on_leaf_(path_, depth_, std::move(value));
  }

  OnLeaf on_leaf_;
  std::size_t depth_ = 0;
  bool fits_ = true;  // path_ is the whole path
  std::string path_;
  std::array<std::size_t, kJsonDepthMax> enclosing_{};
};

template <typename OnLeaf>
void ReadLeaves(std::string_view text, OnLeaf on_leaf) {
  LeafReader<OnLeaf> reader(std::move(on_leaf));
  Json::sax_parse(text.begin(), text.end(), &reader);
}

}  // namespace

std::vector<std::string> JsonTimeTexts(std::string_view text) {
  std::vector<std::string> found;
  ReadLeaves(text, [&found](const std::string& path, std::size_t depth, std::string value) {
    if (depth == 1 && IsTimeName(path)) found.push_back(std::move(value));
    return found.size() < kTimeNames.size();
  });
  return found;
}

std::vector<JsonLeaf> JsonLeaves(std::string_view text) {
  std::vector<JsonLeaf> leaves;
  ReadLeaves(text, [&leaves](const std::string& path, std::size_t /*depth*/, std::string value) {
    leaves.push_back({path, std::move(value)});
    return leaves.size() < kJsonLeavesMax;
  });
  return leaves;
}

}  // namespace logvault::formats
