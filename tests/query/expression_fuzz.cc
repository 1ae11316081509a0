// Fuzzes the parser of expressions and pipes: any text is refused or understood; what is understood is shown as a text that is
// understood the same way, and can be evaluated.
#include <cstdlib>

#include "query/evaluate.h"
#include "query/pipeline.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logvault::query;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  logvault::Result<Query> query = Query::Parse(text);
  if (!query.ok()) {
    if (!query.status().message().starts_with("column ")) std::abort();
    return 0;
  }
  logvault::Result<Query> same = Query::Parse(query->text());
  if (!same.ok() || same->text() != query->text() ||
      same->pipeline.columns() != query->pipeline.columns())
    std::abort();
  const Expression* const expression = &query->expression;
  const std::string shown = expression->ToString();
  logvault::Result<Expression> again = Expression::Parse(shown);
  // Showing adds parentheses, which may pass the limit on nesting.
  if (again.ok() && again->ToString() != shown) std::abort();

  Row row;
  row.host = "geo01";
  row.source = "access";
  row.bytes = text;
  Subject subject(row);
  const bool matches = Matches(*expression, subject);
  bool held = false;
  const std::vector<Literal> required = RequiredLiterals(*expression);
  for (const Literal& literal : required) held = held || literal.In(text);
  if (matches && !required.empty() && !held) std::abort();
  const Verdict verdict = VerdictFor(*expression, row.host, row.source);
  if ((verdict == Verdict::kNever && matches) || (verdict == Verdict::kAlways && !matches))
    std::abort();
  return 0;
}
