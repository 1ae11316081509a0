// Sealed batches for tests: a host with a real epoch key, whose KEY, STREAM and RECORDS entries a
// vault accepts.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evidence/batch.h"
#include "evidence/bodies.h"
#include "evidence/keys.h"
#include "evidence/payload.h"
#include "evidence/seal.h"
#include "storage/vault.h"

namespace logvault::testing {

inline constexpr std::string_view kTestCa = "the CA of these tests";

// What a "certificate" is in these tests: role, name and raw public key; pki's tests check real ones.
inline std::string TestCertificate(std::string_view subject, std::string_view public_key) {
  return std::string(subject).append("\n").append(public_key);
}

// An evidence::CertificateCheck for TestCertificate.
inline Result<std::string> CheckTestCertificate(std::string_view certificate, std::string_view ca,
                                                std::string_view role, std::string_view name,
                                                UnixNanos /*at*/) {
  if (ca != kTestCa) return Unauthenticated("issued by another CA");
  const std::string subject = std::string(role) + "/" + std::string(name) + "\n";
  if (!certificate.starts_with(subject)) return PermissionDenied("not a certificate of " + subject);
  return std::string(certificate.substr(subject.size()));
}

inline evidence::GenesisBody TestGenesis(const evidence::SigningKey& vault_key) {
  evidence::GenesisBody genesis;
  genesis.origin = evidence::OriginFor("lab-vault", vault_key.public_key());
  genesis.vault_public_key = vault_key.public_key();
  genesis.opening_public_key = evidence::OpeningKey::Generate().public_key();
  genesis.ca_pem = kTestCa;
  return genesis;
}

class TestHost {
 public:
  explicit TestHost(std::string name, std::uint64_t epoch = 1) : name_(std::move(name)) {
    StartEpoch(epoch);
  }

  // Where the next batch of a source stands; saved and put back to make a batch twice in two
  // versions.
  struct Place {
    std::uint64_t next_seq = 1;
    evidence::Hash stream_prev;
  };
  Place& place(const std::string& source) { return places_[source]; }
  evidence::Hash stream_id(const std::string& source) const {
    return evidence::StreamId(name_, source);
  }
  const std::string& name() const { return name_; }

  void StartEpoch(std::uint64_t epoch) {
    previous_epoch_ = epoch_;
    epoch_ = epoch;
    epoch_key_ = evidence::SigningKey::Generate();
    seal_key_ = evidence::RandomBytes(evidence::kHashSize);
    seal_index_ = 0;
  }

  storage::Entry Key() const {
    evidence::KeyBody body;
    body.host = name_;
    body.epoch = epoch_;
    body.epoch_public_key = epoch_key_.public_key();
    body.k0_hash = evidence::Sha256(seal_key_);
    body.previous_epoch = previous_epoch_;
    body.certificate_der = TestCertificate("forwarder/" + name_, host_key_.public_key());
    body.signature = host_key_.Sign(body.SignedBytes());
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kKey;
    entry.body = body.Serialize();
    entry.seal_key = seal_key_;
    return entry;
  }

  storage::Entry Stream(const std::string& source, const std::string& format = "plain") const {
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kStream;
    entry.body = evidence::StreamBody{name_, source, format, R"({"type":"file"})"}.Serialize();
    return entry;
  }

  // The next batch of `source`, read at `read_time`, without event times.
  storage::Entry Records(const std::string& source, const std::vector<std::string>& records,
                         const std::vector<evidence::PositionEntry>& position = {},
                         UnixNanos read_time = kNanosPerSecond) {
    std::vector<evidence::RecordView> views;
    for (const std::string& bytes : records)
      views.push_back({kNoTime, read_time, 0, "/var/log/test", bytes});
    return Batch(source, views, position);
  }

  // The same, with everything about each record said.
  storage::Entry Batch(const std::string& source, std::span<const evidence::RecordView> records,
                       const std::vector<evidence::PositionEntry>& position = {}) {
    evidence::PayloadBuilder builder;
    for (const evidence::RecordView& record : records) builder.Add(record);
    Place& place = places_[source];
    evidence::PayloadBuilder::Sealed sealed =
        builder.Finish(place.next_seq, evidence::RandomBytes(evidence::kBatchKeySize), position);
    evidence::BatchHeader header;
    header.stream_id = stream_id(source);
    header.epoch = epoch_;
    header.first_seq = place.next_seq;
    header.record_count = sealed.record_count;
    header.seal_index = seal_index_;
    header.read_time_first = sealed.read_time_first;
    header.read_time_last = sealed.read_time_last;
    header.event_time_min = sealed.event_time_min;
    header.event_time_max = sealed.event_time_max;
    header.stream_prev = place.stream_prev;
    header.records_root = sealed.records_root;
    header.payload_hash = sealed.payload_hash;
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kRecords;
    entry.body = evidence::SealBatchHeader(
        header, evidence::SealKeyAt(seal_key_, 0, seal_index_).view(), epoch_key_);
    entry.payload = std::move(sealed.frame);
    entry.position = position;
    ++seal_index_;
    place = {header.last_seq() + 1, evidence::LeafHash(entry.body)};
    return entry;
  }

 private:
  const std::string name_;
  const evidence::SigningKey host_key_ = evidence::SigningKey::Generate();
  evidence::SigningKey epoch_key_ = evidence::SigningKey::Generate();
  std::string seal_key_;
  std::uint64_t epoch_ = 0;
  std::uint64_t previous_epoch_ = 0;
  std::uint32_t seal_index_ = 0;
  std::map<std::string, Place> places_;
};

}  // namespace logvault::testing
