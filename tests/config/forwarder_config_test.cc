// forwarder.yaml: what it may say, what it says by default, and the message for each mistake.
#include "config/forwarder_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace logvault::config {
namespace {

constexpr std::string_view kHead =
    "collector: 127.0.0.1:7443\n"
    "tls: {ca: ca.pem, cert: cert.pem, key: key.pem}\n"
    "vault_key: vault.pub\n"
    "spool: {dir: spool}\n";

Result<ForwarderConfig> Parse(const std::string& text) {
  return ParseForwarderConfig(text, "/etc/lv/f.yaml");
}

// The one source that `yaml`, a flow mapping, describes, or the error.
Result<SourceConfig> Source(const std::string& yaml) {
  Result<ForwarderConfig> config = Parse(std::string(kHead) + "sources:\n  - " + yaml + "\n");
  if (!config.ok()) return config.status();
  return config->sources.at(0);
}

TEST(ForwarderConfigTest, WhatIsNotSaidHasADefault) {
  Result<ForwarderConfig> config = Parse(std::string(kHead) + "sources: []\n");
  ASSERT_TRUE(config.ok()) << config.status();
  ForwarderConfig expected;
  expected.collectors = {"127.0.0.1:7443"};
  expected.tls = {"/etc/lv/ca.pem", "/etc/lv/cert.pem", "/etc/lv/key.pem", ""};
  expected.vault_key = "/etc/lv/vault.pub";
  expected.heartbeat_ns = 30'000'000'000;
  expected.spool = {"/etc/lv/spool", 1ull << 30, WhenFull::kBlock, 1ull << 30};
  EXPECT_EQ(*config, expected);
}

TEST(ForwarderConfigTest, TheAnnotatedExampleHasEveryTypeOfSource) {
  Result<ForwarderConfig> config = LoadForwarderConfig("deploy/forwarder.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->sources.size(), 8u);

  SourceConfig syslog;
  syslog.name = "syslog";
  syslog.format = "syslog";
  syslog.path = "/var/log/syslog";
  syslog.timezone = "Asia/Tokyo";
  syslog.place = config->sources[0].place;
  EXPECT_EQ(config->sources[0], syslog);
  EXPECT_EQ(config->sources[3].path, "/var/log/tomcat/localhost_access_log.*.txt");

  SourceConfig net;
  net.name = "net";
  net.type = SourceType::kSyslog;
  net.format = "syslog";
  net.udp = "127.0.0.1:5514";
  net.tcp = "127.0.0.1:5514";
  net.tls = "127.0.0.1:6514";
  net.unix_path = "/run/logvault/log";
  net.place = "deploy/forwarder.yaml:41";
  EXPECT_EQ(config->sources[5], net);
  EXPECT_EQ(config->sources[6].type, SourceType::kJournal);
  EXPECT_EQ(config->sources[6].directory, "/var/log/journal");
  EXPECT_EQ(config->sources[7].socket, "/run/audit.sock");
  EXPECT_EQ(config->sources[7].format, "auditd");
  EXPECT_EQ(config->metrics, "127.0.0.1:9465");
}

TEST(ForwarderConfigTest, TheCollectorIsOneAddressOrAList) {
  const std::string rest(kHead.substr(kHead.find('\n') + 1));
  Result<ForwarderConfig> config =
      Parse("collector: [10.0.0.1:1, \"[::1]:2\", vault:3]\nsources: []\n" + rest);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->collectors, testing::ElementsAre("10.0.0.1:1", "[::1]:2", "vault:3"));
  config = Parse("collector:\n  - 10.0.0.1:1\nsources: []\n" + rest);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->collectors, testing::ElementsAre("10.0.0.1:1"));
}

TEST(ForwarderConfigTest, BlockStyleMeansTheSame) {
  Result<SourceConfig> flow =
      Source("{name: a, type: file, format: plain, path: logs/*.log, read_from: end}");
  Result<SourceConfig> block = Source(
      "name: a\n    type: file\n    format: plain\n    path: 'logs/*.log'\n    read_from: end");
  ASSERT_TRUE(flow.ok()) << flow.status();
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(*flow, *block);
  EXPECT_EQ(flow->path, "/etc/lv/logs/*.log");
  EXPECT_EQ(flow->read_from, ReadFrom::kEnd);
  EXPECT_EQ(flow->place, "/etc/lv/f.yaml:6");
}

