#include "config/forwarder_config.h"

#include <algorithm>
#include <map>

#include "config/small_file.h"
#include "config/units.h"
#include "config/yaml_reader.h"

namespace logvault::config {
namespace {

constexpr auto kOptional = Presence::kOptional;
constexpr auto kRequired = Presence::kRequired;
constexpr std::int64_t kShortestHeartbeatNs = 1'000'000'000;
constexpr std::uint64_t kSmallestSpool = 64 * 1024;
constexpr std::string_view kOwnSource = "logvault";

constexpr std::array<std::pair<std::string_view, SourceType>, 4> kSourceTypes = {{
    {"file", SourceType::kFile},
    {"syslog", SourceType::kSyslog},
    {"journal", SourceType::kJournal},
    {"audit", SourceType::kAudit},
}};
constexpr std::array<std::pair<std::string_view, ReadFrom>, 2> kReadFroms = {
    {{"beginning", ReadFrom::kBeginning}, {"end", ReadFrom::kEnd}}};
constexpr std::array<std::pair<std::string_view, WhenFull>, 2> kWhenFulls = {
    {{"block", WhenFull::kBlock}, {"drop_oldest", WhenFull::kDropOldest}}};

void ReadTls(YamlSource& source, const YamlNode& node, TlsFiles& files) {
  YamlReader tls(source, node, "tls", {"ca", "cert", "key"});
  tls.Path("ca", kRequired, &files.ca);
  tls.Path("cert", kRequired, &files.cert);
  tls.Path("key", kRequired, &files.key);
}

void ReadSpool(YamlSource& source, const YamlNode& node, SpoolConfig& config) {
  YamlReader spool(source, node, "spool", {"dir", "max_bytes", "when_full", "keep_acked"});
  spool.Path("dir", kRequired, &config.dir);
  spool.Size("max_bytes", kOptional, kSmallestSpool, &config.max_bytes);
  spool.Choice("when_full", kOptional, kWhenFulls, &config.when_full);
  spool.Size("keep_acked", kOptional, 0, &config.keep_acked_bytes);
}

std::vector<std::string_view> KeysOf(SourceType type) {
  switch (type) {
    case SourceType::kFile:
      return {"name", "type", "format", "timezone", "path", "read_from"};
    case SourceType::kSyslog:
      return {"name", "type", "format", "timezone", "udp",
              "tcp",  "tls",  "crl",    "unix",     "sender_rate"};
    case SourceType::kJournal:
      return {"name", "type", "format", "timezone", "directory", "read_from"};
    case SourceType::kAudit:
      return {"name", "type", "format", "timezone", "socket"};
  }
  return {};
}

// Only a file's format is a choice; the others have theirs, which may be stated.
std::string_view FormatOf(SourceType type) {
  switch (type) {
    case SourceType::kFile:
      return "";
    case SourceType::kSyslog:
      return "syslog";
    case SourceType::kJournal:
      return "journal";
    case SourceType::kAudit:
      return "auditd";
  }
  return "";
}

void ReadFormat(YamlReader& reader, SourceConfig& config) {
  const std::string_view fixed = FormatOf(config.type);
  std::array<std::pair<std::string_view, std::string_view>, kFormatNames.size()> choices;
  for (std::size_t i = 0; i < kFormatNames.size(); ++i)
    choices[i] = {kFormatNames[i], kFormatNames[i]};
  std::string_view format = fixed;
  reader.Choice("format", fixed.empty() ? kRequired : kOptional, choices, &format);
  config.format = format;
  if (!fixed.empty() && format != fixed) {
    reader.source().Fail(reader.line(),
                         reader.NameOf("format") + " must be '" + std::string(fixed) +
                             "' for this type of source, not '" + config.format + "'");
  }
}

void ReadKeysOfType(YamlReader& reader, SourceConfig& config) {
  switch (config.type) {
    case SourceType::kFile:
      reader.Path("path", kRequired, &config.path);
      reader.Choice("read_from", kOptional, kReadFroms, &config.read_from);
      return;
    case SourceType::kSyslog:
      reader.Address("udp", kOptional, AddressUse::kListen, &config.udp);
      reader.Address("tcp", kOptional, AddressUse::kListen, &config.tcp);
      reader.Address("tls", kOptional, AddressUse::kListen, &config.tls);
      reader.Path("crl", kOptional, &config.crl);
      reader.SocketPath("unix", kOptional, &config.unix_path);
      reader.Size("sender_rate", kOptional, 0, &config.sender_rate);
      if (!config.crl.empty() && config.tls.empty()) {
        reader.source().Fail(reader.line(),
                             reader.NameOf("crl") + " is for senders over tls, which is not set");
      }
      if (config.udp.empty() && config.tcp.empty() && config.tls.empty() &&
          config.unix_path.empty()) {
        reader.source().Fail(
            reader.line(),
            reader.NameOf("type") + ": a syslog source needs at least one of: udp tcp tls unix");
      }
      return;
    case SourceType::kJournal:
      reader.Path("directory", kOptional, &config.directory);
      reader.Choice("read_from", kOptional, kReadFroms, &config.read_from);
      return;
    case SourceType::kAudit:
      reader.SocketPath("socket", kRequired, &config.socket);
      return;
  }
}

// The type decides which keys are known, so it is read before them.
SourceConfig ReadSource(YamlSource& source, const YamlNode& node, std::size_t index) {
  const std::string where = "sources[" + std::to_string(index) + "]";
  SourceConfig config;
  config.place = source.file + ":" + std::to_string(node.line);
  {
    YamlReader any(source, node, where,
                   {"name", "type", "format", "timezone", "path", "read_from", "udp", "tcp", "tls",
                    "crl", "unix", "sender_rate", "directory", "socket"});
    any.Choice("type", kRequired, kSourceTypes, &config.type);
  }
  if (!source.status.ok()) return config;

  YamlReader reader(source, node, where, KeysOf(config.type));
  reader.Name("name", kRequired, &config.name);
  ReadFormat(reader, config);
  reader.Text("timezone", kOptional, &config.timezone);
  ReadKeysOfType(reader, config);
  return config;
}

void ReadSources(YamlSource& source, const YamlNode& node, std::vector<SourceConfig>& sources) {
  if (node.kind != YamlNode::Kind::kList) {
    source.Fail(node.line, "sources must be a list, not " + std::string(ToString(node.kind)));
    return;
  }
  std::map<std::string, int> line_of;
  for (const YamlNode& item : node.items) {
    SourceConfig config = ReadSource(source, item, sources.size());
    if (!source.status.ok()) return;
    if (config.name == kOwnSource) {
      source.Fail(item.line, "the name 'logvault' is the forwarder's own source; choose another");
    }
    auto [first, is_new] = line_of.emplace(config.name, item.line);
    if (!is_new) {
      source.Fail(item.line, "source '" + config.name + "' stands here again; first in line " +
                                 std::to_string(first->second));
    }
    sources.push_back(std::move(config));
  }
}

}  // namespace

Result<ForwarderConfig> ParseForwarderConfig(std::string_view text, const std::string& path) {
  Result<YamlNode> root = ParseYaml(text, path);
  if (!root.ok()) return root.status();

  YamlSource source = YamlSource::For(path);
  ForwarderConfig config;
  YamlReader reader(source, *root, "",
                    {"collector", "tls", "vault_key", "heartbeat", "metrics", "spool", "sources"});
  reader.Addresses("collector", kRequired, AddressUse::kConnect, &config.collectors);
  if (const YamlNode* node = reader.Find("tls", kRequired)) ReadTls(source, *node, config.tls);
  reader.Path("vault_key", kRequired, &config.vault_key);
  reader.Duration("heartbeat", kOptional, kShortestHeartbeatNs, &config.heartbeat_ns);
  std::string metrics;
  reader.Address("metrics", kOptional, AddressUse::kListen, &metrics);
  if (!metrics.empty()) config.metrics = metrics;
  if (const YamlNode* node = reader.Find("spool", kRequired))
    ReadSpool(source, *node, config.spool);
  if (const YamlNode* node = reader.Find("sources", kRequired))
    ReadSources(source, *node, config.sources);

  if (!source.status.ok()) return source.status;
  return config;
}

Result<ForwarderConfig> LoadForwarderConfig(const std::string& path) {
  Result<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return text.status();
  return ParseForwarderConfig(*text, path);
}

}  // namespace logvault::config
