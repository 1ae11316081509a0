// issued.txt: what was issued reads back, and a damaged list is never used.
#include "pki/issued_list.h"

#include <gtest/gtest.h>

namespace logvault::pki {
namespace {

constexpr UnixNanos kNoon = 1'795'003'200 * kNanosPerSecond;

std::string Error(std::string_view text) { return IssuedList::Parse(text).status().message(); }

TEST(IssuedListTest, WhatIsWrittenReadsBack) {
  IssuedList list;
  list.certificates.push_back({"40a1", Role::kForwarder, "geo01", kNoon, std::nullopt});
  list.certificates.push_back({"7fff", Role::kAdmin, "ann", kNoon, kNoon - 60 * kNanosPerSecond});
  EXPECT_EQ(list.ToString(),
            "# serial role name not_after revoked_at\n"
            "40a1 forwarder geo01 2026-11-18T12:00:00Z -\n"
            "7fff admin ann 2026-11-18T12:00:00Z 2026-11-18T11:59:00Z\n");
  EXPECT_EQ(*IssuedList::Parse(list.ToString()), list);
  EXPECT_EQ(*IssuedList::Parse(""), IssuedList());
}

TEST(IssuedListTest, ADamagedLineIsNamed) {
  const std::string good = "40a1 forwarder geo01 2026-11-18T12:00:00Z -\n";
  for (const std::string& bad : {std::string("40a1 forwarder geo01 2026-11-18T12:00:00Z\n"),
                                 std::string("x forwarder geo01 2026-11-18T12:00:00Z -\n"),
                                 std::string("40a1 root geo01 2026-11-18T12:00:00Z -\n"),
                                 std::string("40a1 forwarder GEO 2026-11-18T12:00:00Z -\n"),
                                 std::string("40a1 forwarder geo01 2026-02-30T12:00:00Z -\n"),
                                 std::string("40a1 forwarder geo01 2026-11-18 -\n"),
                                 std::string("40a1 forwarder geo01 2026-11-18T12:00:00Z no\n"),
                                 std::string("40a1 forwarder geo01 2026-11-18T12:00:00Z - -\n")}) {
    EXPECT_EQ(Error(good + bad), "line 2 is not SERIAL ROLE NAME NOT_AFTER REVOKED_AT") << bad;
  }
  EXPECT_EQ(Error(good + "40a1 forwarder"), "the last line is not whole");
}

}  // namespace
}  // namespace logvault::pki
