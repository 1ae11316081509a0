// `logvault timeline`: matches counted by stretches of time, with bars on a terminal; where the vault cannot know, it shows
// that and no zero.  The counting is the pipe `timeline` (query/timeline.h), remote and offline.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cli/answer_screen.h"
#include "cli/ask_vault.h"
#include "cli/command.h"
#include "cli/query_options.h"
#include "cli/terminal.h"
#include "formats/time_zone.h"
#include "query/expression.h"

namespace logvault::cli {
namespace {

constexpr std::size_t kBarWidthMax = 60;
constexpr std::string_view kBlock = "\u2588";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kBarColour = "\x1b[36m";
constexpr std::string_view kWarningColour = "\x1b[33m";

struct TimelineOptions {
  QueryOptions query;
  std::string every;
  std::string by_field;
};

// One line of the chart.
struct Bar {
  std::string time, value, coverage;
  std::uint64_t count = 0;
};

// The chart that a terminal gets, once all counts are there: bars are as long as the longest allows.
class Chart {
 public:
  explicit Chart(bool split) : split_(split) {}

  void Add(const query::TableRow& row) {
    std::size_t i = 0;
    Bar bar;
    bar.time = row.at(i++).text;
    if (split_) bar.value = query::EscapeForTerminal(row.at(i++).text);
    const std::string& count = row.at(i++).text;
    std::from_chars(count.data(), count.data() + count.size(), bar.count);
    bar.coverage = row.at(i++).text;
    bars_.push_back(std::move(bar));
  }

  void Write(std::size_t columns, bool colour, std::string& out) const {
    std::size_t time_width = 0, value_width = 0, count_width = 1;
    std::uint64_t most = 1;
    for (const Bar& bar : bars_) {
      time_width = std::max(time_width, bar.time.size());
      value_width = std::max(value_width, bar.value.size());
      count_width = std::max(count_width, std::to_string(bar.count).size());
      most = std::max(most, bar.count);
    }
    const std::size_t taken = time_width + (split_ ? value_width + 2 : 0) + count_width + 6;
    const std::size_t room =
        std::clamp<std::size_t>(columns > taken ? columns - taken : 10, 10, kBarWidthMax);
    for (const Bar& bar : bars_) {
      out += bar.time + std::string(time_width - bar.time.size() + 2, ' ');
      if (split_) out += bar.value + std::string(value_width - bar.value.size() + 2, ' ');
      const std::string count = CountOf(bar);
      out += std::string(count_width + 1 - std::min(count_width + 1, count.size()), ' ') + count +
             "  ";
      AppendBar(bar, Length(bar.count, most, room), colour, out);
      out += '\n';
    }
  }

 private:
  // A zero is shown where it is one; a count in a gap is a least.
  static std::string CountOf(const Bar& bar) {
    const bool known = bar.coverage == "ok";
    if (bar.count == 0 && !known) return bar.coverage == "none" ? "- " : "? ";
    return std::to_string(bar.count) + (known || bar.coverage == "none" ? " " : "?");
  }

  static std::string_view NoteOf(const Bar& bar) {
    if (bar.coverage == "gap") return "gap: records of this time are missing";
    if (bar.coverage == "silent") return "gap: a host in scope was silent";
    if (bar.coverage == "none" && bar.count == 0) return "nothing was committed for this time";
    return "";
  }

  // At least one block for what is there at all.
  static std::size_t Length(std::uint64_t count, std::uint64_t most, std::size_t room) {
    if (count == 0) return 0;
    const double share = static_cast<double>(count) / static_cast<double>(most);
    return std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(room)));
  }

  static void AppendBar(const Bar& bar, std::size_t length, bool colour, std::string& out) {
    if (colour && length > 0) out += kBarColour;
    for (std::size_t i = 0; i < length; ++i) out += TerminalShowsUtf8() ? kBlock : "#";
    if (colour && length > 0) out += kPlain;
    const std::string_view note = NoteOf(bar);
    if (note.empty()) return;
    if (length > 0) out += ' ';
    if (colour) out += kWarningColour;
    out += note;
    if (colour) out += kPlain;
  }

