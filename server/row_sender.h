// RowSender: rows of an answer, gathered into events of a good size, and what else a search says on its way.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "proto/logvault.pb.h"
#include "query/search.h"
#include "query/table.h"
#include "server/access.h"
#include "server/event_stream.h"

namespace logvault::server {

// Both outlive it.  Its calls return false where the reader is gone.
class RowSender {
 public:
  RowSender(Access& access, EventStream<v1::SearchEvent>& stream)
      : access_(access), stream_(stream) {}

  bool Add(const query::Row& row);
  bool AddTableRow(const query::TableRow& row);
  bool Flush();
  // Four times a second at most.
  bool Progress(const query::SearchProgress& progress);

 private:
  [[nodiscard]] bool Due() const;
  std::uint32_t IdOf(const query::Row& row, v1::Rows& rows);

  Access& access_;
  EventStream<v1::SearchEvent>& stream_;
  v1::SearchEvent event_;
  std::size_t bytes_ = 0;
  std::chrono::steady_clock::time_point last_sent_;  // long ago: the first row leaves at once
  std::chrono::steady_clock::time_point last_progress_ = std::chrono::steady_clock::now();
  std::map<std::pair<std::string, std::string>, std::uint32_t> ids_;
  std::vector<v1::StreamName> names_;  // by id
};

void FillUnreadable(const query::Unreadable& unreadable, v1::UnreadableBlock& block);

}  // namespace logvault::server
