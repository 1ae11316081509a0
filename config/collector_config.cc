#include "config/collector_config.h"

#include "config/small_file.h"
#include "config/units.h"
#include "config/yaml_reader.h"

namespace logvault::config {
namespace {

constexpr auto kOptional = Presence::kOptional;
constexpr auto kRequired = Presence::kRequired;
constexpr std::int64_t kShortestSilenceNs = 1'000'000'000;
constexpr std::int64_t kShortestRetentionNs = 1'000'000'000;

void ReadListen(YamlSource& source, const YamlNode& node, CollectorConfig& config) {
  YamlReader listen(source, node, "listen", {"ingest", "query"});
  listen.Address("ingest", kOptional, AddressUse::kListen, &config.listen_ingest);
  listen.Address("query", kOptional, AddressUse::kListen, &config.listen_query);
  if (config.listen_ingest == config.listen_query && !config.listen_ingest.ends_with(":0")) {
    source.Fail(node.line, "listen.ingest and listen.query are the same address");
  }
}

void ReadTls(YamlSource& source, const YamlNode& node, TlsFiles& files) {
  YamlReader tls(source, node, "tls", {"ca", "cert", "key", "crl"});
  tls.Path("ca", kRequired, &files.ca);
  tls.Path("cert", kRequired, &files.cert);
  tls.Path("key", kRequired, &files.key);
  tls.Path("crl", kRequired, &files.crl);
}

void ReadVault(YamlSource& source, const YamlNode& node, CollectorConfig& config) {
  YamlReader vault(source, node, "vault",
                   {"dir", "name", "signing_key", "anchor", "retention_min"});
  vault.Path("dir", kRequired, &config.vault_dir);
  vault.Name("name", kRequired, &config.vault_name);
  vault.Path("signing_key", kRequired, &config.signing_key);
  while (config.vault_dir.size() > 1 && config.vault_dir.ends_with('/'))
    config.vault_dir.pop_back();
  config.anchor = config.vault_dir + ".anchor";
  vault.Path("anchor", kOptional, &config.anchor);
  vault.Duration("retention_min", kOptional, kShortestRetentionNs, &config.retention_min_ns);
}

void ReadLimits(YamlSource& source, const YamlNode& node, CollectorConfig& config) {
  YamlReader limits(source, node, "limits", {"host_bytes_per_day"});
  limits.Size("host_bytes_per_day", kOptional, 1, &config.host_bytes_per_day);
}

}  // namespace

Result<CollectorConfig> ParseCollectorConfig(std::string_view text, const std::string& path) {
  Result<YamlNode> root = ParseYaml(text, path);
  if (!root.ok()) return root.status();

  YamlSource source = YamlSource::For(path);
  CollectorConfig config;
  YamlReader reader(source, *root, "",
                    {"listen", "tls", "vault", "silence_after", "metrics", "limits"});
  if (const YamlNode* node = reader.Find("listen", kOptional)) ReadListen(source, *node, config);
  if (const YamlNode* node = reader.Find("tls", kRequired)) ReadTls(source, *node, config.tls);
  if (const YamlNode* node = reader.Find("vault", kRequired)) ReadVault(source, *node, config);
  reader.Duration("silence_after", kOptional, kShortestSilenceNs, &config.silence_after_ns);
  std::string metrics;
  reader.Address("metrics", kOptional, AddressUse::kListen, &metrics);
  if (!metrics.empty()) config.metrics = metrics;
  if (const YamlNode* node = reader.Find("limits", kOptional)) ReadLimits(source, *node, config);

  if (!source.status.ok()) return source.status;
  return config;
}

Result<CollectorConfig> LoadCollectorConfig(const std::string& path) {
  Result<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return text.status();
  return ParseCollectorConfig(*text, path);
}

}  // namespace logvault::config
