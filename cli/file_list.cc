#include "cli/file_list.h"

#include <algorithm>
#include <vector>

#include "config/small_file.h"

namespace logvault::cli {
namespace {

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

void AppendValue(std::string_view value, std::string& list) {
  if (value.find_first_of(" \t\"(),|\\") == std::string_view::npos) {
    list += value;
    return;
  }
  list += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') list += '\\';
    list += c;
  }
  list += '"';
}

}  // namespace

Result<std::string> ListOf(std::string_view file) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  if (file.starts_with(kUtf8Mark)) file.remove_prefix(kUtf8Mark.size());
  std::string list = "(";
  while (!file.empty()) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    const std::string_view value = Trimmed(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
    if (value.empty() || value.front() == '#') continue;
    if (list.size() > 1) list += ", ";
    AppendValue(value, list);
  }
  if (list.size() == 1) return InvalidArgument("holds no value: one a line is expected");
  return list + ")";
}

Result<query::Query> QueryWithFileLists(const std::string& text) {
  std::vector<query::FileList> files;
  Result<query::Query> query = query::Query::Parse(text, &files);
  if (!query.ok() || files.empty()) return query;
  std::string whole;
  std::size_t at = 0;
  for (const query::FileList& file : files) {
    Result<std::string> content = config::ReadSmallFile(file.path, kFileListBytesMax);
    if (!content.ok()) return content.status();
    Result<std::string> list = ListOf(*content);
    if (!list.ok()) return list.status().WithContext(file.path);
    whole += text.substr(at, file.begin - at) + *list;
    at = file.end;
  }
  query = query::Query::Parse(whole + text.substr(at));
  return query.ok()
             ? query
             : query.status().WithContext("with the values of " + files.front().path + " put in");
}

}  // namespace logvault::cli
