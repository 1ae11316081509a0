// The parser of pipes.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "query/context.h"
#include "query/pipeline.h"

namespace logvault::query {
namespace {

using Kind = Pipe::Kind;
using Function = Aggregate::Function;

constexpr std::uint64_t kTopDefault = 10;

constexpr std::array<std::pair<std::string_view, Kind>, 12> kPipes = {{
    {"fields", Kind::kFields},
    {"stats", Kind::kStats},
    {"top", Kind::kTop},
    {"rare", Kind::kRare},
    {"first-seen", Kind::kFirstSeen},
    {"sort", Kind::kSort},
    {"limit", Kind::kLimit},
    {"timeline", Kind::kTimeline},
    {"context", Kind::kContext},
    {"where", Kind::kWhere},
    {"uniq", Kind::kUniq},
    {"events", Kind::kEvents},
}};

struct NamedFunction {
  std::string_view name;
  Function function;
};
constexpr std::array<NamedFunction, 10> kFunctions = {{
    {"count", Function::kCount},
    {"uniq", Function::kUniq},
    {"dc", Function::kUniq},
    {"min", Function::kMin},
    {"max", Function::kMax},
    {"sum", Function::kSum},
    {"avg", Function::kAvg},
    {"first", Function::kFirst},
    {"last", Function::kLast},
    {"values", Function::kValues},
}};

template <typename Table>
std::vector<std::string> NamesOf(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) {
    const auto& [name, what] = entry;
    names.emplace_back(name);
  }
  return names;
}

std::string Listed(const std::vector<std::string>& names) {
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : " ") + name;
  return listed;
}

bool IsTime(std::string_view field) {
  return field == "time" || field == "read_time" || field == "commit_time";
}

// "90s" "15m" "1h" "7d" in ns; nullopt for anything else.
std::optional<UnixNanos> ParseLength(std::string_view text) {
  static constexpr std::array<std::pair<char, UnixNanos>, 4> kUnits = {
      {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};
  constexpr UnixNanos kDaysMax = 3660;
  UnixNanos number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number <= 0 || end + 1 != text.data() + text.size())
    return std::nullopt;
  for (const auto& [unit, seconds] : kUnits) {
    if (unit == *end && number <= kDaysMax * 86400 / seconds)
      return number * seconds * kNanosPerSecond;
  }
  return std::nullopt;
}

class PipeParser {
 public:
  PipeParser(TextReader& in, const ParseRules& rules) : in_(in), rules_(rules) {}

  // REQUIRES: the reader is at a `|`.
  Result<Pipe> Next(const Pipe* before) {
    pipe_ = {};
    first_ = before == nullptr;
    if (before != nullptr) {
      pipe_.input = before->output;
      pipe_.input_columns = before->columns;
    }
    pipe_.output = pipe_.input;
    pipe_.columns = pipe_.input_columns;
    in_.MoveTo(in_.at() + 1);
    in_.SkipBlanks();
    const std::size_t where = in_.at();
    LV_RETURN_IF_ERROR(ReadKind());
    LV_RETURN_IF_ERROR(ReadArguments(where));
    in_.SkipBlanks();
    if (in_.AtEnd() || in_.Peek() == '|') return std::move(pipe_);
    return in_.Error("this pipe should have ended here; the next one follows a |");
  }

 private:
  Status ReadKind() {
    const std::size_t begin = in_.at();
    const std::string name(in_.TakeName());
    for (const auto& [known, kind] : kPipes) {
      if (!EqualFolded(name, known)) continue;
      pipe_.kind = kind;
      return Status::Ok();
    }
    const std::vector<std::string> names = NamesOf(kPipes);
    const std::string nearest(NearestName(name, names));
    if (!nearest.empty())
      return in_.Error(begin, "there is no pipe '" + name + "'; did you mean '" + nearest + "'?");
    return in_.Error(begin, "a pipe is one of: " + Listed(names) +
                                "; to search for the character |, quote it: \"|\"");
  }

