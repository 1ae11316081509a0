// Searches as messages: what this program does not know is refused, wherever the question is answered.
#include "query/messages.h"

#include <gtest/gtest.h>

#include "query/context.h"

namespace logvault::query {
namespace {

v1::SearchRequest Asked() {
  v1::SearchRequest message;
  message.set_expression("sshd");
  message.set_by(v1::SearchRequest::COMMIT);
  message.set_host("geo*");
  message.set_limit(7);
  message.set_until(99);
  return message;
}

TEST(MessagesTest, AQuestionIsReadAsItWasAsked) {
  Result<Request> request = RequestFrom(Asked());
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->scope.by, TimeField::kCommit);
  EXPECT_EQ(request->scope.host_glob, "geo*");
  EXPECT_EQ(request->limit, 7u);
  EXPECT_FALSE(request->scope.since.has_value());
  EXPECT_EQ(request->scope.until, 99);
}

TEST(MessagesTest, WhatANewerClientAsksIsRefusedAndNotAnsweredOtherwise) {
  v1::SearchRequest message = Asked();
  message.set_by(static_cast<v1::SearchRequest::TimeField>(17));
  EXPECT_EQ(RequestFrom(message).status().code(), StatusCode::kInvalidArgument);
  message = Asked();
  message.set_context(kContextMax + 1);
  EXPECT_EQ(RequestFrom(message).status().code(), StatusCode::kInvalidArgument);
  message = Asked();
  message.set_expression("host=");
  EXPECT_EQ(RequestFrom(message).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace logvault::query
