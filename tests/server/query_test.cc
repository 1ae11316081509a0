// What the query service answers, over 127.0.0.1 from a real vault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>
#include <utility>

#include "evidence/checkpoint.h"
#include "evidence/merkle.h"
#include "server/query_context.h"
#include "tests/server/query_fixture.h"

namespace logvault::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(QueryTest, MatchingRecordsComeBackByteForByte) {
  const Answer answer = Search("alpha");
  EXPECT_EQ(answer.status, Status::Ok());
  EXPECT_THAT(answer.rows, ElementsAre("alpha one\n", "alpha three\n"));
  EXPECT_EQ(answer.done.matches(), 2u);
}

TEST_F(QueryTest, ACountReturnsNoRows) {
  v1::SearchRequest request;
  request.set_expression("alpha");
  request.set_count_only(true);
  const Answer answer = Search(request);
  EXPECT_TRUE(answer.rows.empty());
  EXPECT_EQ(answer.done.matches(), 2u);
}

TEST_F(QueryTest, AWrongExpressionIsTheCallersFault) {
  EXPECT_EQ(Search("(alpha").status.code(), StatusCode::kInvalidArgument);
}

TEST_F(QueryTest, AQueryAtAnEarlierTreeSizeSeesWhatWasThereThen) {
  const Answer before = Search("alpha");
  Add({"alpha four\n"});
  v1::SearchRequest request;
  request.set_expression("alpha");
  request.set_tree_size(before.started.tree_size());
  EXPECT_EQ(Search(request).rows, before.rows);
  EXPECT_EQ(Search("alpha").rows.size(), 3u);
  request.set_tree_size(1'000'000);
  EXPECT_EQ(Search(request).status.code(), StatusCode::kInvalidArgument);
}

TEST_F(QueryTest, ACallerMayStopEarly) {
  int events = 0;
  EXPECT_EQ(client->Search({}, [&](const v1::SearchEvent&) { return ++events < 2; }), Status::Ok());
  EXPECT_EQ(events, 2);
}

TEST_F(QueryTest, ACancelledClientGetsNoAnswer) {
  client->Cancel();
  EXPECT_EQ(Search("alpha").status.code(), StatusCode::kCancelled);
}

TEST_F(QueryTest, ShowProvesTheBlockOfOneRecord) {
  v1::ShowRequest request;
  request.set_host("geo01");
  request.set_source("syslog");
  request.set_seq(2);
  Result<v1::ShowResponse> shown = client->Show(request);
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->row().bytes(), "beta two\n");
  const evidence::GenesisBody& genesis = lab.collector->vault().genesis();
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(
      shown->checkpoint(), evidence::VerifierKey::For(genesis.origin, genesis.vault_public_key));
  ASSERT_TRUE(checkpoint.ok());
  std::vector<evidence::Hash> proof;
  for (const std::string& hash : shown->inclusion())
    proof.push_back(*evidence::Hash::FromBytes(hash));
  EXPECT_EQ(evidence::VerifyInclusion(evidence::LeafHash(shown->block()), shown->row().block(),
                                      checkpoint->size, proof, checkpoint->root),
            Status::Ok());
}

TEST_F(QueryTest, ShowSaysWhatIsNotThere) {
  v1::ShowRequest request;
  request.set_host("geo01");
  request.set_source("syslog");
  request.set_seq(99);
  EXPECT_EQ(client->Show(request).status().code(), StatusCode::kNotFound);
  request.set_source("audit");
  EXPECT_THAT(client->Show(request).status().message(), HasSubstr("audit"));
}

TEST_F(QueryTest, BlocksGiveTheWholeVault) {
  v1::BlocksRequest request;
  request.set_payloads(true);
  std::vector<evidence::Hash> leaves;
  std::uint64_t tree_size = 0;
  int payloads = 0;
  const Status status = client->Blocks(request, [&](const v1::BlocksEvent& event) {
    if (event.tree_size() > 0) tree_size = event.tree_size();
    for (const v1::StoredBlock& block : event.blocks()) {
      EXPECT_EQ(block.index(), leaves.size());
      EXPECT_EQ(block.error(), "");
      leaves.push_back(evidence::LeafHash(block.block()));
      payloads += block.payload().empty() ? 0 : 1;
    }
    return true;
  });
  EXPECT_EQ(status, Status::Ok());
  EXPECT_EQ(leaves.size(), tree_size);
  EXPECT_EQ(payloads, 2);
  EXPECT_EQ(*evidence::RootAt(tree_size, lab.collector->vault().reader().Nodes()),
            evidence::RootOf(leaves));
}

