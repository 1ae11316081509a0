#include "cli/export_manifest.h"

#include <nlohmann/json.hpp>

#include "formats/time_zone.h"

namespace logvault::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "logvault/export/v1";
constexpr std::uint64_t kFirstTexts = 1;  // of the exports that state no version

Json StreamsToJson(const std::vector<evidence::ExportedStream>& streams) {
  Json all = Json::array();
  for (const evidence::ExportedStream& stream : streams) {
    Json missing = Json::array();
    for (const auto& [first, last] : stream.missing) missing.push_back(Json::array({first, last}));
    all.push_back({{"host", stream.host},
                   {"source", stream.source},
                   {"first_seq", stream.first_seq},
                   {"last_seq", stream.last_seq},
                   {"shown", stream.shown},
                   {"redacted", stream.redacted},
                   {"withheld", stream.withheld},
                   {"missing", std::move(missing)}});
  }
  return all;
}

Json FilesToJson(const std::vector<ExportedFile>& files) {
  Json all = Json::array();
  for (const ExportedFile& file : files)
    all.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  return all;
}

// Members of an object, asked for by name and type; a wrong one makes the reader fail, and zeros are answered.
class MemberReader {
 public:
  explicit MemberReader(const Json& object) : object_(object) {}

  [[nodiscard]] bool ok() const { return ok_; }
  void Text(const char* name, std::string& value) {
    if (const auto* text = Find(name).get_ptr<const std::string*>(); Has(text)) value = *text;
  }
  void Number(const char* name, std::uint64_t& value) { ok_ &= ToNumber(Find(name), value); }
  void Flag(const char* name, bool& value) {
    if (const auto* flag = Find(name).get_ptr<const bool*>(); Has(flag)) value = *flag;
  }
  // Calls `take` with each element; it returns false for one that is not as it must be.
  template <typename Take>
  void Each(const char* name, Take take) {
    const Json& list = Find(name);
    ok_ &= list.is_array();
    for (std::size_t i = 0; ok_ && i < list.size(); ++i) ok_ &= take(list[i]);
  }
  static bool ToNumber(const Json& json, std::uint64_t& value) {
    const auto* number = json.get_ptr<const std::uint64_t*>();
    if (number != nullptr) value = *number;
    return number != nullptr;
  }

 private:
  const Json& Find(const char* name) {
    static const Json kNone;
    const auto found = object_.find(name);
    return object_.is_object() && found != object_.end() ? *found : kNone;
  }
  bool Has(const void* value) { return ok_ &= value != nullptr; }

  const Json& object_;
  bool ok_ = true;
};

bool TakeStream(const Json& json, evidence::ExportedStream& stream) {
  MemberReader reader(json);
  reader.Text("host", stream.host);
  reader.Text("source", stream.source);
  reader.Number("first_seq", stream.first_seq);
  reader.Number("last_seq", stream.last_seq);
  reader.Number("shown", stream.shown);
  reader.Number("redacted", stream.redacted);
  reader.Number("withheld", stream.withheld);
  reader.Each("missing", [&stream](const Json& range) {
    auto& [first, last] = stream.missing.emplace_back();
    return range.is_array() && range.size() == 2 && MemberReader::ToNumber(range[0], first) &&
           MemberReader::ToNumber(range[1], last);
  });
  return reader.ok();
}

bool TakeFile(const Json& json, ExportedFile& file) {
  MemberReader reader(json);
  reader.Text("name", file.name);
  reader.Number("size", file.size);
  reader.Text("sha256", file.sha256);
  return reader.ok();
}

bool TakeMembers(const Json& json, ExportManifest& manifest) {
  MemberReader reader(json);
  if (json.contains("texts")) reader.Number("texts", manifest.texts);
  reader.Text("origin", manifest.origin);
  reader.Number("tree_size", manifest.tree_size);
  reader.Text("root", manifest.root);
  reader.Text("query", manifest.query);
  reader.Text("redact", manifest.redact);
  reader.Text("since", manifest.since);
  reader.Text("until", manifest.until);
  reader.Text("by", manifest.by);
  reader.Text("host", manifest.host);
  reader.Text("source", manifest.source);
  reader.Text("record_origin", manifest.record_origin);
  reader.Text("investigator", manifest.investigator);
  reader.Text("certificate_sha256", manifest.certificate_sha256);
  std::uint64_t made_at = 0;
  reader.Number("made_at_ns", made_at);
  manifest.made_at = static_cast<UnixNanos>(made_at);
  reader.Flag("offline", manifest.offline);
  reader.Each("access_blocks", [&manifest](const Json& block) {
    return MemberReader::ToNumber(block, manifest.access_blocks.emplace_back());
  });
  reader.Flag("complete", manifest.complete);
  reader.Each("problems", [&manifest](const Json& problem) {
    const auto* text = problem.get_ptr<const std::string*>();
    if (text != nullptr) manifest.problems.push_back(*text);
    return text != nullptr;
  });
  reader.Number("shown", manifest.shown);
  reader.Number("redacted", manifest.redacted);
  reader.Each("streams", [&manifest](const Json& stream) {
    return TakeStream(stream, manifest.streams.emplace_back());
  });
  reader.Each("files", [&manifest](const Json& file) {
    return TakeFile(file, manifest.files.emplace_back());
  });
  return reader.ok();
}

}  // namespace

std::string ExportManifest::ToJson() const {
  Json json = {{"format", kFormat}};
  if (texts != kFirstTexts) json["texts"] = texts;
  json.update(Json{{"origin", origin},
                   {"tree_size", tree_size},
                   {"root", root},
                   {"query", query},
                   {"redact", redact},
                   {"since", since},
                   {"until", until},
                   {"by", by},
                   {"host", host},
                   {"source", source},
                   {"record_origin", record_origin},
                   {"investigator", investigator},
                   {"certificate_sha256", certificate_sha256},
                   {"made_at", formats::FormatUtc(made_at)},
                   {"made_at_ns", static_cast<std::uint64_t>(made_at)},
                   {"offline", offline},
                   {"access_blocks", access_blocks},
                   {"complete", complete},
                   {"problems", problems},
                   {"shown", shown},
                   {"redacted", redacted},
                   {"streams", StreamsToJson(streams)},
                   {"files", FilesToJson(files)}});
  return json.dump(1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + "\n";
}

Result<ExportManifest> ExportManifest::Parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  ExportManifest manifest;
  if (json.is_discarded() || !json.is_object() || !TakeMembers(json, manifest))
    return Corruption("not a manifest of version 1");
  // Another order, a member twice or one more: other readers might understand it otherwise.
  if (manifest.ToJson() != text) return Corruption("not spelt as a manifest is");
  return manifest;
}

}  // namespace logvault::cli
