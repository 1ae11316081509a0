// Signed notes and checkpoints: the vectors of other people's implementations, and refusals.
#include "evidence/note.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "evidence/checkpoint.h"
#include "tests/support/shared_data.h"

namespace logvault::evidence {
namespace {

using nlohmann::json;

SigningKey TestKey() { return *SigningKey::FromSeed(std::string(32, '\x07')); }

// golang.org/x/mod/sumdb/note's PeterNeumann example.
constexpr std::string_view kNeumannKey =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kNeumannText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr std::string_view kNeumannSignature =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

std::string Note(std::string_view text, std::string_view name, std::string_view signature) {
  return std::string(text) + "\n\xE2\x80\x94 " + std::string(name) + " " + std::string(signature) +
         "\n";
}

TEST(NoteTest, OpensANoteThatAnotherImplementationSigned) {
  Result<VerifierKey> key = VerifierKey::Parse(kNeumannKey);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->ToString(), kNeumannKey);
  Result<std::string> text = OpenNote(Note(kNeumannText, "PeterNeumann", kNeumannSignature), *key);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, kNeumannText);
}

TEST(NoteTest, OpensTheSharedVectorsAndRefusesThemAltered) {
  auto path = testing::SharedData("vectors/tlog.json");
  if (!path.has_value()) return;
  std::ifstream in(*path);
  const json vectors = json::parse(in);
  int verified = 0, skipped = 0;
  for (const json& c : vectors.at("notes")) {
    if (!c.contains("signature_base64")) {
      ++skipped;
      continue;
    }
    Result<VerifierKey> key = VerifierKey::Parse(c.at("vkey").get<std::string>());
    ASSERT_TRUE(key.ok()) << c;
    std::string text = c.at("text");
    EXPECT_TRUE(
        OpenNote(Note(text, key->name, c.at("signature_base64").get<std::string>()), *key).ok())
        << c;
    text[0] ^= 1;
    EXPECT_FALSE(
        OpenNote(Note(text, key->name, c.at("signature_base64").get<std::string>()), *key).ok())
        << c;
    ++verified;
  }
  std::cout << verified << " notes verified, " << skipped << " without a signature\n";
  EXPECT_GT(verified, 0);
}

TEST(NoteTest, OpensWhatItSigned) {
  std::string note = SignNote("some text\n\nmore\n", "example.org/log", TestKey());
  Result<std::string> text =
      OpenNote(note, VerifierKey::For("example.org/log", TestKey().public_key()));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "some text\n\nmore\n");
}

TEST(NoteTest, AnyFlippedBitIsRefused) {
  const std::string note = SignNote("origin\n5\nroot\n", "example.org/log", TestKey());
  VerifierKey key = VerifierKey::For("example.org/log", TestKey().public_key());
  for (std::size_t bit = 0; bit < note.size() * 8; ++bit) {
    std::string altered = note;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(OpenNote(altered, key).ok()) << "bit " << bit;
  }
}

TEST(NoteTest, ForeignSignaturesAreIgnoredAndOursIsNeeded) {
  VerifierKey ours = VerifierKey::For("log", TestKey().public_key());
  SigningKey other = *SigningKey::FromSeed(std::string(32, '\x09'));
  std::string foreign = SignNote("text\n", "witness", other);
  std::string line = foreign.substr(foreign.find("\xE2\x80\x94"));
  EXPECT_TRUE(OpenNote(SignNote("text\n", "log", TestKey()) + line, ours).ok());
  EXPECT_FALSE(OpenNote(foreign, ours).ok());
  // Signed by another key under our name: another key id, so not ours.
  EXPECT_FALSE(OpenNote(SignNote("text\n", "log", other), ours).ok());
}