  Status ReadArguments(std::size_t where) {
    switch (pipe_.kind) {
      case Kind::kFields:
        return ReadFields();
      case Kind::kStats:
        return ReadStats();
      case Kind::kTop:
      case Kind::kRare:
        return ReadTop();
      case Kind::kFirstSeen:
        return ReadFirstSeen(where);
      case Kind::kUniq:
        return ReadUniq();
      case Kind::kSort:
        return ReadSort();
      case Kind::kLimit:
        return ReadCount(kMaxPipeLimit);
      case Kind::kTimeline:
        return ReadTimeline(where);
      case Kind::kContext:
        return ReadContext(where);
      case Kind::kWhere:
        return ReadWhere();
      case Kind::kEvents:
        return ReadEvents(where);
    }
    return Status::Ok();
  }

  // A field of a record or an event, or a column of the table.
  Result<std::string> ReadName(std::string_view what) {
    in_.SkipBlanks();
    const std::size_t begin = in_.at();
    const std::string name(in_.TakeName());
    if (name.empty())
      return in_.Error(begin, "the name of a " + std::string(what) + " is missing here");
    ParseRules rules = rules_;
    rules.columns = pipe_.input == Shape::kTable ? &pipe_.input_columns : nullptr;
    if (Status known = CheckName(in_, rules, name, begin); !known.ok()) return known;
    return name;
  }

  Status ReadNames() {
    do {
      Result<std::string> name = ReadName("field");
      if (!name.ok()) return name.status();
      pipe_.names.push_back(*std::move(name));
    } while (in_.TakeChar(','));
    return Limited(pipe_.names.size());
  }

  [[nodiscard]] Status Limited(std::size_t names) const {
    if (names <= kMaxPipeNames) return Status::Ok();
    return in_.Error("a pipe may have " + std::to_string(kMaxPipeNames) + " names");
  }

