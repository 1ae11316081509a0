// docs/FORMAT.md's worked example is computed here and compared to the document, so that neither can change
// alone.  With LOGVAULT_PRINT_EXAMPLE set, prints the example as the document must have it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "common/bytes.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "evidence/record_proof.h"
#include "evidence/seal.h"

namespace logvault::evidence {
namespace {

// 64 digits a line, as the document prints bytes.
std::string HexLines(std::string_view bytes) {
  std::string lines;
  for (std::size_t i = 0; i < bytes.size(); i += 32) lines += ToHex(bytes.substr(i, 32)) + "\n";
  return lines;
}

std::string FromHexLines(const std::string& lines) {
  std::string bytes, digits;
  for (char c : lines) {
    if (c == '\n') continue;
    digits.push_back(c);
    if (digits.size() < 2) continue;
    bytes.push_back(static_cast<char>(std::stoi(digits, nullptr, 16)));
    digits.clear();
  }
  return bytes;
}

// The document's fenced blocks of the form "```text NAME".
std::map<std::string, std::string> DocumentBlocks() {
  std::ifstream in("docs/FORMAT.md");
  std::map<std::string, std::string> blocks;
  std::string line, name;
  while (std::getline(in, line)) {
    if (line.starts_with("```text ")) {
      name = line.substr(8);
    } else if (line.starts_with("```")) {
      name.clear();
    } else if (!name.empty()) {
      blocks[name] += line + "\n";
    }
  }
  return blocks;
}

// The frame is taken from the document: another zstd may compress the same columns into other bytes.
std::map<std::string, std::string> ComputeExample(const std::string& frame_lines) {
  std::map<std::string, std::string> example;
  const SigningKey vault_key = *SigningKey::FromSeed(std::string(32, '\x01'));
  const SigningKey epoch_key = *SigningKey::FromSeed(std::string(32, '\x02'));
  const std::string k0(32, '\x03');
  const std::string batch_key(32, '\x04');
  const std::string origin = OriginFor("lab-vault", vault_key.public_key());

  std::string frame = FromHexLines(frame_lines);
  if (frame.empty()) {
    PayloadBuilder builder;
    builder.Add({1'720'656'000'000'000'000, 1'720'656'000'250'000'000, 0, "/var/log/syslog",
                 "first line\n"});
    builder.Add({kNoTime, 1'720'656'000'250'000'000, kRecordPartial, "/var/log/syslog", "second"});
    PositionEntry position{"file", "17"};
    frame = builder.Finish(1, batch_key, {&position, 1}).frame;
  }
  example["frame"] = HexLines(frame);
  Result<Payload> payload = Payload::Parse(frame, {});
  EXPECT_TRUE(payload.ok()) << payload.status();
  if (!payload.ok()) return example;

  const std::string salts = RecordSalts(batch_key, 2);
  std::vector<Hash> leaves = RecordLeaves(*payload, 1);
  example["salts"] = HexLines(salts);
  example["record-leaves"] = leaves[0].Hex() + "\n" + leaves[1].Hex() + "\n";
  example["records-root"] = RootOf(leaves).Hex() + "\n";

  BatchHeader batch;
  batch.stream_id = StreamId("geo01", "syslog");
  batch.epoch = 1'720'655'990'000'000'000;
  batch.first_seq = 1;
  batch.record_count = 2;
  batch.read_time_first = batch.read_time_last = payload->record(0).read_time;
  batch.event_time_min = batch.event_time_max = payload->record(0).event_time;
  batch.records_root = RootOf(leaves);
  batch.payload_hash = Sha256(frame);
  const std::string header = SealBatchHeader(batch, k0, epoch_key);
  example["stream-id"] = batch.stream_id.Hex() + "\n";
  example["batch-header"] = HexLines(header);

  const std::string ca = "-----BEGIN CERTIFICATE-----\n";
  GenesisBody genesis{origin, vault_key.public_key(), std::string(32, '\x05'), 0, ca};
  const std::string block0 =
      BlockHeader{0, Hash{}, 1'720'655'000'000'000'000, BlockKind::kGenesis, 0, genesis.Serialize()}
          .Serialize();
  const std::string block1 =
      BlockHeader{1, LeafHash(block0), 1'720'656'000'300'000'000, BlockKind::kRecords, 0, header}
          .Serialize();
  example["genesis-block"] = HexLines(block0);
  example["records-block"] = HexLines(block1);
  const Hash tree[] = {LeafHash(block0), LeafHash(block1)};
  example["block-leaves"] = tree[0].Hex() + "\n" + tree[1].Hex() + "\n";
  example["verifier-key"] = VerifierKey::For(origin, vault_key.public_key()).ToString() + "\n";
  example["checkpoint"] = SignCheckpoint({origin, 2, RootOf(tree)}, vault_key);

  RecordProof proof = ProveRecord(block1, *BatchHeader::Parse(header), *payload, 2);
  proof.host = "geo01";
  proof.source = "syslog";
  proof.index = 1;
  proof.block_path = {tree[0]};
  proof.note = example["checkpoint"];
  example["record-proof"] = proof.Serialize();
  return example;
}

TEST(FormatDocumentTest, TheWorkedExampleIsWhatTheCodeComputes) {
  std::map<std::string, std::string> document = DocumentBlocks();
  std::map<std::string, std::string> computed = ComputeExample(document["frame"]);
  if (std::getenv("LOGVAULT_PRINT_EXAMPLE") != nullptr) {
    for (const auto& [name, text] : computed)
      std::cout << "```text " << name << "\n" << text << "```\n";
  }
  for (const auto& [name, text] : computed)
    EXPECT_EQ(document[name], text) << "docs/FORMAT.md, block " << name;
  EXPECT_EQ(document.size(), computed.size());
}

TEST(FormatDocumentTest, TheExamplesPayloadHoldsTheRecordsItTellsOf) {
  Result<Payload> payload = Payload::Parse(FromHexLines(DocumentBlocks()["frame"]), {});
  ASSERT_TRUE(payload.ok()) << payload.status();
  ASSERT_EQ(payload->record_count(), 2u);
  EXPECT_EQ(payload->record(0).bytes, "first line\n");
  EXPECT_EQ(payload->record(1).bytes, "second");
  EXPECT_EQ(payload->record(1).flags, kRecordPartial);
  EXPECT_EQ(payload->record(1).event_time, kNoTime);
  EXPECT_EQ(payload->record(1).origin, "/var/log/syslog");
  EXPECT_EQ(payload->position(), (std::vector<PositionEntry>{{"file", "17"}}));
}

}  // namespace
}  // namespace logvault::evidence
