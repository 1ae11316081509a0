// A search asked of a vault over the network, its rows and its end in the words of query/.
#pragma once

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

}  // namespace logvault::cli