  // Makes the output a table of these columns.
  Status Columns(std::vector<std::string> columns) {
    std::vector<std::string> sorted = columns;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end())
      return in_.Error("two columns would be named '" + *twice + "'; name one with: as NAME");
    pipe_.output = Shape::kTable;
    pipe_.columns = std::move(columns);
    return Status::Ok();
  }

  Status ReadFields() {
    LV_RETURN_IF_ERROR(ReadNames());
    return Columns(pipe_.names);
  }

  Status ReadUniq() {
    LV_RETURN_IF_ERROR(ReadNames());
    return Columns(pipe_.names);
  }

  Status ReadTop() {
    pipe_.count = kTopDefault;
    in_.SkipBlanks();
    if (in_.Peek() >= '0' && in_.Peek() <= '9') LV_RETURN_IF_ERROR(ReadCount(kMaxPipeLimit));
    LV_RETURN_IF_ERROR(ReadNames());
    std::vector<std::string> columns = pipe_.names;
    columns.emplace_back("count");
    return Columns(std::move(columns));
  }

  Status ReadFirstSeen(std::size_t where) {
    LV_RETURN_IF_ERROR(NeedsTimes(where, "first-seen"));
    LV_RETURN_IF_ERROR(ReadNames());
    std::vector<std::string> columns = {"first_time"};
    columns.insert(columns.end(), pipe_.names.begin(), pipe_.names.end());
    for (const char* rest : {"count", "first_host", "first_source", "first_seq"})
      columns.emplace_back(rest);
    return Columns(std::move(columns));
  }

  [[nodiscard]] Status NeedsTimes(std::size_t where, const std::string& name) const {
    if (pipe_.input != Shape::kTable) return Status::Ok();
    return in_.Error(where,
                     name + " needs records, and the pipe before it gives a table; put it first");
  }

  Status ReadCount(std::uint64_t max) {
    in_.SkipBlanks();
    const std::size_t begin = in_.at();
    const std::string_view word = in_.WordHere();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word.empty() || error != std::errc() || end != word.data() + word.size() || number == 0 ||
        number > max) {
      return in_.Error(begin, "a number from 1 to " + std::to_string(max) + " belongs here");
    }
    in_.MoveTo(begin + word.size());
    pipe_.count = number;
    return Status::Ok();
  }

  Status ReadSort() {
    TakeKeyword("by");
    do {
      Result<std::string> name = ReadName("column");
      if (!name.ok()) return name.status();
      SortKey key{*std::move(name), TakeKeyword("desc")};
      if (!key.descending) TakeKeyword("asc");
      pipe_.sort_keys.push_back(std::move(key));
    } while (in_.TakeChar(','));
    return Limited(pipe_.sort_keys.size());
  }

  // Takes `keyword` where it stands; a comma or a parenthesis may follow without a blank.
  bool TakeKeyword(std::string_view keyword) {
    in_.SkipBlanks();
    const std::size_t begin = in_.at();
    if (EqualFolded(in_.TakeName(), keyword)) return true;
    in_.MoveTo(begin);
    return false;
  }

  Result<UnixNanos> ReadLength() {
    in_.SkipBlanks();
    const std::size_t begin = in_.at();
    std::string_view word = in_.WordHere();
    word = word.substr(0, word.find(','));
    const std::optional<UnixNanos> length = ParseLength(word);
    if (!length)
      return in_.Error(begin,
                       "the length of time is missing: a number and s, m, h or d, as in 15m");
    in_.MoveTo(begin + word.size());
    return *length;
  }

  Status ReadTimeline(std::size_t where) {
    LV_RETURN_IF_ERROR(NeedsTimes(where, "timeline"));
    Result<UnixNanos> every = ReadLength();
    if (!every.ok()) return every.status();
    pipe_.keys.push_back({"time", *every});
    std::vector<std::string> columns = {"time"};
    if (TakeKeyword("by")) {
      Result<std::string> name = ReadName("field");
      if (!name.ok()) return name.status();
      columns.push_back(*name);
      pipe_.keys.push_back({*std::move(name), 0});
    }
    if (TakeKeyword("in")) LV_RETURN_IF_ERROR(ReadZone());
    columns.emplace_back("count");
    columns.emplace_back("coverage");
    return Columns(std::move(columns));
  }

  Status ReadZone() {
    in_.SkipBlanks();
    const std::size_t begin = in_.at();
    if (in_.AtEnd() || in_.Peek() == '|')
      return in_.Error("a time zone is missing here, as in: in Asia/Tokyo");
    Result<Word> name = in_.ReadWord(false);
    if (!name.ok()) return name.status();
    Result<formats::TimeZone> zone = formats::TimeZone::Load(name->text);
    if (!zone.ok()) return in_.Error(begin, zone.status().message());
    pipe_.zone = *zone;
    return Status::Ok();
  }

  Status ReadContext(std::size_t where) {
    if (pipe_.input != Shape::kRecords || !first_) {
      return in_.Error(
          where,
          "context finds the neighbours of what the expression matches: it must be the first pipe");
    }
    return ReadCount(kContextMax);
  }

  Status ReadEvents(std::size_t where) {
    if (pipe_.input != Shape::kRecords || !first_) {
      return in_.Error(
          where, "events joins the records that the expression matches: it must be the first pipe");
    }
    pipe_.output = Shape::kEvents;
    pipe_.columns = EventColumns();
    return Status::Ok();
  }

  Status ReadWhere() {
    ParseRules rules = rules_;
    rules.columns = pipe_.input == Shape::kTable ? &pipe_.input_columns : nullptr;
    rules.behind_pipe = true;
    in_.SkipBlanks();
    if (in_.AtEnd() || in_.Peek() == '|') return in_.Error("an expression is missing here");
    Result<Expression> where = ParseExpression(in_, rules);
    if (!where.ok()) return where.status();
    pipe_.where = *std::move(where);
    return Status::Ok();
  }

  Status ReadStats() {
    do {
      LV_RETURN_IF_ERROR(ReadAggregate());
    } while (in_.TakeChar(','));
    if (TakeKeyword("by")) LV_RETURN_IF_ERROR(ReadKeys());
    LV_RETURN_IF_ERROR(Limited(pipe_.aggregates.size() + pipe_.keys.size()));
    std::vector<std::string> columns;
    for (const GroupKey& key : pipe_.keys) columns.push_back(key.field);
    for (const Aggregate& aggregate : pipe_.aggregates) columns.push_back(aggregate.column);
    return Columns(std::move(columns));
  }

  Status ReadAggregate() {
    in_.SkipBlanks();
    const std::size_t begin = in_.at();
    const std::string name(in_.TakeName());
    const auto* known =
        std::find_if(kFunctions.begin(), kFunctions.end(),
                     [&name](const NamedFunction& f) { return EqualFolded(f.name, name); });
    if (known == kFunctions.end()) {
      return in_.Error(begin, "a function is one of: " + Listed(NamesOf(kFunctions)) +
                                  "; as in stats count() by (host)");
    }
    Aggregate aggregate;
    aggregate.function = known->function;
    if (!in_.TakeChar('(')) return in_.Error("'(' must follow " + name);
    in_.SkipBlanks();
    if (in_.Peek() != ')') {
      Result<std::string> field = ReadName("field");
      if (!field.ok()) return field.status();
      aggregate.field = *std::move(field);
    } else if (aggregate.function != Function::kCount) {
      return in_.Error(name + " needs a field: " + name + "(src.ip)");
    }
    if (!in_.TakeChar(')')) return in_.Error("')' is missing here");
    aggregate.column =
        aggregate.field.empty() ? "count" : std::string(known->name) + "_" + aggregate.field;
    if (TakeKeyword("as")) LV_RETURN_IF_ERROR(ReadAlias(aggregate.column));
    pipe_.aggregates.push_back(std::move(aggregate));
    return Status::Ok();
  }

  Status ReadAlias(std::string& column) {
    in_.SkipBlanks();
    column = std::string(in_.TakeName());
    return column.empty() ? in_.Error("a column's name must follow 'as': letters, digits, _ . -")
                          : Status::Ok();
  }

  // "(host, time:1h)", or without parentheses.
  Status ReadKeys() {
    const bool parenthesised = in_.TakeChar('(');
    do {
      Result<std::string> name = ReadName("field");
      if (!name.ok()) return name.status();
      GroupKey key{*std::move(name), 0};
      if (in_.TakeChar(':')) {
        if (!IsTime(key.field) || pipe_.input == Shape::kTable) {
          return in_.Error(
              "only time, read_time and commit_time of records are cut into lengths: by (time:1h)");
        }
        Result<UnixNanos> length = ReadLength();
        if (!length.ok()) return length.status();
        key.bucket = *length;
      }
      pipe_.keys.push_back(std::move(key));
    } while (in_.TakeChar(','));
    if (parenthesised && !in_.TakeChar(')')) return in_.Error("')' is missing here");
    return Status::Ok();
  }

  TextReader& in_;
  ParseRules rules_;
  Pipe pipe_;

  bool first_ = true;  // no pipe stands before
};

}  // namespace

