// A collector in this process, with a real vault in a temporary folder, and hosts that seal what they are told.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "config/collector_config.h"
#include "config/small_file.h"
#include "evidence/batch.h"
#include "evidence/bodies.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "evidence/seal.h"
#include "net/ingest_client.h"
#include "net/query_client.h"
#include "pki/certificate.h"
#include "server/collector.h"
#include "server/vault_keys.h"
#include "tests/net/pki_lab.h"

namespace logvault::server {

// A forwarder as the vault sees it: one epoch, its keys, and batches that are right unless a test spoils them.
class TestHost {
 public:
  TestHost(std::string host_name, const std::string& issued, std::string opening_public_key)
      : name(std::move(host_name)),
        issued_dir(issued),
        opening_public_key_(std::move(opening_public_key)) {
    NewEpoch(1);
  }

  void NewEpoch(std::uint64_t number) {
    epoch = number;
    epoch_key = std::make_unique<evidence::SigningKey>(evidence::SigningKey::Generate());
    k0 = evidence::RandomBytes(32);
    ratchet = std::make_unique<evidence::SealRatchet>(k0);
  }

  evidence::KeyBody KeyBody(std::string& box) const {
    evidence::KeyBody body;
    body.host = name;
    body.epoch = epoch;
    body.epoch_public_key = epoch_key->public_key();
    body.k0_hash = evidence::Sha256(k0);
    box = *evidence::SealTo(opening_public_key_, k0, body.BoxContext());
    body.box_hash = evidence::Sha256(box);
    body.certificate_der = pki::Certificate::FromPem(File("cert.pem"))->ToDer();
    body.signature = evidence::SigningKey::FromPem(File("key.pem"))->Sign(body.SignedBytes());
    return body;
  }
  v1::AppendItem Registration() const {
    v1::AppendItem item;
    item.mutable_registration()->set_body(
        KeyBody(*item.mutable_registration()->mutable_box()).Serialize());
    return item;
  }

  // A batch of `lines` that begins with number `first_seq`; not sealed yet.
  struct Draft {
    evidence::BatchHeader header;
    std::string frame;
  };
  Draft DraftBatch(const std::string& source, std::uint64_t first_seq,
                   const std::vector<std::string>& lines, UnixNanos read_time) const {
    evidence::PayloadBuilder builder;
    for (const std::string& line : lines) builder.Add({kNoTime, read_time, 0, "/var/log/x", line});
    const std::vector<evidence::PositionEntry> position = {{"offset", std::to_string(first_seq)}};
    evidence::PayloadBuilder::Sealed sealed =
        builder.Finish(first_seq, evidence::RandomBytes(32), position);
    Draft draft;
    draft.header.stream_id = evidence::StreamId(name, source);
    draft.header.epoch = epoch;
    draft.header.first_seq = first_seq;
    draft.header.stream_prev = HeadOf(draft.header.stream_id);
    draft.header.record_count = sealed.record_count;
    draft.header.seal_index = ratchet->index();
    draft.header.read_time_first = sealed.read_time_first;
    draft.header.read_time_last = sealed.read_time_last;
    draft.header.event_time_min = sealed.event_time_min;
    draft.header.event_time_max = sealed.event_time_max;
    draft.header.records_root = sealed.records_root;
    draft.header.payload_hash = sealed.payload_hash;
    draft.frame = std::move(sealed.frame);
    return draft;
  }
  // The next draft of the stream follows on it.
  v1::AppendItem Seal(const Draft& draft) {
    v1::AppendItem item;
    item.mutable_batch()->set_header(
        evidence::SealBatchHeader(draft.header, ratchet->key(), *epoch_key));
    item.mutable_batch()->set_payload(draft.frame);
    heads[draft.header.stream_id] = evidence::LeafHash(item.batch().header());
    return item;
  }
  evidence::Hash HeadOf(const evidence::Hash& stream_id) const {
    const auto head = heads.find(stream_id);
    return head == heads.end() ? evidence::Hash{} : head->second;
  }

  const std::string name;
  const std::string issued_dir;
  std::uint64_t epoch = 0;
  std::unique_ptr<evidence::SigningKey> epoch_key;
  std::string k0;
  std::unique_ptr<evidence::SealRatchet> ratchet;
  std::map<evidence::Hash, evidence::Hash> heads;  // of each stream: its last sealed batch

 private:
  std::string File(const std::string& file) const {
    return *config::ReadSmallFile(issued_dir + "/" + file);
  }

  const std::string opening_public_key_;
};

class ServerLab {
 public:
  ServerLab() {
    const std::string issued = pki.Issue(pki::Role::kCollector, "vault1");
    config.listen_ingest = "127.0.0.1:0";
    config.listen_query = "127.0.0.1:0";
    config.tls = {pki.ca_pem(), issued + "/cert.pem", issued + "/key.pem", pki.crl_pem()};
    config.vault_dir = pki.dir() + "/vault";
    config.vault_name = pki.vault_name();
    config.signing_key = issued + "/vault.key";
    config.anchor = pki.dir() + "/vault.anchor";
    const Result<std::string> created = CreateVault(config, clock);
    EXPECT_TRUE(created.ok()) << created.status();
  }

  void Start() {
    Result<std::unique_ptr<Collector>> started =
        Collector::Start(config, clock, [this] { ++halts; });
    ASSERT_TRUE(started.ok()) << started.status();
    collector = *std::move(started);
  }
  void Stop() { collector.reset(); }

  std::unique_ptr<TestHost> Host(const std::string& name) {
    return std::make_unique<TestHost>(name, pki.Issue(pki::Role::kForwarder, name),
                                      collector->vault().genesis().opening_public_key);
  }
  std::unique_ptr<net::IngestClient> Connect(const TestHost& host) {
    auto client =
        net::ConnectIngest(pki.IngestOptions(collector->ingest_address(), host.issued_dir));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  std::unique_ptr<net::QueryClient> ConnectAsInvestigator() {
    auto client = net::ConnectQuery(pki.QueryOptions(collector->query_address(), investigator));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  std::atomic<int> halts{0};
  FakeClock clock{SystemClock().Now()};
  net::PkiLab pki;
  const std::string investigator = pki.Issue(pki::Role::kInvestigator, "ann");
  config::CollectorConfig config;
  std::unique_ptr<Collector> collector;
};

// The body of every block of `kind`, oldest first.
inline std::vector<evidence::BlockHeader> BlocksOf(const storage::Vault& vault,
                                                   evidence::BlockKind kind) {
  std::vector<evidence::BlockHeader> found;
  for (std::uint64_t i = 0; i < vault.head().size; ++i) {
    Result<evidence::BlockHeader> block = vault.reader().Block(i);
    EXPECT_TRUE(block.ok()) << block.status();
    if (block->kind == kind) found.push_back(*std::move(block));
  }
  return found;
}

}  // namespace logvault::server
