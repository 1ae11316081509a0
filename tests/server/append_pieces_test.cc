// A long Append is committed in pieces: each of its receipts is right, and whoever comes meanwhile waits for one piece.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "evidence/checkpoint.h"
#include "evidence/merkle.h"
#include "server/alerts.h"
#include "server/append_call.h"
#include "server/session_open.h"
#include "tests/server/server_lab.h"

namespace logvault::server {
namespace {

constexpr std::size_t kItemBytes = 200 * 1024;
constexpr int kItems = 24;  // 4.7 MiB

// What Collector::Start puts together, without listeners: the test holds the committer.
class AppendPiecesTest : public ::testing::Test {
 protected:
  struct Call {
    v1::AppendRequest request;
    v1::AppendResponse response;
    std::promise<Status> finished;
    std::future<Status> answer = finished.get_future();
    bool ended() { return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  };

  void SetUp() override {
    for (TestHost* host : {&geo01_, &web01_}) {
      v1::OpenRequest open;
      v1::StreamDescriptor& stream = *open.add_streams();
      stream.set_source("syslog");
      stream.set_format("plain");
      stream.set_descriptor_json("{}");
      const Result<v1::SessionOpened> opened = OpenSession(ingest_, host->name, open, host->name);
      ASSERT_TRUE(opened.ok()) << opened.status();
      std::unique_ptr<Call> registration = Append(*host, {host->Registration()});
      ASSERT_EQ(registration->answer.get(), Status::Ok());
    }
  }

  std::unique_ptr<storage::Vault> OpenVault() {
    storage::VaultOptions options;
    options.dir = lab_.config.vault_dir;
    options.anchor = lab_.config.anchor;
    options.certificate_check = pki::CheckCertificateOf;
    Result<std::unique_ptr<storage::Vault>> vault =
        storage::Vault::Open(options, keys_.signing, lab_.clock);
    EXPECT_TRUE(vault.ok()) << vault.status();
    return *std::move(vault);
  }
  std::unique_ptr<TestHost> Host(const std::string& name) {
    return std::make_unique<TestHost>(name, lab_.pki.Issue(pki::Role::kForwarder, name),
                                      vault_->genesis().opening_public_key);
  }

  std::unique_ptr<Call> Append(const TestHost& host, const std::vector<v1::AppendItem>& items) {
    auto call = std::make_unique<Call>();
    for (const v1::AppendItem& item : items) *call->request.add_items() = item;
    const auto append = std::make_shared<AppendCall>(
        ingest_, host.name, call->request, call->response,
        [&finished = call->finished](const Status& status) { finished.set_value(status); });
    EXPECT_EQ(pool_.Post([append] { append->Step(); }), Status::Ok());
    return call;
  }
  v1::AppendItem Batch(TestHost& host, std::uint64_t seq, const std::string& line) {
    return host.Seal(host.DraftBatch("syslog", seq, {line}, lab_.clock.Now()));
  }

  // The committer stands still from when it has committed what is queued until the latch counts down.
  std::shared_ptr<std::latch> Hold() {
    auto held = std::make_shared<std::latch>(1);
    auto go_on = std::make_shared<std::latch>(1);
    const Status queued = committer_.Submit({QuotaAlert("nobody", 1)},
                                            [held, go_on](const Result<storage::Commit>& commit) {
                                              EXPECT_TRUE(commit.ok()) << commit.status();
                                              held->count_down();
                                              go_on->wait();
                                            });
    EXPECT_EQ(queued, Status::Ok());
    held_ = held;
    return go_on;
  }

  // What was sent stands in the tree that the answer's checkpoint is of.
  void VerifyReceipts(const Call& call) {
    const evidence::GenesisBody& genesis = vault_->genesis();
    Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(
        call.response.checkpoint(),
        evidence::VerifierKey::For(genesis.origin, genesis.vault_public_key));
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    ASSERT_EQ(call.response.receipts_size(), call.request.items_size());
    for (int i = 0; i < call.request.items_size(); ++i) {
      const v1::ItemReceipt& receipt = call.response.receipts(i);
      EXPECT_EQ(receipt.outcome(), v1::ItemReceipt::COMMITTED) << receipt.reason();
      Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(receipt.block());
      ASSERT_TRUE(block.ok()) << block.status();
      EXPECT_EQ(block->body, call.request.items(i).batch().header());
      std::vector<evidence::Hash> proof;
      for (const std::string& hash : receipt.inclusion())
        proof.push_back(*evidence::Hash::FromBytes(hash));
      EXPECT_EQ(evidence::VerifyInclusion(evidence::LeafHash(receipt.block()), block->index,
                                          checkpoint->size, proof, checkpoint->root),
                Status::Ok());
    }
  }

