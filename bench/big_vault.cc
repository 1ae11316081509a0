// bench_big_vault: fills an existing vault with synthetic blocks, through the vault itself and sealed as a forwarder seals
// them, but without network and spool: a million blocks in a minute.  For bench/scale.
//
//   bench_big_vault COLLECTOR_YAML FORWARDER_CREDENTIALS BLOCKS RECORDS_PER_BLOCK
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "config/collector_config.h"
#include "config/small_file.h"
#include "evidence/bodies.h"
#include "evidence/keys.h"
#include "forwarder/epoch.h"
#include "pki/certificate.h"
#include "pki/vault_files.h"
#include "storage/vault.h"

namespace logvault {
namespace {

constexpr std::size_t kBlocksPerCommit = 256;
constexpr const char* kSource = "app";

[[noreturn]] void Die(const Status& status) {
  std::fprintf(stderr, "bench_big_vault: %s\n", status.message().c_str());
  std::exit(1);
}

template <typename T>
T OrDie(Result<T> result) {
  if (!result.ok()) Die(result.status());
  return *std::move(result);
}

// One line of about 190 bytes with an address and a session that nearly never come again.
std::string Line(std::mt19937_64& random) {
  char line[256];
  const auto pick = [&random](unsigned below) { return static_cast<unsigned>(random() % below); };
  const int size = std::snprintf(line, sizeof line,
                                 "Jul 11 %02u:%02u:%02u geo01 tomcat[%u]: 10.%u.%u.%u - GET "
                                 "/geoserver/wms?LAYERS=osm:roads&BBOX=%u,%u,%u,%u "
                                 "HTTP/1.1 %u %u session=%016llx user=gis%u\n",
                                 pick(24), pick(60), pick(60), pick(40000), pick(256), pick(256),
                                 pick(256), pick(9000000), pick(9000000), pick(9000000),
                                 pick(9000000), pick(10) == 0 ? 404 : 200, pick(400000),
                                 static_cast<unsigned long long>(random()), pick(50));
  return {line, static_cast<std::size_t>(size)};
}

class Filler {
 public:
  Filler(storage::Vault& vault, const forwarder::HostIdentity& identity,
         const evidence::OpeningKey& opening, const Clock& clock)
      : vault_(vault),
        host_(identity.host),
        clock_(clock),
        epoch_(OrDie(forwarder::Epoch::Start(identity, 0, clock))) {
    storage::Entry key, stream;
    key.kind = evidence::BlockKind::kKey;
    key.body = epoch_->registration().header;
    key.seal_key = OrDie(opening.Open(epoch_->registration().payload,
                                      OrDie(evidence::KeyBody::Parse(key.body)).BoxContext()));
    stream.kind = evidence::BlockKind::kStream;
    stream.body = evidence::StreamBody{host_, kSource, "syslog", R"({"type":"file"})"}.Serialize();
    group_ = {std::move(key), std::move(stream)};
  }

  void AddBatch(std::size_t records) {
    const UnixNanos now = clock_.Now();
    evidence::PayloadBuilder builder;
    for (std::size_t i = 0; i < records; ++i) {
      const std::string line = Line(random_);
      builder.Add({now, now, 0, "/var/log/app.log", line});
    }
    forwarder::SpooledBatch batch = epoch_->Seal(kSource, head_, {}, builder, {});
    epoch_->Advance();
    head_.next_seq += records;
    head_.head_hash = batch.head_hash;
    storage::Entry entry;
    entry.body = std::move(batch.item.header);
    entry.payload = std::move(batch.item.payload);
    group_.push_back(std::move(entry));
    if (group_.size() >= kBlocksPerCommit) Commit();
  }

  void Commit() {
    static_cast<void>(OrDie(vault_.Append(group_)));
    group_.clear();
  }

 private:
  storage::Vault& vault_;
  const std::string host_;
  const Clock& clock_;
  const std::unique_ptr<forwarder::Epoch> epoch_;
  forwarder::StreamHead head_;
  std::vector<storage::Entry> group_;
  std::mt19937_64 random_{1};
};

int Main(char** argv) {
  const SystemClock clock;
  const config::CollectorConfig config = OrDie(config::LoadCollectorConfig(argv[1]));
  const std::string credentials = argv[2];
  const std::string key_pem = OrDie(config::ReadSmallFile(config.signing_key));
  storage::VaultOptions options;
  options.dir = config.vault_dir;
  options.anchor = config.anchor;
  options.certificate_check = pki::CheckCertificateOf;
  const auto vault =
      OrDie(storage::Vault::Open(options, evidence::SigningKey::AllFromPem(key_pem), clock));

  const pki::Certificate certificate =
      OrDie(pki::Certificate::FromPem(OrDie(config::ReadSmallFile(credentials + "/cert.pem"))));
  const pki::VaultPublic vault_public = OrDie(pki::LoadVaultPublic(credentials + "/vault.pub"));
  const forwarder::HostIdentity identity{OrDie(certificate.identity()).name, certificate.ToDer(),
                                         OrDie(pki::LoadSigningKey(credentials + "/key.pem")),
                                         vault_public.opening_public_key};
  Filler filler(*vault, identity, OrDie(evidence::OpeningKey::FromPem(key_pem)), clock);
  const unsigned long blocks = std::strtoul(argv[3], nullptr, 10);
  const unsigned long records = std::strtoul(argv[4], nullptr, 10);
  for (unsigned long i = 0; i < blocks; ++i) filler.AddBatch(records);
  filler.Commit();
  std::printf("%llu\n", static_cast<unsigned long long>(vault->head().size));
  return 0;
}

}  // namespace
}  // namespace logvault

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(
        stderr,
        "usage: bench_big_vault COLLECTOR_YAML FORWARDER_CREDENTIALS BLOCKS RECORDS_PER_BLOCK\n");
    return 2;
  }
  return logvault::Main(argv);
}
