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

class RemoteVerifier {
 public:
  RemoteVerifier(RemoteVault& vault, const v1::BlocksRequest& request,
                 std::vector<Expected> expected, const evidence::Auditor::OnFinding& on_finding)
      : vault_(vault),
        request_(request),
        key_(vault.key()),
        expected_(std::move(expected)),
        report_([this, &on_finding](const evidence::Finding& finding) {
          ++findings_;
          on_finding(finding);
        }),
        auditor_(pki::CheckCertificateOf, report_),
        end_(vault.checkpoint().size) {}

  void Foresee(const std::map<std::uint64_t, std::string>& governing) {
    auditor_.ForeseeGoverning(governing);
  }

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

  [[nodiscard]] const evidence::Auditor& auditor() const { return auditor_; }
  [[nodiscard]] std::uint64_t findings() const { return findings_; }
  [[nodiscard]] std::uint64_t payload_bytes() const { return payload_bytes_; }
  [[nodiscard]] std::uint64_t deleted_payloads() const { return deleted_payloads_; }
  [[nodiscard]] std::uint64_t deleted_meanwhile() const { return deleted_meanwhile_; }

 private:
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
    if (!block.ok() || block->kind != evidence::BlockKind::kRecords)
      return;  // the auditor names a bad header
    Result<evidence::BatchHeader> batch = evidence::BatchHeader::Parse(block->body);
    if (!batch.ok()) return;
    payload_bytes_ += stored.payload().size();
    if (!stored.payload_error().empty() && WasDeleted(stored, *batch, block->commit_time)) return;
    Status status = stored.payload_error().empty()
                        ? evidence::Auditor::CheckPayload(*batch, stored.payload())
                        : Corruption("its payload: " + stored.payload_error());
    if (!status.ok()) report_(auditor_.Describe(stored.index(), &*batch, status.message()));
  }

  // The deletion is lawful, or later than the tree that is verified here, and for the next verification to judge.
  bool WasDeleted(const v1::StoredBlock& stored, const evidence::BatchHeader& batch,
                  UnixNanos commit_time) {
    const bool lawful = auditor_.DeletedBy(batch, commit_time).has_value();
    const bool meanwhile = !lawful && stored.deleted_by() >= end_;
    if (lawful) ++deleted_payloads_;
    if (meanwhile) ++deleted_meanwhile_;
    return lawful || meanwhile;
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
  const v1::BlocksRequest& request_;
  const evidence::VerifierKey& key_;
  std::vector<Expected> expected_;
  const evidence::Auditor::OnFinding report_;
  evidence::Auditor auditor_;
  const std::uint64_t end_;  // the tree of this connection
  bool begun_ = false;
  bool refused_ = false;
  evidence::ResultHash result_;
  std::string stated_result_;
  std::uint64_t findings_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t deleted_payloads_ = 0;
  std::uint64_t deleted_meanwhile_ = 0;
};

}  // namespace

VerifySummary VerifyRemote(RemoteVault& vault, const std::optional<evidence::Checkpoint>& anchor,
                           const evidence::Auditor::OnFinding& on_finding) {
  std::vector<Expected> expected = {{vault.checkpoint(), "the checkpoint of this connection"}};
  if (vault.kept()) expected.push_back({*vault.kept(), "the checkpoint kept here"});
  if (anchor) expected.push_back({*anchor, "the anchor"});
  v1::BlocksRequest request;
  request.set_payloads(true);
  request.set_tree_size(vault.checkpoint().size);
  RemoteVerifier verifier(vault, request, std::move(expected), on_finding);
  Progress progress("blocks");
  Result<std::map<std::uint64_t, std::string>> governing = FetchGoverning(vault);
  Status status = governing.status();
  if (status.ok()) verifier.Foresee(*governing);
  if (status.code() == StatusCode::kIntegrity) {
    verifier.Refuse(status);
    status = Status::Ok();
  } else if (status.ok()) {
    status = vault.client().Blocks(
        request, [&](const v1::BlocksEvent& event) { return verifier.Take(event, progress); });
  }
  VerifySummary summary;
  summary.deleted_payloads = verifier.deleted_payloads();
  summary.deleted_meanwhile = verifier.deleted_meanwhile();
  summary.seconds = progress.seconds();
  if (status.ok())
    verifier.Finish();
  else if (vault.interrupted())
    summary.interrupted = true;
  else
    summary.lost = status;
  summary.blocks = verifier.auditor().tree().size();
  summary.records = verifier.auditor().records();
  summary.payload_bytes = verifier.payload_bytes();
  summary.findings = verifier.findings();
  if (summary.findings == 0) summary.claims = verifier.auditor().claims();
  return summary;
}

}  // namespace logvault::cli