  ServerLab lab_;
  VaultKeys keys_ = *VaultKeys::Load(lab_.config.signing_key);
  std::unique_ptr<storage::Vault> vault_ = OpenVault();
  std::unique_ptr<pki::RevocationFile> revocation_ =
      *pki::RevocationFile::Open(lab_.config.tls.crl, lab_.config.tls.ca, lab_.clock);
  const net::CallGate gate_{
      {"ingest", lab_.config.vault_name, {pki::Role::kForwarder}, net::WhenCrlExpired::kGoOn},
      *revocation_,
      lab_.clock};
  Counters counters_;
  Halt halt_{nullptr};
  AlertLimiter alerts_{lab_.clock};
  SessionTable sessions_{lab_.clock};
  SilenceWatch silence_{lab_.config.silence_after_ns, lab_.clock};
  HostFigures figures_;
  FlushPace pace_;
  HostBudgets budgets_{lab_.config.host_bytes_per_day, lab_.clock};
  SealKeys seal_keys_{vault_->reader()};
  WorkPool pool_{2, 100};
  storage::Committer committer_{*vault_};
  IngestContext ingest_{lab_.clock,   *vault_,  committer_, keys_.opening,
                        *revocation_, gate_,    sessions_,  silence_,
                        seal_keys_,   budgets_, alerts_,    counters_,
                        figures_,     pace_,    halt_,      lab_.config.host_bytes_per_day,
                        pool_};
  std::unique_ptr<TestHost> geo01_owner_ = Host("geo01"), web01_owner_ = Host("web01");
  TestHost& geo01_ = *geo01_owner_;
  TestHost& web01_ = *web01_owner_;
  std::shared_ptr<std::latch> held_;
};

TEST_F(AppendPiecesTest, AnotherHostWaitsForOnePieceOfALongAppend) {
  std::vector<v1::AppendItem> items;
  for (int i = 0; i < kItems; ++i)
    items.push_back(
        Batch(geo01_, static_cast<std::uint64_t>(i) + 1, evidence::RandomBytes(kItemBytes)));
  std::shared_ptr<std::latch> go_on = Hold();
  held_->wait();
  // Of the group whose answers are being given: counted until they are.
  std::size_t held_bytes = committer_.queued_bytes();

  std::unique_ptr<Call> longer = Append(geo01_, items);
  pool_.Drain();
  std::unique_ptr<Call> small = Append(web01_, {Batch(web01_, 1, "one line\n")});
  pool_.Drain();
  int pieces = 0;
  while (!longer->ended() && pieces < kItems) {
    ++pieces;
    EXPECT_GT(committer_.queued_bytes(), held_bytes);
    EXPECT_LT(committer_.queued_bytes() - held_bytes, kCommitBytes + kSliceBytes + kItemBytes);
    const std::shared_ptr<std::latch> next = Hold();
    held_bytes = committer_.queued_bytes() - held_bytes;
    go_on->count_down();
    held_->wait();
    pool_.Drain();
    go_on = next;
    EXPECT_TRUE(small->ended()) << "with the piece that was there before it";
  }
  go_on->count_down();

  EXPECT_GE(pieces, 4);
  EXPECT_EQ(longer->answer.get(), Status::Ok());
  EXPECT_EQ(small->answer.get(), Status::Ok());
  VerifyReceipts(*longer);
  VerifyReceipts(*small);
  EXPECT_EQ(longer->response.receipts(kItems - 1).last_seq(), static_cast<std::uint64_t>(kItems));
  EXPECT_EQ(counters_.batches, static_cast<std::uint64_t>(kItems) + 1);
}

// Large ones, which are checked beside each other.
TEST_F(AppendPiecesTest, EachBatchOfASliceIsJudgedByItself) {
  std::vector<v1::AppendItem> items;
  for (int i = 0; i < 4; ++i)
    items.push_back(Batch(geo01_, static_cast<std::uint64_t>(i) + 1,
                          evidence::RandomBytes(kLargePayloadBytes)));
  for (const std::size_t wrong : {0, 1, 2, 3}) {
    std::vector<v1::AppendItem> sent = items;
    std::string& payload = *sent[wrong].mutable_batch()->mutable_payload();
    payload[payload.size() / 2] = static_cast<char>(payload[payload.size() / 2] ^ 1);
    std::unique_ptr<Call> call = Append(geo01_, sent);
    ASSERT_EQ(call->answer.get(), Status::Ok());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const v1::ItemReceipt& receipt = call->response.receipts(static_cast<int>(i));
      // What stands behind a gap is taken all the same: the vault shows the gap.
      EXPECT_EQ(receipt.outcome() == v1::ItemReceipt::REFUSED, i == wrong)
          << i << " of which " << wrong << " is wrong: " << receipt.outcome() << " "
          << receipt.reason();
    }
  }
}

}  // namespace
}  // namespace logvault::server
