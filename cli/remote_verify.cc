#include "cli/remote_verify.h"

#include <utility>
#include <vector>

#include "cli/governing.h"
#include "cli/progress.h"
#include "evidence/access.h"
#include "net/access.h"
#include "pki/certificate.h"

namespace logvault::cli {
namespace {

// A signed root that the recomputed tree must have when it reaches that size.
struct Expected {
  evidence::Checkpoint checkpoint;
  std::string what;  // for messages: "the checkpoint kept here"
};

// How often the history is followed further because payloads were deleted meanwhile: each time it has grown only by what
// came during the time before, so that more than a few mean a vault that deletes as fast as it is read.
constexpr int kMaxRounds = 20;
// Of payloads that were deleted meanwhile, how many are kept to be judged later; about 300 bytes each.
constexpr std::size_t kMaxUnjudged = 100'000;

class RemoteVerifier {
 public:
  RemoteVerifier(RemoteVault& vault, std::vector<Expected> expected,
                 const evidence::Auditor::OnFinding& on_finding, query::IndexRecheck* index)
      : vault_(vault),
        index_(index),
        key_(vault.key()),
        expected_(std::move(expected)),
        report_([this, &on_finding](const evidence::Finding& finding) {
          ++findings_;
          on_finding(finding);
        }),
        auditor_(pki::CheckCertificateOf, report_) {}

  // Verifies on from where it is up to the vault's checkpoint.  Not ok where the vault's answer broke off.
  Status Follow(Progress& progress) {
    end_ = vault_.checkpoint().size;
    expected_.push_back({vault_.checkpoint(), "the checkpoint of this connection"});
    request_.Clear();
    request_.set_payloads(true);
    request_.set_first(auditor_.tree().size());
    request_.set_tree_size(end_);
    begun_ = false;
    result_ = {};
    stated_result_.clear();
    Result<std::map<std::uint64_t, std::string>> governing = FetchGoverning(vault_);
    Status status = governing.status();
    if (status.code() == StatusCode::kIntegrity) {
      Refuse(status);
      return Status::Ok();
    }
    if (status.ok()) {
      auditor_.ForeseeGoverning(*governing);
      JudgeAgain();
      status = vault_.client().Blocks(
          request_, [&](const v1::BlocksEvent& event) { return Take(event, progress); });
    }
    if (status.ok()) Finish();
    return status;
  }

  // Whether following the history further may tell by what payloads are gone.
  [[nodiscard]] bool MayGoOn() const { return !refused_ && !unjudged_.empty(); }

  [[nodiscard]] const evidence::Auditor& auditor() const { return auditor_; }
  [[nodiscard]] std::uint64_t findings() const { return findings_; }
  [[nodiscard]] std::uint64_t payload_bytes() const { return payload_bytes_; }
  [[nodiscard]] std::uint64_t deleted_payloads() const { return deleted_payloads_; }
  [[nodiscard]] std::uint64_t deleted_meanwhile() const {
    return unjudged_.size() + beyond_unjudged_;
  }

 private:
  // A payload that is gone, the vault says, by a RETENTION block that was not reached.
  struct Unjudged {
    std::uint64_t block = 0;
    evidence::BatchHeader batch;
    UnixNanos commit_time = 0;
    std::string error;
  };

  // The vault contradicts itself: nothing more is asked of it.
  void Refuse(const Status& why) {
    refused_ = true;
    Report(0, why.message());
  }

  // False where the answer is not to be used.
  bool Take(const v1::BlocksEvent& event, Progress& progress) {
    if (!std::exchange(begun_, true) && !CheckAccess(event.access())) return false;
    for (const v1::StoredBlock& stored : event.blocks()) {
      result_.Add(net::ResultRow(stored));
      // Whatever is between was not sent, which is as good as not there.
      while (auditor_.tree().size() < stored.index()) AddMissing("the vault left this block out");
      if (stored.index() == auditor_.tree().size()) Take(stored);
    }
    if (!event.result_sha256().empty()) stated_result_ = event.result_sha256();
    progress.Show(auditor_.tree().size(), end_);
    return true;
  }

  // All that the vault would send was taken.
  void Finish() {
    if (refused_) return;
    if (stated_result_ != result_.value().view()) {
      Report(0, "what arrived is not what the vault says it sent");
    }
    while (auditor_.tree().size() < end_) AddMissing("the vault left this block out");
    for (const Expected& expected : expected_) {
      if (expected.checkpoint.size <= auditor_.tree().size()) continue;
      Report(auditor_.tree().size(), "the vault ends here, and " + expected.what + " has " +
                                         std::to_string(expected.checkpoint.size) + " blocks");
    }
    CheckGenesis();
  }

  void Report(std::uint64_t block, std::string reason) {
    report_(auditor_.Describe(block, nullptr, std::move(reason)));
  }

  bool CheckAccess(const v1::AccessReceipt& receipt) {
    const Status recorded =
        vault_.CheckAccess(receipt, net::kCallBlocks, net::QueryText(request_)).status();
    if (recorded.ok()) return true;
    Refuse(recorded);
    return false;
  }

  void AddMissing(const std::string& reason) {
    Report(auditor_.tree().size(), reason);
    auditor_.AddMissingBlock();
    if (index_ != nullptr) index_->TakeMissing();
    CompareRoots();
  }

