// `logvault verify --index` over the network: the index that the collector states, built anew here from what it sent.
#include <gmock/gmock.h>

#include "config/small_file.h"
#include "evidence/index_body.h"
#include "pki/certificate.h"
#include "query/index_build.h"
#include "storage/vault.h"
#include "tests/cli/lying_vault.h"
#include "tests/cli/remote_fixture.h"

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;

class VerifyIndexTest : public RemoteTest {
 protected:
  // The vault states, and holds, an index of its blocks from `first` on, after `spoil` changed it.
  void StateIndex(std::uint64_t first,
                  const std::function<void(query::BuiltSegment&)>& spoil = nullptr) {
    StopCollector();
    storage::VaultOptions options;
    options.dir = lab_.config.vault_dir;
    options.anchor = lab_.config.anchor;
    options.certificate_check = pki::CheckCertificateOf;
    auto vault = storage::Vault::Open(
        options, evidence::SigningKey::AllFromPem(*config::ReadSmallFile(lab_.config.signing_key)),
        lab_.clock);
    ASSERT_TRUE(vault.ok()) << vault.status();
    Result<query::BuiltSegment> built =
        query::BuildSegment((*vault)->reader(), first, (*vault)->head().size, {});
    ASSERT_TRUE(built.ok()) << built.status();
    if (spoil) spoil(*built);
    const query::Directory& directory = built->directory;
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kIndex;
    entry.body =
        evidence::IndexBody{directory.first, directory.end, evidence::Sha256(directory.Serialize())}
            .Serialize();
    Result<storage::Commit> commit = (*vault)->Append(std::vector{entry});
    ASSERT_TRUE(commit.ok()) << commit.status();
    // With its rows there, the collector finds nothing to mend.
    storage::IndexedSegment segment;
    segment.first = directory.first;
    segment.end = next_segment_ = directory.end;
    segment.chunks = static_cast<std::uint32_t>(built->chunks.size());
    segment.index_block = commit->entries.front().index;
    ASSERT_TRUE((*vault)->WriteIndex(segment, directory.Serialize(), built->chunks).ok());
    vault->reset();
    lab_.Start();
    Reconnect();
  }

  std::uint64_t next_segment_ = 0;
};

TEST_F(VerifyIndexTest, WhatTheBlocksGiveIsVerified) {
  StateIndex(0);
  Add({"gamma four\n"});
  StateIndex(next_segment_);
  Add({"not indexed yet\n"});
  const Ran ran = Run({"verify", "--index"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("index verified: 2 segments built anew and the same"));
}

TEST_F(VerifyIndexTest, AVaultWithoutAnIndexIsNoMistake) {
  const Ran ran = Run({"verify", "--index"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("index verified: 0 segments"));
}

// In order in itself, stated in the chain, and silent about what is there: only who builds it anew can tell.
TEST_F(VerifyIndexTest, AnIndexThatHidesAWordIsExit4) {
  StateIndex(0, [](query::BuiltSegment& built) {
    query::ChunkWriter chunk(built.directory.blocks.size());
    chunk.Add("nothing", std::vector<std::uint16_t>{0});
    built.directory.chunks.clear();
    built.chunks = {chunk.Finish(built.directory.chunks.emplace_back())};
  });
  ASSERT_EQ(Run({"query", "alpha"}).code, 1) << "it is hidden";
  EXPECT_EQ(Run({"verify"}).code, 0) << "every block is as it must be";
  const Ran ran = Run({"verify", "--index"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.out, HasSubstr("the blocks give another than this block states"));
  EXPECT_THAT(ran.out, HasSubstr("INDEX NOT VERIFIED: 1 findings"));
}

TEST_F(VerifyIndexTest, WhatWasLeftOutBeforehandIsNotPassedOver) {
  StateIndex(0);
  LyingVault liar(lab_, alice_);
  address_ = liar.address();
  bool told = false;
  liar.lies.blocks = [&told](v1::BlocksEvent& event) {
    for (v1::StoredBlock& stored : *event.mutable_blocks()) {
      const Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(stored.block());
      // Only the answer without payloads lies: the other one is verified.
      const bool index = block.ok() && block->kind == evidence::BlockKind::kIndex;
      if (index && !told) stored.clear_block();
      told = told || index;
    }
    return true;
  };
  const Ran ran = Run({"verify", "--index"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.out, HasSubstr("the vault did not show this block beforehand"));
}

}  // namespace
}  // namespace logvault::cli
