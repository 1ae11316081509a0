// A search asked of a vault over the network, its rows and its end in the words of query/.
#pragma once

#include <cstdint>
#include <map>

#include "cli/answer.h"
#include "cli/query_options.h"
#include "cli/remote_vault.h"
#include "query/ask.h"

namespace logvault::cli {

// `on_row` returns false to stop.  A Status where the vault refused the search as a whole; once it began, the
// answer says how it ended.
Result<Answer> SearchRemote(RemoteVault& vault, const PreparedQuery& prepared,
                            const query::AskObserver& observer);

// `request`, which names the tree `scope`: an older one too, once vault.VerifyOlder has found it good.
Result<Answer> SearchRemoteAt(RemoteVault& vault, const v1::SearchRequest& request,
                              const evidence::Checkpoint& scope,
                              const query::AskObserver& observer);

// The streams that rows of one answer name by number.
class StreamNames {
 public:
  void Add(const v1::StreamName& name) { names_[name.id()] = name; }
  // The row in our words; it points into `row` and this.  kCorruption for a stream that was not named.
  Result<query::Row> Resolve(const v1::Row& row) const;
  // REQUIRES: Resolve knew it.
  const v1::StreamName& Of(const v1::Row& row) const { return names_.at(row.stream()); }

 private:
  std::map<std::uint32_t, v1::StreamName> names_;
};

}  // namespace logvault::cli
