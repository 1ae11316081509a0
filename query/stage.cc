#include "query/stage.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "formats/time_zone.h"

namespace logvault::query {
namespace {

constexpr std::size_t kValueOverheadBytes = 64;

Status Combine(const std::vector<std::vector<std::string>>& values, std::size_t at, TableRow& row,
               const std::function<Status(TableRow)>& visit) {
  if (at == values.size()) return visit(row);
  if (values[at].empty()) {
    row[at] = {};
    return Combine(values, at + 1, row, visit);
  }
  for (const std::string& value : values[at]) {
    row[at] = Value::Text(value);
    LV_RETURN_IF_ERROR(Combine(values, at + 1, row, visit));
  }
  return Status::Ok();
}

// Whoever writes logs can write such a record: it is named, so that the question can be asked without it.
Status TooManyCombinations(const Tuple& tuple) {
  const std::string what = " has more than " + std::to_string(kCombinationsMax) +
                           " combinations of values under the names of a pipe; name fewer";
  if (tuple.subject == nullptr) return InvalidArgument("a row" + what);
  const Row& row = tuple.subject->row();
  const std::string host(row.host), source(row.source), seq = std::to_string(row.seq);
  return InvalidArgument("the record " + host + "/" + source + "/" + seq + what +
                         ", or leave it out: not (host=" + host + " source=" + source +
                         " seq=" + seq + ")");
}

}  // namespace

Status PipeMemory::Take(std::size_t bytes, std::string_view pipe) {
  used_ += bytes;
  if (used_ <= kPipeMemoryMax) return Status::Ok();
  return InvalidArgument("the pipe '" + std::string(pipe) + "' would hold more than " +
                         std::to_string(kPipeMemoryMax >> 20) +
                         " MiB, the bound for one query; ask for less: a narrower expression or "
                         "window, fewer or coarser "
                         "groups");
}

FieldReader::FieldReader(const Pipe& pipe, std::string name) : name_(std::move(name)) {
  const auto found = std::find(pipe.input_columns.begin(), pipe.input_columns.end(), name_);
  column_ = static_cast<std::size_t>(found - pipe.input_columns.begin());
}

void FieldReader::ForEach(const Tuple& tuple,
                          const std::function<void(std::string_view)>& visit) const {
  if (tuple.subject != nullptr) return ForEachValue(*tuple.subject, name_, visit);
  ForEachText(tuple.row->at(column_), visit);
}

Value FieldReader::Read(const Tuple& tuple) const {
  if (tuple.row != nullptr) return tuple.row->at(column_);
  return Value::Of(Distinct(tuple, std::numeric_limits<std::size_t>::max()));
}

std::vector<std::string> FieldReader::Distinct(const Tuple& tuple, std::size_t max) const {
  constexpr std::size_t kFew = 16;  // so many are compared one by one
  std::vector<std::string> values;
  std::unordered_set<std::string> many;
  ForEach(tuple, [&](std::string_view value) {
    if (values.size() >= max) return;
    if (values.size() < kFew) {
      if (std::find(values.begin(), values.end(), value) == values.end())
        values.emplace_back(value);
      return;
    }
    if (many.empty()) many.insert(values.begin(), values.end());
    if (many.emplace(value).second) values.emplace_back(value);
  });
  return values;
}

Status ForEachCombination(const std::vector<FieldReader>& fields, const Tuple& tuple,
                          const std::function<Status(TableRow)>& visit) {
  std::vector<std::vector<std::string>> values;
  std::size_t combinations = 1;
  for (const FieldReader& field : fields) {
    values.push_back(field.Distinct(tuple, kCombinationsMax + 1));
    combinations *= std::max<std::size_t>(values.back().size(), 1);
    if (combinations > kCombinationsMax) return TooManyCombinations(tuple);
  }
  TableRow row(fields.size());
  return Combine(values, 0, row, visit);
}

std::string ShortUtc(UnixNanos time) {
  constexpr std::string_view kWhole = ".000000000Z";
  std::string text = formats::FormatUtc(time);
  if (text.ends_with(kWhole)) text.replace(text.size() - kWhole.size(), kWhole.size(), "Z");
  return text;
}

UnixNanos BucketOf(UnixNanos time, UnixNanos length) {
  const UnixNanos rest = time % length;
  if (rest < 0 && time < std::numeric_limits<UnixNanos>::min() + length)
    return time;  // nothing is before it
  return time - (rest < 0 ? rest + length : rest);
}

std::string KeyOf(const TableRow& row) {
  std::string key;
  auto add = [&key](std::string_view text) {
    key += std::to_string(text.size());
    key += ':';
    key += text;
  };
  for (const Value& value : row) {
    key += value.kind == Value::Kind::kNone ? '-' : '+';
    if (value.kind == Value::Kind::kList) key += std::to_string(value.list.size());
    ForEachText(value, add);
  }
  return key;
}

std::size_t SizeOf(const TableRow& row) {
  std::size_t bytes = 0;
  for (const Value& value : row) {
    bytes += kValueOverheadBytes;
    ForEachText(value,
                [&bytes](std::string_view text) { bytes += text.size() + sizeof(std::string); });
  }
  return bytes;
}

}  // namespace logvault::query
