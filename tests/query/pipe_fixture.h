// A question with pipes asked of a small vault, and its answer in few words.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "query/ask.h"
#include "tests/query/search_fixture.h"

namespace logvault::query {

// "a|-|[b;c]" of one row.
inline std::string Shown(const TableRow& row) {
  std::string shown;
  for (const Value& value : row) {
    if (!shown.empty()) shown += '|';
    if (value.kind == Value::Kind::kNone) shown += '-';
    if (value.kind == Value::Kind::kList) shown += '[';
    std::string texts;
    ForEachText(value, [&texts](std::string_view text) {
      texts += (texts.empty() ? "" : ";") + std::string(text);
    });
    shown += texts;
    if (value.kind == Value::Kind::kList) shown += ']';
  }
  return shown;
}

struct Answered {
  Status status;
  std::vector<std::string> rows;  // of a table, or "HOST/SOURCE/SEQ" of records
  Completeness completeness;
};

class PipeTest : public SearchTest {
 protected:
  Answered Answer(std::string_view text, const std::function<void(Request&)>& change = nullptr) {
    Answered answered;
    Result<Query> query = Query::Parse(text);
    if (!query.ok()) return {query.status(), {}, {}};
    Request request;
    request.expression = query->expression;
    request.pipeline = query->pipeline;
    if (change) change(request);
    AskObserver observer;
    observer.search.on_row = [&](const Row& row) {
      answered.rows.push_back(std::string(row.host) + "/" + std::string(row.source) + "/" +
                              std::to_string(row.seq));
      return true;
    };
    observer.on_table_row = [&](const TableRow& row) {
      answered.rows.push_back(Shown(row));
      return true;
    };
    Result<Completeness> completeness = query::Ask(vault_->reader(), request, observer, {});
    answered.status = completeness.status();
    if (completeness.ok()) answered.completeness = *std::move(completeness);
    return answered;
  }
  std::vector<std::string> Rows(std::string_view text) {
    Answered answered = Answer(text);
    EXPECT_TRUE(answered.status.ok()) << text << ": " << answered.status;
    return answered.rows;
  }
  std::string Refused(std::string_view text) { return Answer(text).status.message(); }

  static Record At(int seconds, const std::string& bytes) {
    return {bytes + "\n", seconds * kNanosPerSecond, seconds * kNanosPerSecond};
  }
};

}  // namespace logvault::query
