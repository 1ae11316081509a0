#include "cli/resume.h"

#include <algorithm>
#include <string_view>

#include "formats/time_zone.h"

namespace logvault::cli {
namespace {

// Whether `word` is the option: "-s", "--since", "-s7d" or "--since=7d".
bool IsOption(std::string_view word, std::string_view brief, std::string_view whole) {
  if (word == brief || word == whole) return true;
  if (word.starts_with(std::string(whole) + "=")) return true;
  return word.starts_with(brief) && !word.starts_with("--") && word.size() > brief.size();
}

// `words` without --since and --until.  What stands behind `--` is no option.
std::vector<std::string> WithoutWindow(const std::vector<std::string>& words) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      kept.insert(kept.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    const bool since = IsOption(words[i], "-s", "--since");
    const bool until = IsOption(words[i], "-u", "--until");
    if (!since && !until) kept.push_back(words[i]);
    const bool value_follows =
        words[i].size() == 2 || words[i] == "--since" || words[i] == "--until";
    if ((since || until) && value_follows) ++i;
  }
  return kept;
}

// A window by event time also returns what was committed in it and states an earlier time, and that was shown already:
// the expression says so too.
void AddLowerBound(UnixNanos time, bool has_expression, std::vector<std::string>& words) {
  const auto command = std::find(words.begin(), words.end(), "query");
  if (has_expression && command != words.end()) {
    words.insert(command + 1, "(");
    words.emplace_back(")");
  }
  words.push_back("time>=" + formats::FormatUtc(time));
}

}  // namespace

std::string ShellQuoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string ResumeCommand(const std::vector<std::string>& words, const query::Request& request,
                          UnixNanos last) {
  query::Scope scope = request.scope;
  const bool newest_first = request.order == query::Request::Order::kNewestFirst;
  if (newest_first)
    scope.until = std::min(scope.until.value_or(INT64_MAX), last == INT64_MAX ? last : last + 1);
  else
    scope.since = std::max(scope.since.value_or(INT64_MIN), last);
  std::vector<std::string> resumed = WithoutWindow(words);
  if (!newest_first && scope.by == query::TimeField::kEvent)
    AddLowerBound(last, request.expression.root() != nullptr, resumed);
  std::vector<std::string> window;
  if (scope.since) window.insert(window.end(), {"--since", formats::FormatUtc(*scope.since)});
  if (scope.until) window.insert(window.end(), {"--until", formats::FormatUtc(*scope.until)});
  const auto end_of_options = std::find(resumed.begin(), resumed.end(), "--");
  resumed.insert(end_of_options, window.begin(), window.end());
  std::string command = "logvault";
  for (const std::string& word : resumed) command += " " + ShellQuoted(word);
  return command;
}

}  // namespace logvault::cli
