#include "cli/settings.h"

#include <cstdlib>

#include "config/address.h"
#include "config/small_file.h"
#include "config/yaml_reader.h"

namespace logvault::cli {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// The folder of ours that the XDG base directory rules give: $`variable`, or ~/`fallback`; empty for none.  A
// relative path in the variable does not count, as those rules have it.
std::string XdgDir(const char* variable, std::string_view fallback) {
  const std::string stated = FromEnvironment(variable);
  if (stated.starts_with('/')) return stated + "/logvault";
  const std::string home = FromEnvironment("HOME");
  return home.empty() ? std::string() : home + "/" + std::string(fallback) + "/logvault";
}

// A configuration that is not there is an empty one.
Result<Settings> LoadConfig() {
  Settings settings;
  const std::string dir = XdgDir("XDG_CONFIG_HOME", ".config");
  if (dir.empty()) return settings;
  const std::string path = dir + "/config.yaml";
  Result<std::string> text = config::ReadSmallFile(path);
  if (!text.ok() && text.status().code() == StatusCode::kNotFound) return settings;
  if (!text.ok()) return text.status();
  Result<config::YamlNode> root = config::ParseYaml(*text, path);
  if (!root.ok()) return root.status();
  config::YamlSource source = config::YamlSource::For(path);
  config::YamlReader reader(source, *root, "", {"vault", "credentials"});
  reader.Address("vault", config::Presence::kOptional, config::AddressUse::kConnect,
                 &settings.vault);
  reader.Path("credentials", config::Presence::kOptional, &settings.credentials);
  if (!source.status.ok()) return source.status;
  return settings;
}

// Of an address that was not read from the configuration, which checks its own.
Status CheckVault(const Settings& settings, std::string_view where) {
  if (settings.vault.empty()) return Status::Ok();
  Result<config::Address> address = config::ParseAddress(settings.vault);
  if (!address.ok()) return address.status().WithContext(where);
  if (address->port != 0) return Status::Ok();
  return InvalidArgument(std::string(where) + ": '" + settings.vault + "' has port 0");
}

}  // namespace

Result<Settings> CompleteSettings(Settings flags) {
  LV_RETURN_IF_ERROR(CheckVault(flags, "--vault"));
  if (flags.vault.empty()) {
    flags.vault = FromEnvironment("LOGVAULT_VAULT");
    LV_RETURN_IF_ERROR(CheckVault(flags, "LOGVAULT_VAULT"));
  }
  if (flags.credentials.empty()) flags.credentials = FromEnvironment("LOGVAULT_CREDENTIALS");
  if (!flags.vault.empty() && !flags.credentials.empty()) return flags;
  Result<Settings> config = LoadConfig();
  if (!config.ok()) return config;
  if (flags.vault.empty()) flags.vault = config->vault;
  if (flags.credentials.empty()) flags.credentials = config->credentials;
  return flags;
}

Result<std::string> StateDir() {
  std::string dir = XdgDir("XDG_STATE_HOME", ".local/state");
  if (!dir.empty()) return dir;
  return FailedPrecondition(
      "neither XDG_STATE_HOME nor HOME is set: there is no place for the newest checkpoint; set "
      "one");
}

}  // namespace logvault::cli
