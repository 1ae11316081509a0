// ScriptedVault: a vault in memory that really verifies, chains and signs what it gets, and fails when told to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/dictionary.h"
#include "evidence/directive.h"
#include "evidence/keys.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "evidence/seal.h"
#include "net/ingest_client.h"

namespace logvault::forwarder {

class ScriptedVault {
 public:
  struct StoredRecord {
    std::string bytes;
    std::string origin;
    std::uint32_t flags = 0;
    std::uint64_t seq = 0;
    UnixNanos event_time = 0;
  };
  struct Stream {
    std::uint64_t last_seq = 0;
    evidence::Hash head_hash;
    std::map<std::string, std::string> position;
    std::vector<StoredRecord> records;
    std::map<std::uint64_t, std::pair<std::string, std::uint64_t>>
        batches;  // first_seq -> header, block
    std::uint64_t gaps = 0;
    std::uint64_t wrong_prev = 0;
  };

  ScriptedVault(std::string host, std::string host_public_key)
      : host_(std::move(host)), host_public_key_(std::move(host_public_key)) {
    AppendBlock(evidence::BlockKind::kGenesis, "genesis");
  }

  // ---- the script ----
  int fail_opens = 0;     // answer that many with `failure`
  int fail_appends = 0;   // without committing
  int lose_receipts = 0;  // commit, then fail
  Status failure = Unavailable("scripted");
  std::function<void(v1::AppendResponse&)> tamper;  // with every answer to Append
  std::function<void(v1::SessionOpened&)> tamper_opened;
  std::function<std::string(const evidence::BatchHeader&, const std::string& source)>
      refuse;  // a reason, or empty
  int refuse_registrations = 0;

  // ---- what the world sees ----
  std::map<std::string, Stream> streams;
  std::uint64_t conflicts = 0, appends = 0, opens = 0, repeated = 0;
  std::uint64_t leaning = 0;            // batches taken that need a dictionary
  std::uint64_t strange = 0;            // batches that lean on another one than this vault's
  std::uint64_t handed_out = 0;         // dictionaries, with their blocks
  std::vector<std::string> complaints;  // what a forwarder must never send

  std::string Raw(const std::string& source) const {
    std::string raw;
    auto found = streams.find(source);
    if (found == streams.end()) return raw;
    for (const StoredRecord& record : found->second.records) raw += record.bytes;
    return raw;
  }
  evidence::VerifierKey key() const {
    return evidence::VerifierKey::For(origin(), signing_key_.public_key());
  }
  std::string opening_key() const { return opening_key_.public_key(); }
  std::uint64_t size() const { return blocks_.size(); }
  std::string Note() const { return NoteOf(leaves_); }

  // An old copy: the newest `blocks` blocks are gone, and so is what they held.
  void RollBack(std::size_t blocks) {
    blocks_.resize(blocks_.size() - blocks);
    leaves_.resize(leaves_.size() - blocks);
  }
  // Another history of the same size.
  void Fork() {
    blocks_.pop_back();
    leaves_.pop_back();
    AppendBlock(evidence::BlockKind::kAlert, "{\"type\":\"another history\"}");
  }

  // From the next session on in force for `format`.
  void Offer(const std::string& format, const std::string& bytes) {
    auto dictionary = *evidence::Dictionary::Parse(bytes);
    evidence::Directive directive;
    evidence::Statement statement;
    statement.type = evidence::DirectiveType::kDictionary;
    statement.dictionary = {format, bytes};
    directive.statement = statement.Serialize();
    const std::uint64_t block = AppendBlock(evidence::BlockKind::kConfig, directive.Serialize());
    offered_[format] = {std::string(dictionary->hash().view()), block};
    dictionaries_.Add(std::move(dictionary), block);
  }
  // As an older copy of the vault that never had one.
  void ForgetDictionaries() {
    offered_.clear();
    dictionaries_ = {};
  }

