// Dictionaries: small batches are smaller by them and come back as they were; who lacks one is told which.
#include "evidence/dictionary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "evidence/auditor.h"
#include "evidence/payload.h"
#include "tests/support/dictionaries.h"
#include "tests/support/payload_header.h"

namespace logvault::evidence {
namespace {

using ::logvault::testing::SimilarLines;
using ::logvault::testing::TrainedDictionary;
using ::testing::HasSubstr;

const std::string kKey(kBatchKeySize, 'k');

PayloadBuilder::Sealed Seal(const std::vector<std::string>& lines, const Dictionary* dictionary) {
  PayloadBuilder builder;
  for (const std::string& line : lines) builder.Add({kNoTime, 1, 0, "/var/log/auth.log", line});
  return builder.Finish(1, kKey, {}, dictionary);
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

class DictionaryTest : public ::testing::Test {
 protected:
  DictionaryTest() { dictionaries_.Add(dictionary_, 7); }

  const std::shared_ptr<const Dictionary> dictionary_ = *Dictionary::Parse(TrainedDictionary());
  Dictionaries dictionaries_;
};

TEST_F(DictionaryTest, BatchesOfAnySizeComeBackAsTheyWere) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  int leaning = 0;
  for (int round = 0; round < 100; ++round) {
    const std::vector<std::string> lines = SimilarLines(1 + random() % 1500, random());
    const PayloadBuilder::Sealed sealed = Seal(lines, dictionary_.get());
    const bool leans = DictionaryOf(sealed.frame) == dictionary_->id();
    if (leans) ++leaning;
    EXPECT_LE(sealed.frame.size(), Seal(lines, nullptr).frame.size());
    EXPECT_FALSE(leans && Joined(lines).size() > kMaxDictionaryBatch);
    Result<Payload> payload = OpenPayload(HeaderFor(sealed, 1), sealed.frame, dictionaries_);
    ASSERT_TRUE(payload.ok()) << payload.status();
    EXPECT_EQ(payload->blob(), Joined(lines));
  }
  EXPECT_GT(leaning, 0);
}

TEST_F(DictionaryTest, ASmallBatchIsAQuarterSmaller) {
  const std::vector<std::string> lines = SimilarLines(20, 99);
  EXPECT_LT(4 * Seal(lines, dictionary_.get()).frame.size(), 3 * Seal(lines, nullptr).frame.size());
}

TEST_F(DictionaryTest, ABatchThatIsNotSmallerByItDoesWithout) {
  std::mt19937_64 random(3);
  std::string noise(500, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_EQ(DictionaryOf(Seal({noise}, dictionary_.get()).frame), 0u);
}

TEST_F(DictionaryTest, WithoutItABatchCannotBeOpenedAndItIsNamed) {
  const PayloadBuilder::Sealed sealed = Seal(SimilarLines(20, 5), dictionary_.get());
  ASSERT_EQ(DictionaryOf(sealed.frame), dictionary_->id());
  Dictionaries others;
  others.Add(*Dictionary::Parse(TrainedDictionary(2)), 1);
  for (const Dictionaries& lacking : {Dictionaries(), others}) {
    const Status status = OpenPayload(HeaderFor(sealed, 1), sealed.frame, lacking).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption);
    EXPECT_THAT(status.message(), HasSubstr("dictionary " + std::to_string(dictionary_->id())));
  }
}

TEST_F(DictionaryTest, AnotherOneOfTheSameNumberDoesNotPass) {
  const std::vector<std::string> lines = SimilarLines(20, 5);
  const PayloadBuilder::Sealed sealed = Seal(lines, dictionary_.get());
  std::string altered = dictionary_->bytes();
  for (std::size_t i = altered.size() / 2; i < altered.size(); ++i)
    altered[i] = static_cast<char>(altered[i] ^ 1);
  Result<std::shared_ptr<const Dictionary>> forged = Dictionary::Parse(altered);
  ASSERT_TRUE(forged.ok());
  ASSERT_EQ((*forged)->id(), dictionary_->id());
  Dictionaries dictionaries;
  dictionaries.Add(*forged, 1);
  EXPECT_FALSE(OpenPayload(HeaderFor(sealed, 1), sealed.frame, dictionaries).ok());
}

TEST_F(DictionaryTest, AVerifierWantsItBeforeTheBatch) {
  const PayloadBuilder::Sealed sealed = Seal(SimilarLines(20, 5), dictionary_.get());
  const BatchHeader header = HeaderFor(sealed, 1);
  EXPECT_TRUE(Auditor::CheckPayload(8, header, sealed.frame, dictionaries_).ok());
  EXPECT_THAT(Auditor::CheckPayload(6, header, sealed.frame, dictionaries_).status().message(),
              HasSubstr("came later"));
}

TEST_F(DictionaryTest, OnlyWhatZstdTrainsIsOne) {
  const std::string& whole = dictionary_->bytes();
  for (const std::string& bytes :
       {std::string(), std::string("text that somebody took for a dictionary"), whole.substr(0, 40),
        whole + std::string(kMaxDictionarySize, 'x')}) {
    EXPECT_EQ(Dictionary::Parse(bytes).status().code(), StatusCode::kInvalidArgument);
  }
  std::string numberless = whole;  // RFC 8878: the number stands behind the magic
  for (std::size_t i = 4; i < 8; ++i) numberless[i] = '\0';
  EXPECT_EQ(Dictionary::Parse(numberless).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(DictionaryTest, TooLittleIsNothingToLearnFrom) {
  EXPECT_EQ(TrainDictionary({}, 4096).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(TrainDictionary({"one line\n"}, 4096).status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace logvault::evidence
