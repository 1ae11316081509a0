// AnswerScreen: a search's answer as it arrives.  Rows go to standard output, on a terminal with colour and through the
// pager where they do not fit; progress goes to a terminal's standard error; and the end says how complete the answer is
// and, where the user stopped it, how to go on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/query_options.h"
#include "query/ask.h"
#include "query/output.h"
#include "query/table_output.h"

namespace logvault::cli {

// Both outlive it.
class AnswerScreen {
 public:
  AnswerScreen(Environment& env, const PreparedQuery& prepared);

  // Rows of a table go to `add`, and what `write` makes of all of them stands in their place.
  struct Chart {
    std::function<void(const query::TableRow&)> add;
    std::function<void(std::string& out)> write;
  };
  void DrawTableAs(Chart chart) { chart_ = std::move(chart); }

  // What a search calls; lives no longer than this.
  [[nodiscard]] query::AskObserver observer();
  // The last rows or the count, and then, on standard error, the end of `answer`.
  void Finish(Answer& answer);

 private:
  bool Show(const query::Row& row);
  bool Show(const query::TableRow& row);
  void Show(const query::SearchProgress& progress);
  void TellHowToGoOn() const;

  Environment& env_;
  const PreparedQuery& prepared_;
  query::RowWriter writer_;
  query::TableWriter table_;  // of a query whose pipes give a table
  Chart chart_;               // empty: none
  Progress progress_{"blocks"};
  query::SearchProgress newest_progress_;
  std::uint64_t matches_ = 0;           // shown
  std::uint64_t table_rows_ = 0;        // shown
  std::optional<UnixNanos> last_time_;  // of the last row, by the request's time field
};

}  // namespace logvault::cli
