// AnswerRows: the rows of one answer, of a search or of a slice of a tail, as they arrive: each with its stream's name, and
// all together held against what the vault says it sent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "common/status.h"
#include "evidence/access.h"
#include "proto/logvault.pb.h"
#include "query/row.h"

namespace logvault::cli {

// Of an answer's first event: kIntegrity where it is not the proof that the call is in the log.
Status CheckBegins(const v1::SearchEvent& first);

class AnswerRows {
 public:
  // `on_row` returns false to stop; a row points into `rows` and this.
  using OnRow = std::function<bool(const query::Row&)>;
  // False where on_row wants no more; kCorruption for a row of a stream that was not named.
  Result<bool> Take(const v1::Rows& rows, const OnRow& on_row);
  void Take(const v1::TableRow& row);

  // kIntegrity where the rows that were taken are not those whose hash the vault states.
  [[nodiscard]] Status CheckEnd(std::string_view stated_sha256) const;
  [[nodiscard]] const evidence::Hash& result() const { return result_.value(); }

 private:
  std::map<std::uint32_t, v1::StreamName> names_;  // by the number that rows name them by
  evidence::ResultHash result_;
};

}  // namespace logvault::cli
