// Identities: one spelling each, and nothing else is one.
#include "pki/identity.h"

#include <gtest/gtest.h>

namespace logvault::pki {
namespace {

TEST(IdentityTest, EveryRoleReadsBack) {
  for (Role role : {Role::kCollector, Role::kForwarder, Role::kInvestigator, Role::kAdmin}) {
    const Identity identity{"lab-vault", role, "geo01.dmz"};
    Result<Identity> parsed = Identity::Parse(identity.ToString());
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, identity);
    EXPECT_EQ(*ParseRole(ToString(role)), role);
  }
  EXPECT_EQ((Identity{"v", Role::kForwarder, "h"}).ToString(), "spiffe://v/forwarder/h");
}

TEST(IdentityTest, AnythingElseIsNone) {
  for (std::string_view uri : {"",
                               "spiffe://",
                               "spiffe://v",
                               "spiffe://v/forwarder",
                               "spiffe://v/forwarder/",
                               "spiffe:///forwarder/h",
                               "spiffe://v//h",
                               "spiffe://v/forwarder/h/",
                               "spiffe://v/forwarder/h/x",
                               "spiffe://v/forwarder/h?x",
                               "spiffe://v/forwarder/h#x",
                               "spiffe://v:1/forwarder/h",
                               "spiffe://u@v/forwarder/h",
                               "SPIFFE://v/forwarder/h",
                               "spiffe://V/forwarder/h",
                               "spiffe://v/Forwarder/h",
                               "spiffe://v/forwarder/H",
                               "spiffe://v/root/h",
                               "spiffe://v/forwarder/%68",
                               "spiffe://v/forwarder/..",
                               "http://v/forwarder/h",
                               " spiffe://v/forwarder/h",
                               "spiffe://v/forwarder/h "}) {
    EXPECT_EQ(Identity::Parse(uri).status().code(), StatusCode::kInvalidArgument) << uri;
  }
  EXPECT_FALSE(Identity::Parse(std::string_view("spiffe://v/forwarder/h\0", 23)).ok());
  EXPECT_FALSE(Identity::Parse("spiffe://v/forwarder/" + std::string(64, 'h')).ok());
  EXPECT_TRUE(Identity::Parse("spiffe://v/forwarder/" + std::string(63, 'h')).ok());
}

TEST(IdentityTest, AnUnknownRoleIsToldTheKnownOnes) {
  EXPECT_EQ(ParseRole("root").status(),
            InvalidArgument("'root' is no role: collector, forwarder, investigator or admin"));
}

}  // namespace
}  // namespace logvault::pki