  // ---- the protocol ----
  Result<v1::SessionOpened> Open(const v1::OpenRequest& request) {
    ++opens;
    if (fail_opens > 0) {
      --fail_opens;
      return failure;
    }
    v1::SessionOpened opened;
    session_ = "session " + std::to_string(opens);
    opened.set_session(session_);
    for (const v1::StreamDescriptor& descriptor : request.streams()) {
      formats_[descriptor.source()] = descriptor.format();
      Stream& stream = streams[descriptor.source()];
      v1::StreamState* state = opened.add_streams();
      state->set_source(descriptor.source());
      state->set_last_seq(stream.last_seq);
      if (stream.last_seq > 0) state->set_head_hash(std::string(stream.head_hash.view()));
      for (const auto& [key, value] : stream.position) {
        v1::PositionEntry* entry = state->add_position();
        entry->set_key(key);
        entry->set_value(value);
      }
    }
    std::uint64_t have = 0;
    if (!request.have_note().empty()) {
      Result<evidence::Checkpoint> kept = evidence::OpenCheckpoint(request.have_note(), key());
      if (kept.ok()) have = kept->size;
    }
    opened.set_checkpoint(Note());
    HandOut(request, opened);
    AddConsistency(have, [&](const std::string& hash) { opened.add_consistency(hash); });
    opened.set_flush_interval_ms(1000);
    opened.set_newest_epoch(epochs_.empty() ? 0 : epochs_.rbegin()->first);
    if (tamper_opened) tamper_opened(opened);
    return opened;
  }

  Result<v1::AppendResponse> Append(const v1::AppendRequest& request) {
    ++appends;
    if (request.session() != session_) return Aborted("no such session");
    if (fail_appends > 0) {
      --fail_appends;
      return failure;
    }
    v1::AppendResponse response;
    incomplete_.clear();
    for (const v1::AppendItem& item : request.items()) {
      if (item.has_registration()) {
        Register(item.registration(), *response.add_receipts());
      } else {
        Take(item.batch(), *response.add_receipts());
      }
    }
    for (v1::ItemReceipt& receipt : *response.mutable_receipts()) Prove(receipt);
    response.set_checkpoint(Note());
    AddConsistency(request.have_size(),
                   [&](const std::string& hash) { response.add_consistency(hash); });
    if (lose_receipts > 0) {
      --lose_receipts;
      return failure;
    }
    if (tamper) tamper(response);
    return response;
  }

 private:
  struct Offered {
    std::string hash;
    std::uint64_t block = 0;
  };
  struct EpochKeys {
    std::string public_key;
    std::string k0;
  };

  std::string origin() const {
    return evidence::OriginFor("test-vault", signing_key_.public_key());
  }

  std::string NoteOf(const std::vector<evidence::Hash>& leaves) const {
    evidence::Checkpoint checkpoint;
    checkpoint.origin = origin();
    checkpoint.size = leaves.size();
    checkpoint.root = evidence::RootOf(leaves);
    return evidence::SignCheckpoint(checkpoint, signing_key_);
  }

  template <typename Add>
  void AddConsistency(std::uint64_t have, const Add& add) {
    if (have == 0 || have > leaves_.size()) return;
    auto proof = evidence::ConsistencyProof(have, leaves_.size(), evidence::NodesOf(leaves_));
    for (const evidence::Hash& hash : *proof) add(std::string(hash.view()));
  }

  void HandOut(const v1::OpenRequest& request, v1::SessionOpened& opened) {
    std::set<std::string> formats;
    for (const v1::StreamDescriptor& stream : request.streams()) formats.insert(stream.format());
    for (const auto& [format, offered] : offered_) {
      if (!formats.contains(format)) continue;
      const auto& [bytes_hash, block] = offered;
      v1::FormatDictionary& handed = *opened.add_dictionaries();
      handed.set_format(format);
      handed.set_hash(bytes_hash);
      const auto& had = request.have_dictionaries();
      if (std::find(had.begin(), had.end(), bytes_hash) != had.end()) continue;
      ++handed_out;
      handed.set_block(blocks_[block]);
      auto proof = evidence::InclusionProof(block, leaves_.size(), evidence::NodesOf(leaves_));
      for (const evidence::Hash& hash : *proof) handed.add_inclusion(std::string(hash.view()));
    }
  }