Result<Pipeline> ParsePipeline(TextReader& in, const ParseRules& rules) {
  Pipeline pipeline;
  in.SkipBlanks();
  const std::size_t begin = in.at();
  PipeParser parser(in, rules);
  while (!in.AtEnd()) {
    if (pipeline.pipes_.size() == kMaxPipes)
      return in.Error("more than " + std::to_string(kMaxPipes) + " pipes");
    Result<Pipe> pipe = parser.Next(pipeline.empty() ? nullptr : &pipeline.pipes_.back());
    if (!pipe.ok()) return pipe.status();
    pipeline.pipes_.push_back(*std::move(pipe));
  }
  pipeline.text_ = std::string(in.text().substr(begin, in.at() - begin));
  return pipeline;
}

const std::vector<std::string>& Pipeline::columns() const {
  static const std::vector<std::string> kNone;
  return empty() ? kNone : pipes_.back().columns;
}

const std::vector<std::string>& EventColumns() {
  static const std::vector<std::string> kColumns = {
      "time", "host", "source", "serial", "type", "syscall", "success", "user",
      "pid",  "exe",  "cmd",    "cwd",    "file", "dst.ip",  "key",     "seq"};
  return kColumns;
}

Status CheckQueryBytes(const TextReader& in) {
  if (in.text().size() <= kMaxExpressionBytes) return Status::Ok();
  return in.Error("an expression may have " + std::to_string(kMaxExpressionBytes) + " bytes");
}

Result<Query> ParseQuery(TextReader& in, const ParseRules& rules) {
  Result<Expression> expression = ParseExpression(in, rules);
  if (!expression.ok()) return expression.status();
  Result<Pipeline> pipeline = ParsePipeline(in, rules);
  if (!pipeline.ok()) return pipeline.status();
  return Query{*std::move(expression), *std::move(pipeline)};
}

Result<Query> Query::Parse(std::string_view text, std::vector<FileList>* file_lists) {
  TextReader in(text);
  LV_RETURN_IF_ERROR(CheckQueryBytes(in));
  ParseRules rules;
  rules.file_lists = file_lists;
  return ParseQuery(in, rules);
}

std::string Query::text() const {
  if (pipeline.empty()) return expression.text();
  return expression.text().empty() ? pipeline.text() : expression.text() + " " + pipeline.text();
}

}  // namespace logvault::query