TEST_F(QueryTest, StatusProvesThatTheVaultOnlyGrew) {
  Result<v1::StatusResponse> before = client->Status({});
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->origin(), lab.collector->vault().origin());
  const storage::Head kept = lab.collector->vault().head();
  Add({"more\n"});
  v1::StatusRequest request;
  request.set_have_size(kept.size);
  Result<v1::StatusResponse> after = client->Status(request);
  ASSERT_TRUE(after.ok());
  const storage::Head head = lab.collector->vault().head();
  std::vector<evidence::Hash> proof;
  for (const std::string& hash : after->consistency())
    proof.push_back(*evidence::Hash::FromBytes(hash));
  EXPECT_EQ(evidence::VerifyConsistency(kept.size, head.size, kept.root, head.root, proof),
            Status::Ok());
}

TEST_F(QueryTest, HostsSayWhoIsConnected) {
  Result<v1::HostsResponse> hosts = client->Hosts({});
  ASSERT_TRUE(hosts.ok());
  ASSERT_EQ(hosts->streams_size(), 1);
  EXPECT_EQ(hosts->streams(0).records(), 3u);
  EXPECT_TRUE(hosts->streams(0).session_open());
  EXPECT_FALSE(hosts->streams(0).silent());
}

// Readers that take one event and then stand still until told.
class StandingReaders {
 public:
  explicit StandingReaders(ServerLab& lab) : lab_(lab) {}
  ~StandingReaders() { Leave(); }

  // Returns once each of them has an answer that goes on, so holds a worker.
  void Hold(int count) {
    std::latch holding(count);
    for (int i = 0; i < count; ++i) {
      clients_.push_back(lab_.ConnectAsInvestigator());
      threads_.emplace_back([this, &holding, client = clients_.back().get()] {
        bool first = true;
        const Status status = client->Search({}, [&](const v1::SearchEvent& event) {
          if (event.has_rows() && std::exchange(first, false)) {
            holding.count_down();
            go_on_.wait();
          }
          return true;
        });
        if (status.ok()) ++finished;
      });
    }
    holding.wait();
  }
  void GoOn() { go_on_.count_down(); }
  void Leave() {
    for (const auto& client : clients_) client->Cancel();
    if (!threads_.empty() && !go_on_.try_wait()) go_on_.count_down();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::atomic<int> finished{0};

 private:
  ServerLab& lab_;
  std::latch go_on_{1};
  std::vector<std::unique_ptr<net::QueryClient>> clients_;
  std::vector<std::thread> threads_;
};

TEST_F(QueryTest, FewQueriesRunSomeWaitAndTheRestAreToldSo) {
  for (int i = 0; i < 8; ++i)
    Add({evidence::RandomBytes(1u << 20) + "\n"});  // more than any window holds
  StandingReaders running(lab);
  running.Hold(kQueriesRunning);

  std::vector<std::thread> waiting;
  std::atomic<int> answered{0}, refused{0};
  for (std::size_t i = 0; i < kQueriesWaiting + 4; ++i) {
    waiting.emplace_back([&] {
      const Status status = lab.ConnectAsInvestigator()->Status({}).status();
      if (status.ok()) ++answered;
      if (status.code() == StatusCode::kResourceExhausted) ++refused;
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (refused < 4 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(refused, 4);
  EXPECT_EQ(answered, 0);
  running.GoOn();
  for (std::thread& thread : waiting) thread.join();
  running.Join();
  EXPECT_EQ(answered, static_cast<int>(kQueriesWaiting));
  EXPECT_EQ(running.finished, kQueriesRunning);
}

TEST_F(QueryTest, AReaderThatLeavesGivesItsWorkerBack) {
  for (int i = 0; i < 8; ++i) Add({evidence::RandomBytes(1u << 20) + "\n"});
  for (int round = 0; round < 3; ++round) {
    StandingReaders readers(lab);
    readers.Hold(kQueriesRunning);
    readers.Leave();
    EXPECT_EQ(readers.finished, 0);
  }
  EXPECT_TRUE(client->Status({}).ok());
}

}  // namespace
}  // namespace logvault::server
