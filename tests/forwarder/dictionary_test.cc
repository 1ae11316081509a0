// Dictionaries as a host meets them: handed out, kept, used without the vault; damaged, lost, replaced, garbage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/forwarder/test_host.h"
#include "tests/support/dictionaries.h"

namespace logvault::forwarder {
namespace {

std::string Lines(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

std::string Similar(std::uint64_t seed) {
  std::string text;
  for (const std::string& line : testing::SimilarLines(20, seed)) text += line;
  return text;
}

class DictionaryTest : public ::testing::Test {
 protected:
  // The vault has one in force, and the host has it.
  void StartWithDictionary() {
    host.vault.Offer("plain", testing::TrainedDictionary());
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
  }
  // A batch that leans on it waits in the spool.
  void SealWithoutVault() {
    host.vault.fail_appends = 1000;
    host.Write("app.log", Similar(1));
    host.Settle();
  }

  TestHost host;
};

TEST_F(DictionaryTest, ADictionaryIsUsedOnceItWasHandedOutAndAlsoWithoutTheVault) {
  StartWithDictionary();
  host.Write("app.log", Similar(1));
  host.Settle();
  EXPECT_EQ(host.Raw(), Similar(1));
  const std::uint64_t leaning = host.vault.leaning;
  EXPECT_GT(leaning, 0u);
  host.Crash();
  host.vault.fail_opens = 1000;
  ASSERT_TRUE(host.Start().ok());
  host.Append("app.log", Similar(2));
  host.Settle();
  ASSERT_GT(host.spool().figures().pending_items, 0u);
  host.vault.fail_opens = 0;
  host.Run(600);
  EXPECT_EQ(host.Raw(), Similar(1) + Similar(2));
  EXPECT_GT(host.vault.leaning, leaning);
  EXPECT_EQ(host.vault.handed_out, 1u) << "it is kept in the spool";
  EXPECT_THAT(host.vault.complaints, ::testing::IsEmpty());
}

TEST_F(DictionaryTest, AVaultThatLacksTheDictionaryGetsTheRecordsSealedAnew) {
  StartWithDictionary();
  SealWithoutVault();
  host.vault.ForgetDictionaries();
  host.vault.fail_appends = 0;
  host.Run(600);
  EXPECT_EQ(host.Raw(), Similar(1));
  EXPECT_EQ(host.vault.leaning, 0u);
  EXPECT_EQ(host.shipper().state().set_aside, 0u);
  EXPECT_EQ(host.vault.streams["app"].gaps, 0u);
  EXPECT_THAT(host.Own(), ::testing::Not(::testing::HasSubstr("\"gap\"")));
}

// Another dictionary with the number of `bytes`.
std::string OfTheSameNumber(std::string bytes) {
  for (std::size_t i = bytes.size() / 2; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
  return bytes;
}

TEST_F(DictionaryTest, AVaultThatGaveTheNumberToAnotherDictionaryGetsTheRecordsSealedAnew) {
  StartWithDictionary();
  SealWithoutVault();
  host.vault.ForgetDictionaries();
  host.vault.Offer("plain", OfTheSameNumber(testing::TrainedDictionary()));
  host.vault.fail_appends = 0;
  host.Run(600);
  host.Append("app.log", Similar(2));
  host.Run(600);
  EXPECT_EQ(host.Raw(), Similar(1) + Similar(2));
  EXPECT_GT(host.vault.leaning, 0u);
  EXPECT_EQ(host.shipper().state().set_aside, 0u);
  EXPECT_THAT(host.vault.complaints, ::testing::IsEmpty());
}

TEST_F(DictionaryTest, ADictionaryThatIsDamagedInTheSpoolIsAskedForAgain) {
  StartWithDictionary();
  host.Crash();
  host.EditSpool(
      "UPDATE meta SET value=CAST(substr(value, 1, length(value)-9) || 'different' AS BLOB) "
      "WHERE key LIKE 'dictionary/%'");
  ASSERT_TRUE(host.Start().ok());
  host.Write("app.log", Similar(1));
  host.Settle();
  host.Append("app.log", Similar(2));
  host.Settle();
  EXPECT_EQ(host.Raw(), Similar(1) + Similar(2));
  EXPECT_EQ(host.vault.strange, 0u);
  EXPECT_GT(host.vault.leaning, 0u);
  EXPECT_EQ(host.vault.handed_out, 2u);
}

TEST_F(DictionaryTest, WhatStandsBehindABatchThatIsToBeSealedAnewWaitsForIt) {
  StartWithDictionary();
  SealWithoutVault();
  const std::string much = Lines(1, 20'000);  // does without
  host.Append("app.log", much);
  host.Settle();
  host.vault.ForgetDictionaries();
  host.vault.fail_appends = 0;
  host.Run(600);
  EXPECT_EQ(host.Raw(), Similar(1) + much);
  EXPECT_EQ(host.vault.streams["app"].gaps, 0u);
  EXPECT_EQ(host.vault.conflicts, 0u);
}

TEST_F(DictionaryTest, ABatchWhoseDictionaryIsNowhereIsSetAsideAndToldAndTheOthersGoOn) {
  StartWithDictionary();
  SealWithoutVault();
  const std::string much = Lines(1, 20'000);
  host.Append("app.log", much);
  host.Settle();
  host.Crash();
  host.EditSpool("DELETE FROM meta WHERE key LIKE 'dictionary/%'");
  host.vault.ForgetDictionaries();
  host.vault.fail_appends = 0;
  ASSERT_TRUE(host.Start().ok());
  host.Run(600);
  EXPECT_EQ(host.intake().trouble(), Status::Ok());
  EXPECT_EQ(host.Raw(), much);
  EXPECT_EQ(host.vault.streams["app"].gaps, 1u);
  EXPECT_THAT(host.Own(), ::testing::HasSubstr("\"first_seq\":1,\"last_seq\":20"));
  EXPECT_EQ(host.spool().figures().pending_items, 0u);
}

TEST_F(DictionaryTest, ADictionaryThatIsNotProvenStopsShipping) {
  host.vault.Offer("plain", testing::TrainedDictionary());
  host.vault.tamper_opened = [](v1::SessionOpened& opened) {
    for (v1::FormatDictionary& handed : *opened.mutable_dictionaries())
      if (!handed.block().empty()) handed.mutable_inclusion(0)->back() ^= 1;
  };
  host.Write("app.log", Similar(1));
  ASSERT_TRUE(host.Start().ok());
  host.Settle();
  EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kIntegrity);
  EXPECT_EQ(host.Raw(), "");
  host.vault.tamper_opened = nullptr;
  host.Run(600);
  EXPECT_EQ(host.Raw(), Similar(1)) << "nothing was lost";
}

TEST(HandedDictionaryTest, GarbageInTheDictionarysPlaceStopsShippingAndNotTheForwarder) {
  using Handed = v1::FormatDictionary;
  const std::function<void(Handed&)> garbage[] = {
      [](Handed& handed) { handed.set_block("garbage"); },
      [](Handed& handed) { handed.mutable_block()->back() ^= 1; },
      [](Handed& handed) { handed.set_format("syslog"); },
      [](Handed& handed) { handed.mutable_hash()->back() ^= 1; },
      [](Handed& handed) { handed.set_hash("short"); },
      [](Handed& handed) { handed.set_hash("short"), handed.clear_block(); },
      [](Handed& handed) { handed.add_inclusion("short"); }};
  for (const auto& change : garbage) {
    TestHost host;
    host.vault.Offer("plain", testing::TrainedDictionary());
    host.vault.tamper_opened = [&change](v1::SessionOpened& opened) {
      for (Handed& handed : *opened.mutable_dictionaries()) change(handed);
    };
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
    EXPECT_EQ(host.shipper().state().trouble.code(), StatusCode::kIntegrity);
    EXPECT_NE(host.intake().trouble().code(), StatusCode::kCorruption);
    EXPECT_TRUE(host.spool().Dictionaries()->empty());
  }
}

TEST_F(DictionaryTest, AVaultThatHandsOutEverMoreDictionariesDoesNotFillTheDisk) {
  ASSERT_TRUE(host.Start().ok());
  std::string bytes = testing::TrainedDictionary();
  std::vector<std::shared_ptr<const evidence::Dictionary>> kept;
  while (kept.size() + 1 < evidence::kMaxDictionaries) {
    bytes[bytes.size() - 1 - kept.size()] ^= 1;
    kept.push_back(*evidence::Dictionary::Parse(bytes));
  }
  ASSERT_TRUE(host.spool().KeepDictionaries(kept, {}).ok());
  for (std::uint64_t seed = 2; seed < 5; ++seed) {
    host.Crash();
    host.vault.Offer("plain", testing::TrainedDictionary(seed));
    ASSERT_TRUE(host.Start().ok());
    host.Settle();
  }
  EXPECT_EQ(host.spool().Dictionaries()->size(), evidence::kMaxDictionaries);
  host.Write("app.log", Similar(1));
  host.Settle();
  EXPECT_EQ(host.Raw(), Similar(1)) << "without one";
}

}  // namespace
}  // namespace logvault::forwarder