  const bool split_;
  std::vector<Bar> bars_;
};

Status CheckFlags(const TimelineOptions& options) {
  const bool counted =
      options.every.size() > 1 && std::all_of(options.every.begin(), options.every.end() - 1,
                                              [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!counted || std::string_view("smhd").find(options.every.back()) == std::string_view::npos) {
    return InvalidArgument("--every: '" + options.every +
                           "' is no length of time: a number and s, m, h or d, as in 15m");
  }
  if (!options.query.zone.empty()) {
    const Result<formats::TimeZone> zone = formats::TimeZone::Load(options.query.zone);
    if (!zone.ok()) return InvalidArgument("--tz: " + zone.status().message());
  }
  if (options.by_field.empty() || query::IsFieldName(options.by_field)) return Status::Ok();
  const std::string_view near = query::NearestFieldName(options.by_field);
  return InvalidArgument("--by-field: unknown field '" + options.by_field + "'" +
                         (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?"));
}

ExitCode RunTimeline(const TimelineOptions& options, Environment& env) {
  const Status fine = CheckFlags(options);
  if (!fine.ok()) return Fail(fine);
  QueryOptions asked = options.query;
  asked.limit = 0;
  asked.expressions.push_back("| timeline " + options.every +
                              (options.by_field.empty() ? "" : " by " + options.by_field) +
                              (options.query.zone.empty() ? "" : " in " + options.query.zone));
  Result<PreparedQuery> prepared = Prepare(asked, env.clock.Now(), env.out.is_terminal());
  if (!prepared.ok()) return Fail(prepared.status());
  AnswerScreen screen(env, *prepared);
  Chart chart(!options.by_field.empty());
  if (env.out.is_terminal() && prepared->output == query::OutputFormat::kText) {
    screen.DrawTableAs({[&chart](const query::TableRow& row) { chart.Add(row); },
                        [&chart](std::string& out) {
                          chart.Write(SizeOf(STDOUT_FILENO).columns, ColourSuits(STDOUT_FILENO),
                                      out);
                        }});
  }
  Result<Answer> answer = AskVault(env, *prepared, screen.observer());
  if (!answer.ok()) return Fail(answer.status());
  screen.Finish(*answer);
  return ExitCodeOf(*answer);
}

constexpr std::string_view kNotes =
    R"(Each line is a stretch of time, the matches in it, and whether the vault can know: "ok"; "gap", where records of a stream in
scope are missing; "silent", where a host in scope was not heard (a count there is a least, shown with ?); "none", where
nothing was committed for that time.  A zero is a zero only under "ok".

Examples:
  logvault timeline 'failed or denied' --every 1h --since 7d
  logvault timeline -H geo01 -S access --every 10m --by-field http.status --since 2024-07-11 --until 2024-07-12
  logvault timeline --every 1d --tz Europe/Berlin -o csv > days.csv
)";

}  // namespace

Action DefineTimeline(CLI::App& command) {
  auto options = std::make_shared<TimelineOptions>();
  command
      .add_option("EXPR", options->query.expressions,
                  "what to count; several are joined by blanks; none: everything")
      ->type_name("");
  command.add_option("--every", options->every, "the length of a stretch: 30s, 15m, 1h, 1d")
      ->required()
      ->type_name("LENGTH");
  command.add_option("--by-field", options->by_field, "count each value of this field by itself")
      ->type_name("FIELD");
  AddScopeOptions(command, options->query);
  command.add_option("-o,--output", options->query.output, "text (default), json or csv")
      ->type_name("text|json|csv")
      ->check(CLI::IsMember({"text", "json", "csv"}).description(""));
  command.add_flag("--no-index", options->query.no_index, "read every block in scope");
  command.add_flag("--strict", options->query.strict,
                   "recompute the tree and every record's leaf; trust no index");
  command
      .add_option("--tz", options->query.zone,
                  "time zone of T, and in which days and hours begin (default UTC)")
      ->type_name("ZONE");
  command.footer(std::string(kNotes));
  return [options](Environment& env) { return RunTimeline(*options, env); };
}

}  // namespace logvault::cli
