// What an alert says to a person, of every type; and that no body makes it fall over.
#include "cli/alert_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace logvault::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AlertText Of(std::string body) {
  evidence::BlockHeader block;
  block.kind = evidence::BlockKind::kAlert;
  block.body = std::move(body);
  return TextOf(block);
}

TEST(AlertTextTest, EveryDocumentedTypeHasWords) {
  struct Case {
    const char* body;
    const char* words;
  };
  for (const Case& c : std::vector<Case>{
           {R"({"type":"gap","host":"geo01","source":"app","first_seq":4,"last_seq":9,"block":7})",
            "records 4..9 of geo01/app never came"},
           {R"({"type":"unclean","host":"geo01","epoch":9,"previous_epoch":8,"last_seal":5})",
            "after seal 5 of epoch 8"},
           {R"({"type":"seen","host":"geo01","source":"app","first_seq":4,"last_seq":9,)"
            R"("seen_size":70,"seen_root":"ab","ahead":true})",
            "size 70, which the vault had not reached"},
           {R"({"type":"clone","host":"geo01","address":"a:1","first_address":"b:2"})",
            "from a:1, was refused while the first one, from b:2"},
           {R"({"type":"foreign_stream","host":"geo01","stream_host":"web01","source":"app"})",
            "geo01 sent records as web01/app"},
           {R"({"type":"clock","host":"geo01","ahead_ns":360000000000})", "geo01 is ahead by 6m"},
           {R"({"type":"clock","clock":0,"last_commit_time":1000000000})",
            "stepped to 1970-01-01T00:00:00"},
           {R"({"type":"quota","host":"geo01","bytes_per_day":1000})", "its 1000 bytes of the day"},
           {R"({"type":"crl_expired"})", "past its next update"},
           {R"({"type":"log_damaged","reason":"bad block","size":77})",
            "with 77 blocks: bad block"},
           {R"({"type":"conflict","host":"geo01","source":"app","first_seq":4,"last_seq":9})",
            "under the numbers 4..9 of geo01/app"},
           {R"({"type":"conflict","host":"geo01","epoch":9,"key":"ab"})",
            "registered epoch 9 again"},
           {R"({"type":"silent","hosts":[{"host":"geo01","last_seen":0}]})",
            "geo01 (1970-01-01T00:00:00"},
           {R"({"type":"returned","hosts":[{"host":"geo01","returned_at":0}]})", "heard again"},
       }) {
    EXPECT_THAT(Of(c.body).words, HasSubstr(c.words)) << c.body;
  }
}

TEST(AlertTextTest, ASilenceIsAboutEachOfItsHosts) {
  EXPECT_THAT(
      Of(R"({"type":"silent","hosts":[{"host":"a","last_seen":1},{"host":"b","last_seen":2}]})")
          .hosts,
      ElementsAre("a", "b"));
  EXPECT_THAT(Of(R"({"type":"gap","host":"geo01"})").hosts, ElementsAre("geo01"));
  EXPECT_TRUE(Of(R"({"type":"crl_expired"})").hosts.empty());
}

TEST(AlertTextTest, WhatIsNotOfTheDocumentedFormIsShownAsItIs) {
  for (const char* body :
       {"", "no JSON", "[1]", R"({"host":"a"})", R"({"type":7})",
        R"({"type":"silent","hosts":"geo01"})", R"({"type":"silent","hosts":[1]})"}) {
    EXPECT_EQ(Of(body).words, body);
    EXPECT_EQ(Of(body).type, "");
  }
  EXPECT_EQ(Of(R"({"type":"of a later version"})").words, R"({"type":"of a later version"})");
  EXPECT_THAT(Of(R"({"type":"gap","host":7,"last_seq":"x"})").words, HasSubstr("?..x of 7/?"));
}

}  // namespace
}  // namespace logvault::cli
