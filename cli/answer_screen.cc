#include "cli/answer_screen.h"

#include <unistd.h>

#include "cli/resume.h"
#include "cli/terminal.h"

namespace logvault::cli {
namespace {

using query::OutputFormat;

query::TextStyle StyleFor(const PreparedQuery& prepared) {
  if (prepared.output != OutputFormat::kText || !ColourSuits(STDOUT_FILENO)) return {};
  return {true, prepared.request.expression};
}

UnixNanos TimeOf(const query::Row& row, query::TimeField by) {
  switch (by) {
    case query::TimeField::kEvent:
      return row.time();
    case query::TimeField::kRead:
      return row.read_time;
    case query::TimeField::kCommit:
      return row.commit_time;
  }
  return row.time();
}

}  // namespace

AnswerScreen::AnswerScreen(Environment& env, const PreparedQuery& prepared)
    : env_(env),
      prepared_(prepared),
      writer_(prepared.output, prepared.zone, StyleFor(prepared)),
      table_(prepared.output, prepared.request.pipeline.columns()) {
  if (prepared_.request.ShowsContext()) writer_.MarkContext();
  env_.out.set_before_write([this] { progress_.Hide(); });
  if (prepared_.output != OutputFormat::kRaw) {
    env_.out.PageLongAnswer([this] {
      progress_.Stop();
      env_.interrupt.YieldToPager();
    });
  }
  if (prepared_.request.count_only) return;
  if (prepared_.request.pipeline.yields_table())
    table_.Begin(env_.out.buffer());
  else
    writer_.Begin(env_.out.buffer());
}

query::AskObserver AnswerScreen::observer() {
  query::AskObserver observer;
  observer.search.on_row = [this](const query::Row& row) { return Show(row); };
  observer.on_table_row = [this](const query::TableRow& row) { return Show(row); };
  observer.search.on_progress = [this](const query::SearchProgress& progress) { Show(progress); };
  return observer;
}

bool AnswerScreen::Show(const query::Row& row) {
  if (!row.context) {
    ++matches_;
    last_time_ = TimeOf(row, prepared_.request.scope.by);
  }
  writer_.Add(row, env_.out.buffer());
  return env_.out.Settle();
}

bool AnswerScreen::Show(const query::TableRow& row) {
  ++table_rows_;
  if (chart_.add) {
    chart_.add(row);
    return true;
  }
  table_.Add(row, env_.out.buffer());
  return env_.out.Settle();
}

void AnswerScreen::Show(const query::SearchProgress& progress) {
  newest_progress_ = progress;
  progress_.Show(progress.blocks_done, progress.blocks_in_scope - progress.blocks_pruned,
                 ", " + std::to_string(progress.blocks_pruned) + " pruned, " +
                     std::to_string(progress.matches) + " found");
  (void)env_.out.Settle();  // a reader that left shows at the next row
}

void AnswerScreen::Finish(Answer& answer) {
  query::Completeness& completeness = answer.completeness;
  if (answer.interrupted) {  // a search that is stopped gives no figures
    const bool counted = prepared_.request.count_only || !prepared_.request.pipeline.empty();
    completeness.matches = counted ? newest_progress_.matches : matches_;
    if (!prepared_.request.pipeline.empty()) completeness.rows = matches_ + table_rows_;
    completeness.blocks_in_scope = newest_progress_.blocks_in_scope;
    completeness.blocks_pruned = newest_progress_.blocks_pruned;
    completeness.blocks_scanned = newest_progress_.blocks_done;
  }
  if (prepared_.request.count_only)
    env_.out.buffer() += std::to_string(completeness.rows.value_or(completeness.matches)) + "\n";
  else if (prepared_.request.pipeline.yields_table())
    chart_.add ? chart_.write(env_.out.buffer()) : table_.End(env_.out.buffer());
  env_.out.Finish();
  env_.out.set_before_write(nullptr);
  progress_.Stop();
  answer.reader_left = env_.out.reader_left();
  if (prepared_.limit_is_default && completeness.limit_reached) {
    const bool newest = prepared_.request.order == query::Request::Order::kNewestFirst;
    Tell("showing the " + std::string(newest ? "newest " : "oldest ") +
         std::to_string(kTerminalLimit) + "; -n 0 shows all, -n N another number");
  }
  TellCompleteness(answer);
  if (answer.interrupted) TellHowToGoOn();
}

void AnswerScreen::TellHowToGoOn() const {
  const query::Request& request = prepared_.request;
  if (!last_time_ || !request.pipeline.empty() || request.order == query::Request::Order::kStream)
    return;
  Tell("to go on: " + ResumeCommand(env_.words, request, *last_time_));
  const bool newest_first = request.order == query::Request::Order::kNewestFirst;
  const bool bounded =
      newest_first ? request.scope.since.has_value() : request.scope.until.has_value();
  if (request.scope.by == query::TimeField::kEvent && bounded)
    Tell(
        "note: it does not look again at what was committed in the part already shown and states a "
        "time outside the "
        "window");
}

}  // namespace logvault::cli