  std::uint64_t AppendBlock(evidence::BlockKind kind, const std::string& body) {
    evidence::BlockHeader block;
    block.index = blocks_.size();
    if (!leaves_.empty()) block.prev = leaves_.back();
    block.commit_time = static_cast<UnixNanos>(blocks_.size()) + 1;
    block.kind = kind;
    block.body = body;
    blocks_.push_back(block.Serialize());
    leaves_.push_back(evidence::LeafHash(blocks_.back()));
    return block.index;
  }

  void Prove(v1::ItemReceipt& receipt) {
    if (receipt.block().empty()) return;
    std::uint64_t index = evidence::BlockHeader::Parse(receipt.block())->index;
    auto proof = evidence::InclusionProof(index, leaves_.size(), evidence::NodesOf(leaves_));
    for (const evidence::Hash& hash : *proof) receipt.add_inclusion(std::string(hash.view()));
  }

  void Refuse(v1::ItemReceipt& receipt, const std::string& reason) {
    receipt.set_outcome(v1::ItemReceipt::REFUSED);
    receipt.set_reason(reason);
  }

  void Register(const v1::Registration& registration, v1::ItemReceipt& receipt) {
    if (refuse_registrations > 0) {
      --refuse_registrations;
      return Refuse(receipt, "scripted");
    }
    Result<evidence::KeyBody> body = evidence::KeyBody::Parse(registration.body());
    if (!body.ok()) return Complain(receipt, body.status().message());
    Result<std::string> k0 = opening_key_.Open(registration.box(), body->BoxContext());
    if (!k0.ok()) return Complain(receipt, "box: " + k0.status().message());
    if (evidence::Sha256(*k0) != body->k0_hash) return Complain(receipt, "K_0 is another");
    if (!evidence::VerifyEd25519(host_public_key_, body->SignedBytes(), body->signature).ok()) {
      return Complain(receipt, "registration not signed by the certificate's key");
    }
    auto known = epochs_.find(body->epoch);
    if (known != epochs_.end()) {
      receipt.set_outcome(v1::ItemReceipt::REPEATED);
      receipt.set_block(blocks_[epoch_blocks_[body->epoch]]);
      return;
    }
    if (!epochs_.empty() && body->epoch <= epochs_.rbegin()->first)
      return Refuse(receipt, "not the newest epoch");
    epochs_[body->epoch] = {body->epoch_public_key, *k0};
    epoch_blocks_[body->epoch] = AppendBlock(evidence::BlockKind::kKey, registration.body());
    receipt.set_outcome(v1::ItemReceipt::COMMITTED);
    receipt.set_block(blocks_.back());
  }

  void Complain(v1::ItemReceipt& receipt, const std::string& reason) {
    complaints.push_back(reason);
    Refuse(receipt, reason);
  }

  std::string SourceOf(const evidence::Hash& stream_id) const {
    for (const auto& [source, format] : formats_) {
      if (evidence::StreamId(host_, source) == stream_id) return source;
    }
    return {};
  }

  void AskAnew(v1::ItemReceipt& receipt, const std::string& source, const std::string& reason) {
    incomplete_.insert(source);
    receipt.set_seal_anew(true);
    Refuse(receipt, reason);
  }