TEST(NoteTest, RefusesMalformedNotes) {
  VerifierKey key = VerifierKey::For("log", TestKey().public_key());
  const std::string good = SignNote("text\n", "log", TestKey());
  for (std::string bad : {std::string(""), std::string("text\n"), std::string("text\n\n"),
                          good.substr(0, good.size() - 1), good + "\n", good + "trailing",
                          "\x01" + good, std::string(70'000, 'x') + good}) {
    EXPECT_FALSE(OpenNote(bad, key).ok()) << bad.substr(0, 60);
  }
}

TEST(NoteTest, RefusesMalformedVerifierKeys) {
  for (std::string bad : {"", "log", "log+00000000", "log+00000000+",
                          "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumann+C74F20A3x+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"}) {
    EXPECT_FALSE(VerifierKey::Parse(bad).ok()) << bad;
  }
}

TEST(CheckpointTest, ReadsBackWhatItWrites) {
  Checkpoint checkpoint{"lab-vault/3f9a01c2", 20852163, Sha256("root")};
  EXPECT_EQ(checkpoint.ToString(),
            "lab-vault/3f9a01c2\n20852163\n" + ToBase64(Sha256("root").view()) + "\n");
  Result<Checkpoint> parsed = Checkpoint::Parse(checkpoint.ToString());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, checkpoint);
}

TEST(CheckpointTest, AcceptsExtensionLinesOfOthers) {
  EXPECT_TRUE(Checkpoint::Parse(Checkpoint{"o", 1, {}}.ToString() + "extension\n").ok());
}

TEST(CheckpointTest, RefusesMalformedText) {
  const std::string root = ToBase64(Hash{}.view());
  for (std::string bad : {"", "o\n", "o\n1\n", "o\n1\nAAAA\n", "o\n01\nROOT\n", "o\n-1\nROOT\n",
                          "o\n+1\nROOT\n", "o\n \nROOT\n", "o\n18446744073709551616\nROOT\n",
                          "\n1\nROOT\n", "o\n1\nROOT", "o\n1\nROOT\n\n"}) {
    std::string text = bad;
    if (auto at = text.find("ROOT"); at != text.npos) text.replace(at, 4, root);
    EXPECT_FALSE(Checkpoint::Parse(text).ok()) << bad;
  }
}

TEST(CheckpointTest, AnEarlierKeyCountsUpToItsLastSize) {
  const SigningKey older = SigningKey::Generate();
  VerifierKey key = VerifierKey::For("ours", TestKey().public_key());
  const std::string by_older = SignCheckpoint({"ours", 3, {}}, older);
  EXPECT_FALSE(OpenCheckpoint(by_older, key).ok());
  key.earlier = {{older.public_key()}};
  EXPECT_TRUE(OpenCheckpoint(by_older, key).ok()) << "still in force";
  key.earlier = {{older.public_key(), 3}};
  EXPECT_TRUE(OpenCheckpoint(by_older, key).ok());
  key.earlier = {{older.public_key(), 2}};
  EXPECT_FALSE(OpenCheckpoint(by_older, key).ok());
  EXPECT_TRUE(OpenCheckpoint(SignCheckpoint({"ours", 9, {}}, TestKey()), key).ok());
}

TEST(CheckpointTest, TwoSignaturesAreEachGoodForTheirHolder) {
  const SigningKey older = SigningKey::Generate();
  const std::string note = AddSignature(SignCheckpoint({"ours", 3, {}}, TestKey()), "ours", older);
  EXPECT_TRUE(OpenCheckpoint(note, VerifierKey::For("ours", TestKey().public_key())).ok());
  EXPECT_TRUE(OpenCheckpoint(note, VerifierKey::For("ours", older.public_key())).ok());
  std::string altered = note;
  altered.replace(altered.find("\n3\n"), 3, "\n4\n");
  EXPECT_FALSE(OpenCheckpoint(altered, VerifierKey::For("ours", older.public_key())).ok());
}

TEST(VerifierKeyTest, TheNarrowerEndOfAnEarlierKeyCounts) {
  VerifierKey mine = VerifierKey::For("ours", TestKey().public_key());
  VerifierKey theirs = mine;
  mine.earlier = {{std::string(32, 'a')}, {std::string(32, 'b'), 7}};
  theirs.earlier = {
      {std::string(32, 'a'), 20}, {std::string(32, 'b'), 9}, {std::string(32, 'c'), 1}};
  const VerifierKey narrowed = mine.NarrowedBy(theirs);
  ASSERT_EQ(narrowed.earlier.size(), 2u);
  EXPECT_EQ(narrowed.earlier[0].last_size, 20u);
  EXPECT_EQ(narrowed.earlier[1].last_size, 7u);
}

TEST(CheckpointTest, ACheckpointOfAnotherOriginIsRefused) {
  VerifierKey key = VerifierKey::For("ours", TestKey().public_key());
  EXPECT_TRUE(OpenCheckpoint(SignCheckpoint({"ours", 3, {}}, TestKey()), key).ok());
  EXPECT_FALSE(
      OpenCheckpoint(SignNote(Checkpoint{"theirs", 3, {}}.ToString(), "ours", TestKey()), key)
          .ok());
}

TEST(CheckpointTest, AnOriginIsFixedByNameAndKey) {
  std::string origin = OriginFor("lab-vault", TestKey().public_key());
  EXPECT_EQ(origin, "lab-vault/" + Sha256(TestKey().public_key()).Hex().substr(0, 8));
}

}  // namespace
}  // namespace logvault::evidence
