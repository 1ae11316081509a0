// Heartbeats are what a host says: whatever it says, reading it is safe.
#include "query/heartbeat.h"

#include <gtest/gtest.h>

namespace logvault::query {
namespace {

TEST(HeartbeatTest, ItTellsOfEachSource) {
  const auto heartbeat =
      ParseHeartbeat(R"({"type":"heartbeat","sources":{"a":{"last":3,"lag_bytes":12,"state":"ok"},)"
                     R"("b":{"state":"unreadable","detail":"permission denied"}},"spool_bytes":0})"
                     "\n",
                     5);
  ASSERT_TRUE(heartbeat.has_value());
  EXPECT_EQ(heartbeat->time, 5);
  EXPECT_EQ(heartbeat->sources.at("a"), (SourceReport{"ok", 12, ""}));
  EXPECT_EQ(heartbeat->sources.at("b"), (SourceReport{"unreadable", 0, "permission denied"}));
}

TEST(HeartbeatTest, WhatIsNoneIsNone) {
  for (const char* record :
       {"", "heartbeat", "[]", "{}", R"({"type":"stop"})", R"({"type":[1]})"}) {
    EXPECT_EQ(ParseHeartbeat(record, 0), std::nullopt) << record;
  }
  EXPECT_EQ(ParseHeartbeat(R"({"type":"heartbeat","x":")" + std::string(300'000, 'x') + "\"}", 0),
            std::nullopt);
}

TEST(HeartbeatTest, OddMembersAreLeftOutAndLongOnesCut) {
  EXPECT_TRUE(ParseHeartbeat(R"({"type":"heartbeat"})", 0)->sources.empty());
  EXPECT_TRUE(ParseHeartbeat(R"({"type":"heartbeat","sources":[1]})", 0)->sources.empty());
  const auto heartbeat = ParseHeartbeat(
      R"({"type":"heartbeat","sources":{"a":7,"b":{"state":7,"lag_bytes":-1,"detail":")" +
          std::string(10'000, 'x') + "\"}}}",
      0);
  EXPECT_FALSE(heartbeat->sources.contains("a"));
  EXPECT_EQ(heartbeat->sources.at("b"), (SourceReport{"", 0, std::string(512, 'x')}));
}

}  // namespace
}  // namespace logvault::query
