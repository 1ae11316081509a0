// collector.yaml: what it may say, what it says by default, and the message for each mistake.
#include "config/collector_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace logvault::config {
namespace {

constexpr std::string_view kLeast =
    "tls: {ca: ca.pem, cert: cert.pem, key: key.pem, crl: crl.pem}\n"
    "vault: {dir: vault, name: lab-vault, signing_key: vault.key}\n";

std::string Error(std::string_view text) {
  Result<CollectorConfig> config = ParseCollectorConfig(text, "/etc/lv/c.yaml");
  return config.ok() ? "no error" : config.status().message();
}

TEST(CollectorConfigTest, TheContractsExampleIsRead) {
  Result<CollectorConfig> config = ParseCollectorConfig(
      "listen: {ingest: 127.0.0.1:7443, query: 127.0.0.1:7444}\n"
      "tls: {ca: ca.pem, cert: cert.pem, key: key.pem, crl: crl.pem}\n"
      "vault: {dir: /var/lib/logvault, name: lab-vault, signing_key: vault.key}   # anchor: FILE\n"
      "silence_after: 90s                 # at least 1s\n"
      "metrics: 127.0.0.1:9464            # optional, Prometheus text\n"
      "limits: {host_bytes_per_day: 20GiB}\n",
      "/etc/lv/c.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  CollectorConfig expected;
  expected.listen_ingest = "127.0.0.1:7443";
  expected.listen_query = "127.0.0.1:7444";
  expected.tls = {"/etc/lv/ca.pem", "/etc/lv/cert.pem", "/etc/lv/key.pem", "/etc/lv/crl.pem"};
  expected.vault_dir = "/var/lib/logvault";
  expected.vault_name = "lab-vault";
  expected.signing_key = "/etc/lv/vault.key";
  expected.anchor = "/var/lib/logvault.anchor";
  expected.silence_after_ns = 90'000'000'000;
  expected.metrics = "127.0.0.1:9464";
  expected.host_bytes_per_day = 20ull << 30;
  EXPECT_EQ(*config, expected);
}

TEST(CollectorConfigTest, WhatIsNotSaidHasADefault) {
  Result<CollectorConfig> config = ParseCollectorConfig(kLeast, "/etc/lv/c.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen_ingest, "127.0.0.1:7443");
  EXPECT_EQ(config->listen_query, "127.0.0.1:7444");
  EXPECT_EQ(config->vault_dir, "/etc/lv/vault");
  EXPECT_EQ(config->anchor, "/etc/lv/vault.anchor");
  EXPECT_EQ(config->silence_after_ns, 90'000'000'000);
  EXPECT_EQ(config->metrics, std::nullopt);
  EXPECT_EQ(config->host_bytes_per_day, 20ull << 30);
}

TEST(CollectorConfigTest, TheAnchorLiesBesideTheFolderNotInIt) {
  Result<CollectorConfig> config = ParseCollectorConfig(
      "tls: {ca: a, cert: b, key: c, crl: d}\nvault: {dir: v/, name: n, signing_key: k}\n",
      "/e/c.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->anchor, "/e/v.anchor");
  config = ParseCollectorConfig(
      "tls: {ca: a, cert: b, key: c, crl: d}\nvault: {dir: v, name: n, signing_key: k, anchor: "
      "../w/a}\n",
      "/e/c.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->anchor, "/e/../w/a");
}

TEST(CollectorConfigTest, TheAnnotatedExampleShowsEveryKey) {
  Result<CollectorConfig> config = LoadCollectorConfig("deploy/collector.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->anchor, "/var/lib/logvault.anchor");
  EXPECT_EQ(config->metrics, "127.0.0.1:9464");
  EXPECT_TRUE(config->tls.crl.starts_with('/'));
  EXPECT_TRUE(config->tls.crl.ends_with("/deploy/crl.pem"));
}

TEST(CollectorConfigTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_EQ(LoadCollectorConfig("deploy/none.yaml").status(),
            NotFound("cannot read deploy/none.yaml: No such file or directory"));
}

struct Mistake {
  std::string text;
  std::string message;  // after "/etc/lv/c.yaml:"
};

TEST(CollectorConfigTest, EachMistakeIsNamedWithItsLine) {
  const std::string least(kLeast);
  const Mistake mistakes[] = {
      {"", "1: the configuration must be a mapping of keys to values, not nothing"},
      {"hello\n", "1: the configuration must be a mapping of keys to values, not a single value"},
      {"[a]\n", "1: the configuration must be a mapping of keys to values, not a list"},
      {least + "silence_afer: 90s\n",
       "3: unknown key 'silence_afer'; the nearest known key is 'silence_after'"},
      {least + "# x\n\nzz: 1\n", "5: unknown key 'zz'; the nearest known key is 'tls'"},
      {least + "limits:\n  host_bytes: 1GiB\n",
       "4: unknown key 'host_bytes' in limits; the nearest known key is 'host_bytes_per_day'"},
      {least + "tls: {}\n", "3: key 'tls' stands here again; first in line 1"},
      {"tls: {ca: a, cert: b, key: c, crl: d}\n", "1: the required key 'vault' is missing"},
      {"vault: {dir: v, name: n, signing_key: k}\n", "1: the required key 'tls' is missing"},
      {"tls: {ca: a, cert: b, key: c}\nvault: {dir: v, name: n, signing_key: k}\n",
       "1: the required key 'tls.crl' is missing"},
      {"tls: {ca: a, cert: b, key: c, crl: d}\nvault:\n  dir: v\n  signing_key: k\n",
       "3: the required key 'vault.name' is missing"},
      {"tls: {ca: a, cert: b, key: c, crl: d}\nvault: {dir: v, name: Lab Vault, signing_key: k}\n",
       "2: vault.name: 'Lab Vault' is not a name: 1 to 63 of a-z, 0-9, '.', '_' and '-'"},
      {"tls: {ca: , cert: b, key: c, crl: d}\nvault: {dir: v, name: n, signing_key: k}\n",
       "1: tls.ca has no value"},
      {"tls: {ca: '', cert: b, key: c, crl: d}\nvault: {dir: v, name: n, signing_key: k}\n",
       "1: tls.ca is empty"},
      {"tls: ca.pem\nvault: {dir: v, name: n, signing_key: k}\n",
       "1: tls must be a mapping of keys to values, not a single value"},
      {least + "silence_after: 90\n",
       "3: silence_after: '90' is not a duration: a whole number and s, m, h or d, such as 90s"},
      {least + "silence_after: 0s\n", "3: silence_after must be at least 1s, not 0s"},
      {least + "silence_after: [90s]\n", "3: silence_after must be a single value, not a list"},
      {least + "silence_after: 999999d\n", "3: silence_after: '999999d' is longer than 100 years"},
      {least + "metrics: 9464\n", "3: metrics: '9464' is not an address: HOST:PORT or [IPV6]:PORT"},
      {least + "metrics: 127.0.0.1:99999\n",
       "3: metrics: '127.0.0.1:99999' is not an address: HOST:PORT or [IPV6]:PORT"},
      {least + "listen: {ingest: ':7443'}\n",
       "3: listen.ingest: ':7443' is not an address: HOST:PORT or [IPV6]:PORT"},
      {least + "listen:\n  ingest: 127.0.0.1:1\n  query: 127.0.0.1:1\n",
       "4: listen.ingest and listen.query are the same address"},
      {least + "limits: {host_bytes_per_day: 20GB}\n",
       "3: limits.host_bytes_per_day: '20GB' is not a size: a whole number and B, KiB, MiB, GiB or "
       "TiB, such as "
       "1GiB"},
      {least + "limits: {host_bytes_per_day: 0}\n",
       "3: limits.host_bytes_per_day must be at least 1B, not 0"},
      {least + "silence_after: *x\n", "3: the referenced anchor is not defined"},
  };
  for (const Mistake& mistake : mistakes) {
    EXPECT_EQ(Error(mistake.text), "/etc/lv/c.yaml:" + mistake.message) << mistake.text;
  }
}

TEST(CollectorConfigTest, BothListenersMayTakeAnyFreePort) {
  EXPECT_EQ(Error(std::string(kLeast) + "listen: {ingest: 127.0.0.1:0, query: 127.0.0.1:0}\n"),
            "no error");
}

}  // namespace
}  // namespace logvault::config