TEST(ForwarderConfigTest, WhatOneSenderMaySendHasADefaultAndMayBeUnlimited) {
  EXPECT_EQ(Source("{name: a, type: syslog, udp: 127.0.0.1:0}")->sender_rate, 8u << 20);
  const std::string set = "{name: a, type: syslog, udp: 127.0.0.1:0, sender_rate: ";
  EXPECT_EQ(Source(set + "64KiB}")->sender_rate, 64u << 10);
  EXPECT_EQ(Source(set + "0B}")->sender_rate, 0u);
}

TEST(ForwarderConfigTest, ASourceThatIsNoFileHasItsFormat) {
  EXPECT_EQ(Source("{name: a, type: syslog, udp: 127.0.0.1:0}")->format, "syslog");
  EXPECT_EQ(Source("{name: a, type: journal}")->format, "journal");
  EXPECT_EQ(Source("{name: a, type: audit, socket: s, format: auditd}")->format, "auditd");
  EXPECT_EQ(
      Source("{name: a, type: syslog, udp: 127.0.0.1:0, format: json}").status().message(),
      "/etc/lv/f.yaml:6: sources[0].format must be 'syslog' for this type of source, not 'json'");
}

struct Mistake {
  std::string text;
  std::string message;  // after "/etc/lv/f.yaml:"
};

void ExpectMistakes(std::initializer_list<Mistake> mistakes) {
  for (const Mistake& mistake : mistakes) {
    Result<ForwarderConfig> config = Parse(mistake.text);
    EXPECT_EQ(config.status(), InvalidArgument("/etc/lv/f.yaml:" + mistake.message))
        << mistake.text;
  }
}

TEST(ForwarderConfigTest, EachMistakeIsNamedWithItsLine) {
  const std::string head(kHead);
  const std::string rest(kHead.substr(kHead.find('\n') + 1));
  ExpectMistakes({
      {head, "1: the required key 'sources' is missing"},
      {rest + "sources: []\n", "1: the required key 'collector' is missing"},
      {head + "sources: []\nheartbeet: 30s\n",
       "6: unknown key 'heartbeet'; the nearest known key is 'heartbeat'"},
      {head + "sources: []\nheartbeat: 500ms\n",
       "6: heartbeat: '500ms' is not a duration: a whole number and s, m, h or d, such as 90s"},
      {head + "sources: []\nheartbeat: 0s\n", "6: heartbeat must be at least 1s, not 0s"},
      {"collector: 127.0.0.1:0\nsources: []\n" + rest,
       "1: collector: '127.0.0.1:0' has port 0, to which nobody can connect"},
      {"collector: []\nsources: []\n" + rest, "1: collector is empty"},
      {"collector:\n  - a:1\n  - a:1\nsources: []\n" + rest,
       "3: collector: 'a:1' stands here twice"},
      {"collector: [{a: 1}]\nsources: []\n" + rest,
       "1: collector must be a list of addresses; this item is a mapping"},
      {"collector: {a: 1}\nsources: []\n" + rest,
       "1: collector must be a single value, not a mapping"},
      {"collector: a:1\nsources: []\ntls: {ca: a, cert: b, key: c, crl: d}\nvault_key: v\nspool: "
       "{dir: s}\n",
       "3: unknown key 'crl' in tls; the nearest known key is 'ca'"},
      {"collector: a:1\nsources: []\ntls: {ca: a, cert: b, key: c}\nvault_key: v\nspool: "
       "{max_bytes: 1GiB}\n",
       "5: the required key 'spool.dir' is missing"},
      {"collector: a:1\nsources: []\ntls: {ca: a, cert: b, key: c}\nvault_key: v\nspool: {dir: s, "
       "max_bytes: 1KiB}\n",
       "5: spool.max_bytes must be at least 64KiB, not 1KiB"},
      {"collector: a:1\nsources: []\ntls: {ca: a, cert: b, key: c}\nvault_key: v\nspool: {dir: s, "
       "when_full: drop}\n",
       "5: spool.when_full: 'drop' is none of: block drop_oldest; the nearest is 'block'"},
      {"collector: a:1\nsources: []\ntls: {ca: a, cert: b, key: c}\nvault_key: v\nspool: {dir: s, "
       "keep_acked: 24h}\n",
       "5: spool.keep_acked: '24h' is not a size: a whole number and B, KiB, MiB, GiB or TiB, such "
       "as 1GiB"},
  });
}