  void Take(const v1::Batch& batch, v1::ItemReceipt& receipt) {
    Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(batch.header());
    if (!header.ok()) return Complain(receipt, header.status().message());
    std::string source = SourceOf(header->stream_id);
    if (source.empty()) return Complain(receipt, "a stream without descriptor");
    if (refuse) {
      if (std::string reason = refuse(*header, source); !reason.empty())
        return Refuse(receipt, reason);
    }
    if (incomplete_.contains(source)) return AskAnew(receipt, source, "behind another one");
    auto epoch = epochs_.find(header->epoch);
    if (epoch == epochs_.end()) return AskAnew(receipt, source, "epoch not registered");
    if (!evidence::VerifyBatchSignature(batch.header(), epoch->second.public_key).ok()) {
      return Complain(receipt, "signature");
    }
    evidence::Hash seal_key = evidence::SealKeyAt(epoch->second.k0, 0, header->seal_index);
    if (!evidence::VerifyBatchSeal(batch.header(), seal_key.view()).ok())
      return Complain(receipt, "seal");
    const std::uint32_t named = evidence::DictionaryOf(batch.payload());
    Result<evidence::Payload> payload =
        evidence::OpenPayload(*header, batch.payload(), dictionaries_);
    if (!payload.ok() && named != 0) {
      ++strange;
      return AskAnew(receipt, source, payload.status().message());
    }
    if (!payload.ok()) return Complain(receipt, payload.status().message());
    if (named != 0) ++leaning;
    Store(*header, batch.header(), *payload, streams[source], receipt);
    receipt.set_last_seq(streams[source].last_seq);
  }

  void Store(const evidence::BatchHeader& header, const std::string& bytes,
             const evidence::Payload& payload, Stream& stream, v1::ItemReceipt& receipt) {
    if (header.first_seq <= stream.last_seq) {
      auto same = stream.batches.find(header.first_seq);
      if (same == stream.batches.end() || same->second.first != bytes) {
        ++conflicts;
        receipt.set_outcome(v1::ItemReceipt::CONFLICT);
        return;
      }
      ++repeated;
      receipt.set_outcome(v1::ItemReceipt::REPEATED);
      receipt.set_block(blocks_[same->second.second]);
      return;
    }
    if (header.first_seq != stream.last_seq + 1) ++stream.gaps;
    if (header.first_seq == stream.last_seq + 1 && header.stream_prev != stream.head_hash)
      ++stream.wrong_prev;
    for (std::uint32_t i = 0; i < payload.record_count(); ++i) {
      evidence::RecordView record = payload.record(i);
      stream.records.push_back({std::string(record.bytes), std::string(record.origin), record.flags,
                                header.first_seq + i, record.event_time});
    }
    for (const evidence::PositionEntry& entry : payload.position()) {
      if (entry.value.empty()) stream.position.erase(entry.key);
      if (!entry.value.empty()) stream.position[entry.key] = entry.value;
    }
    stream.last_seq = header.last_seq();
    stream.head_hash = evidence::LeafHash(bytes);
    std::uint64_t block = AppendBlock(evidence::BlockKind::kRecords, bytes);
    stream.batches[header.first_seq] = {bytes, block};
    receipt.set_outcome(v1::ItemReceipt::COMMITTED);
    receipt.set_block(blocks_[block]);
  }

  const std::string host_;
  const std::string host_public_key_;
  const evidence::SigningKey signing_key_ = evidence::SigningKey::Generate();
  const evidence::OpeningKey opening_key_ = evidence::OpeningKey::Generate();
  std::vector<std::string> blocks_;
  std::vector<evidence::Hash> leaves_;
  std::map<std::string, std::string> formats_;  // by source, as Open declared them
  std::map<std::uint64_t, EpochKeys> epochs_;
  std::map<std::uint64_t, std::uint64_t> epoch_blocks_;
  std::map<std::string, Offered> offered_;  // by format
  std::set<std::string> incomplete_;        // of one Append: sources with a batch to be sealed anew
  evidence::Dictionaries dictionaries_;
  std::string session_;
};

// One connection to it.
class ScriptedClient final : public net::IngestClient {
 public:
  explicit ScriptedClient(ScriptedVault& vault) : vault_(vault) {}
  Result<v1::SessionOpened> Open(const v1::OpenRequest& request) override {
    return vault_.Open(request);
  }
  Result<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    return vault_.Append(request);
  }
  bool session_lost() const override { return false; }
  void Close() override {}
  void Cancel() override {}

 private:
  ScriptedVault& vault_;
};

}  // namespace logvault::forwarder