  void Take(const v1::StoredBlock& stored) {
    if (!stored.error().empty()) return AddMissing(stored.error());
    auditor_.AddBlock(stored.block());
    CheckPayload(stored);
    CompareRoots();
  }

  void CheckPayload(const v1::StoredBlock& stored) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(stored.block());
    if (!block.ok()) {  // the auditor names it
      if (index_ != nullptr) index_->TakeMissing();
      return;
    }
    Result<evidence::Payload> payload = NotFound("it has none");
    if (block->kind == evidence::BlockKind::kRecords) payload = CheckedPayload(stored, *block);
    if (index_ != nullptr)
      index_->Take(*block, payload.ok() ? &*payload : nullptr, stored.deleted_by());
  }

  Result<evidence::Payload> CheckedPayload(const v1::StoredBlock& stored,
                                           const evidence::BlockHeader& block) {
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block.body);
    if (!batch.ok()) return batch.status();  // the auditor names it
    payload_bytes_ += stored.payload().size();
    Result<evidence::Payload> payload =
        stored.payload_error().empty()
            ? evidence::Auditor::CheckPayload(stored.index(), *batch, stored.payload(),
                                              *auditor_.dictionaries())
            : Result<evidence::Payload>(Corruption("its payload: " + stored.payload_error()));
    const bool gone =
        !stored.payload_error().empty() && WasDeleted(stored, *batch, block.commit_time);
    if (!payload.ok() && !gone)
      report_(auditor_.Describe(stored.index(), &*batch, payload.status().message()));
    return payload;
  }

  // The deletion is lawful, or later than the tree that is followed now, to be judged when it goes further.
  bool WasDeleted(const v1::StoredBlock& stored, const evidence::BatchHeader& batch,
                  UnixNanos commit_time) {
    if (auditor_.DeletedBy(batch, commit_time).has_value()) {
      ++deleted_payloads_;
      return true;
    }
    if (stored.deleted_by() < end_) return false;
    if (unjudged_.size() < kMaxUnjudged)
      unjudged_.push_back({stored.index(), batch, commit_time, stored.payload_error()});
    else
      ++beyond_unjudged_;
    return true;
  }

  // With the governing blocks up to a newer end: it was asked for after the vault had named the blocks that deleted these
  // payloads, which were therefore there.
  void JudgeAgain() {
    for (const Unjudged& payload : unjudged_) {
      if (auditor_.DeletedBy(payload.batch, payload.commit_time).has_value())
        ++deleted_payloads_;
      else
        report_(auditor_.Describe(payload.block, &payload.batch, "its payload: " + payload.error));
    }
    unjudged_.clear();
  }

  void CompareRoots() {
    for (const Expected& expected : expected_) {
      if (expected.checkpoint.size != auditor_.tree().size()) continue;
      if (expected.checkpoint.root == auditor_.tree().Root()) continue;
      Report(auditor_.tree().size() - 1,
             "up to here the history is not the one that " + expected.what + " signs");
    }
  }

  void CheckGenesis() {
    const std::optional<evidence::GenesisBody>& genesis = auditor_.genesis();
    if (!genesis) return;  // the auditor named it
    if (genesis->origin == key_.name && genesis->vault_public_key == key_.first_public_key())
      return;
    Report(0, "GENESIS is of another vault: " + genesis->origin);
  }

  RemoteVault& vault_;
  query::IndexRecheck* const index_;
  v1::BlocksRequest request_;
  const evidence::VerifierKey& key_;
  std::vector<Expected> expected_;
  const evidence::Auditor::OnFinding report_;
  evidence::Auditor auditor_;
  std::uint64_t end_ = 0;  // the tree that is followed now
  bool begun_ = false;
  bool refused_ = false;
  evidence::ResultHash result_;
  std::string stated_result_;
  std::uint64_t findings_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t deleted_payloads_ = 0;
  std::vector<Unjudged> unjudged_;
  std::uint64_t beyond_unjudged_ = 0;  // that there was no room for
};

}  // namespace

VerifySummary VerifyRemote(RemoteVault& vault, const std::optional<evidence::Checkpoint>& anchor,
                           const evidence::Auditor::OnFinding& on_finding,
                           query::IndexRecheck* index) {
  std::vector<Expected> expected;
  if (vault.kept()) expected.push_back({*vault.kept(), "the checkpoint kept here"});
  if (anchor) expected.push_back({*anchor, "the anchor"});
  RemoteVerifier verifier(vault, std::move(expected), on_finding, index);
  Progress progress("blocks");
  Status status = verifier.Follow(progress);
  for (int round = 1; status.ok() && verifier.MayGoOn() && round < kMaxRounds; ++round) {
    status = vault.Advance();
    if (status.ok()) status = verifier.Follow(progress);
  }
  VerifySummary summary;
  summary.deleted_payloads = verifier.deleted_payloads();
  summary.deleted_meanwhile = verifier.deleted_meanwhile();
  summary.seconds = progress.seconds();
  summary.interrupted = !status.ok() && vault.interrupted();
  if (!summary.interrupted) summary.lost = status;
  summary.blocks = verifier.auditor().tree().size();
  summary.records = verifier.auditor().records();
  summary.payload_bytes = verifier.payload_bytes();
  summary.findings = verifier.findings();
  if (summary.findings == 0) summary.claims = verifier.auditor().claims();
  return summary;
}

}  // namespace logvault::cli