TEST(ForwarderConfigTest, EachMistakeInASourceIsNamedWithItsLine) {
  const std::string head = std::string(kHead) + "sources:\n  - ";
  ExpectMistakes({
      {std::string(kHead) + "sources: {name: a}\n", "5: sources must be a list, not a mapping"},
      {head + "syslog\n", "6: sources[0] must be a mapping of keys to values, not a single value"},
      {head + "{name: a, format: plain, path: p}\n",
       "6: the required key 'sources[0].type' is missing"},
      {head + "{name: a, type: fil, format: plain, path: p}\n",
       "6: sources[0].type: 'fil' is none of: file syslog journal audit; the nearest is 'file'"},
      {head + "{name: a, type: file, path: p}\n",
       "6: the required key 'sources[0].format' is missing"},
      {head + "{name: a, type: file, format: sylog, path: p}\n",
       "6: sources[0].format: 'sylog' is none of: syslog auditd geoserver access sqlserver json "
       "journal plain; the nearest is 'syslog'"},
      {head + "{name: a, type: file, format: plain}\n",
       "6: the required key 'sources[0].path' is missing"},
      {head + "{name: a, type: file, format: plain, pth: p}\n",
       "6: unknown key 'pth' in sources[0]; the nearest known key is 'path'"},
      {head + "{name: a, type: file, format: plain, path: p, udp: 127.0.0.1:1}\n",
       "6: unknown key 'udp' in sources[0]; the nearest known key is 'type'"},
      {head + "{name: a, type: file, format: plain, path: p, read_from: start}\n",
       "6: sources[0].read_from: 'start' is none of: beginning end; the nearest is 'end'"},
      {head + "{type: file, format: plain, path: p}\n",
       "6: the required key 'sources[0].name' is missing"},
      {head + "{name: A, type: file, format: plain, path: p}\n",
       "6: sources[0].name: 'A' is not a name: 1 to 63 of a-z, 0-9, '.', '_' and '-'"},
      {head + "{name: logvault, type: file, format: plain, path: p}\n",
       "6: the name 'logvault' is the forwarder's own source; choose another"},
      {head + "{name: a, type: file, format: plain, path: p}\n  - {name: a, type: journal}\n",
       "7: source 'a' stands here again; first in line 6"},
      {head + "{name: a, type: syslog}\n",
       "6: sources[0].type: a syslog source needs at least one of: udp tcp tls unix"},
      {head + "{name: a, type: syslog, tcp: 127.0.0.1:1, crl: c}\n",
       "6: sources[0].crl is for senders over tls, which is not set"},
      {head + "{name: a, type: syslog, tcp: 127.0.0.1:1, sender_rate: 8M}\n",
       "6: sources[0].sender_rate: '8M' is not a size: a whole number and B, KiB, MiB, GiB or TiB, "
       "such as 1GiB"},
      {head + "{name: a, type: journal, sender_rate: 8MiB}\n",
       "6: unknown key 'sender_rate' in sources[0]; the nearest known key is 'name'"},
      {head + "{name: a, type: audit}\n", "6: the required key 'sources[0].socket' is missing"},
      {head + "{name: a, type: audit, socket: /" + std::string(107, 'x') + "}\n",
       "6: sources[0].socket: /" + std::string(107, 'x') +
           " is longer than the 107 bytes of a socket's path"},
  });
}

}  // namespace
}  // namespace logvault::config
