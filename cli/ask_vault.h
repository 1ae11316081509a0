// AskVault: a question put to the vault that the settings name, over the network or to its folder.
#pragma once

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/query_options.h"
#include "common/status.h"
#include "query/ask.h"

namespace logvault::cli {

// A Status where nothing was answered; once it began, the answer says how it ended.
Result<Answer> AskVault(Environment& env, const PreparedQuery& prepared,
                        const query::AskObserver& observer);

}  // namespace logvault::cli
