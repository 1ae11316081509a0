// Lists from files: what a file becomes in the query, and what cannot become one.
#include "cli/file_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace logvault::cli {
namespace {

using ::testing::HasSubstr;

class FileListTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  std::string Write(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    return path_;
  }
  // The query as it is sent, or why there is none.
  static std::string Sent(const std::string& text) {
    Result<query::Query> query = QueryWithFileLists(text);
    return query.ok() ? query->text() : query.status().message();
  }

  const std::string path_ = ::testing::TempDir() + "/indicators." + std::to_string(::getpid());
};

TEST_F(FileListTest, OneValueALine) {
  const Result<std::string> list = ListOf(
      "\xEF\xBB\xBF# from a report\n10.0.0.0/8\r\n\n  *.example.com \nC:\\a b\n\"x\"\n1.2.3.4");
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(*list, "(10.0.0.0/8, *.example.com, \"C:\\\\a b\", \"\\\"x\\\"\", 1.2.3.4)");
  EXPECT_FALSE(ListOf("# nothing\n\n").ok());
}

TEST_F(FileListTest, TheListIsPutIntoTheQuery) {
  const std::string path = Write("1.2.3.4\nfe80::1\n");
  EXPECT_EQ(Sent("a src.ip in @" + path + " b | limit 3"),
            "a src.ip in (1.2.3.4, fe80::1) b | limit 3");
  EXPECT_EQ(Sent("src.ip in @\"" + path + "\" or dst.ip in @" + path),
            "src.ip in (1.2.3.4, fe80::1) or dst.ip in (1.2.3.4, fe80::1)");
  EXPECT_EQ(Sent("| where user in @" + path), "| where user in (1.2.3.4, fe80::1)");
  // Not behind `field in`: a word like any other.
  EXPECT_EQ(Sent("in @" + path), "in @" + path);
}

TEST_F(FileListTest, WhatIsWrongIsSaid) {
  EXPECT_THAT(Sent("hots=a src.ip in @x"), HasSubstr("column 1: unknown field"));
  EXPECT_THAT(Sent("src.ip in @"), HasSubstr("column 12: the name of a file must follow"));
  EXPECT_THAT(Sent("src.ip in @" + path_), HasSubstr(path_));
  EXPECT_THAT(Sent("src.ip in @" + Write("# none\n")), HasSubstr("holds no value"));
  EXPECT_THAT(Sent("src.ip in @" + Write("1.2.3.4/99\n")), HasSubstr("is no network"));
}

TEST_F(FileListTest, FiveThousandIndicators) {
  std::string content;
  for (int i = 0; i < 5000; ++i)
    content += "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".7\n";
  Result<query::Query> query = QueryWithFileLists("src.ip in @" + Write(content));
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->expression.root()->patterns.size(), 5000U);
}

}  // namespace
}  // namespace logvault::cli
