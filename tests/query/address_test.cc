// Addresses, networks and hashes: what is a whole one, and what merely looks like a part of it.
#include "query/address.h"

#include <gtest/gtest.h>

#include <string>

namespace logvault::query {
namespace {

Network Net(std::string_view text) {
  std::optional<Network> network = Network::Parse(text);
  EXPECT_TRUE(network.has_value()) << text;
  return network.value_or(Network{});
}

TEST(NetworkTest, ParsesAddressesAndCidrsAndNothingElse) {
  for (const char* good : {"0.0.0.0", "255.255.255.255", "10.0.0.0/8", "::", "::1", "fe80::1%eth0",
                           "2001:db8::/32", "1.2.3.4/32", "::ffff:1.2.3.4"}) {
    EXPECT_TRUE(Network::Parse(good).has_value()) << good;
  }
  for (const char* bad :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "01.2.3.4",
        "1.2.3.4x", "::g", ":", "1:2", "12:34:56", "::/129", "1.2.3.4/8/8"}) {
    EXPECT_FALSE(Network::Parse(bad).has_value()) << bad;
  }
  EXPECT_EQ(Net("::ffff:1.2.3.4"), Net("1.2.3.4"));
}

TEST(NetworkTest, ContainsByPrefix) {
  EXPECT_TRUE(Net("10.0.0.0/8").Contains(Net("10.255.0.1")));
  EXPECT_FALSE(Net("10.0.0.0/8").Contains(Net("11.0.0.1")));
  EXPECT_TRUE(Net("192.168.4.0/22").Contains(Net("192.168.7.255")));
  EXPECT_FALSE(Net("192.168.4.0/22").Contains(Net("192.168.8.0")));
  EXPECT_TRUE(Net("0.0.0.0/0").Contains(Net("8.8.8.8")));
  EXPECT_FALSE(Net("0.0.0.0/0").Contains(Net("::1")));
  EXPECT_TRUE(Net("2001:db8::/33").Contains(Net("2001:db8:7fff::1")));
  EXPECT_FALSE(Net("2001:db8::/33").Contains(Net("2001:db8:8000::1")));
}

TEST(EntityTest, AnIpv4AddressIsFoundWholeOnly) {
  for (const char* text :
       {"10.1.1.1", "from 10.1.1.1.", "rhost=10.1.1.1 user", "(10.1.1.1)", "10.1.1.1:443",
        "::ffff:10.1.1.1", "10.1.1.1/24", "x=10.1.1.1,10.1.1.2", "9.9.9.9 10.1.1.1"}) {
    EXPECT_TRUE(HoldsAddressIn(text, Net("10.1.1.1"))) << text;
  }
  for (const char* text :
       {"110.1.1.1", "10.1.1.12", "10.1.1.1.5", "5.10.1.1.1", "10.1.1.1.example.com", "v10.1.1.1",
        "10.1.1.1a", "10.1.1", "10.1.1.01", ""}) {
    EXPECT_FALSE(HoldsAddressIn(text, Net("10.1.1.1"))) << text;
  }
  EXPECT_TRUE(HoldsAddressIn("dst 172.16.9.4 port 22", Net("172.16.0.0/12")));
  EXPECT_FALSE(HoldsAddressIn("version 5.15.0 of 2024.07.11", Net("0.0.0.0/0")));
}

TEST(EntityTest, AnIpv6AddressIsFoundInEverySpelling) {
  for (const char* text : {"fe80::1", "[fe80::1]:22", "FE80:0:0:0:0:0:0:1", "from fe80::1: closed",
                           "fe80::1%eth0", "helo=<[IPv6:fe80::1]>", "ipv6:FE80:0:0:0:0:0:0:1"}) {
    EXPECT_TRUE(HoldsAddressIn(text, Net("fe80::1"))) << text;
  }
  for (const char* text : {"fe80::11", "xfe80::1", "xipv6:fe80::1", "v6:fe80::1", "12:34:56",
                           "00:1a:2b:3c:4d:5e", "std::vector"}) {
    EXPECT_FALSE(HoldsAddressIn(text, Net("fe80::1"))) << text;
  }
}

TEST(EntityTest, AHashIsFoundWholeOnly) {
  const std::string md5 = "0777ea1d01dad6dc261a6b602205e2c8";
  EXPECT_TRUE(LooksLikeHash(md5));
  EXPECT_FALSE(LooksLikeHash(md5.substr(1)));
  EXPECT_FALSE(LooksLikeHash(md5.substr(1) + "g"));
  EXPECT_TRUE(HoldsHash("md5=0777EA1D01DAD6DC261A6B602205E2C8;", md5));
  EXPECT_FALSE(HoldsHash("a" + md5, md5));
  EXPECT_FALSE(HoldsHash(md5 + "00000000", md5)) << "the start of a SHA-1 is no MD5";
  EXPECT_TRUE(HoldsHash("a" + md5 + " " + md5, md5)) << "a later one counts";
}

}  // namespace
}  // namespace logvault::query
