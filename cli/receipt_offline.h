// A receipt held to a vault's folder: the folder is asked what the receipt says was asked, and its answer hashed as the collector
// hashes the rows that it sends.
#pragma once

#include "cli/answer.h"
#include "cli/command.h"
#include "evidence/receipt.h"
#include "proto/logvault.pb.h"

namespace logvault::cli {

// `request`: what the receipt's query text says.  kIntegrity where the folder's history is not the receipt's, or does not hold
// the call that it names.
Result<Answer> AskFolderAgain(const evidence::SearchReceipt& receipt,
                              const v1::SearchRequest& request, Environment& env);

}  // namespace logvault::cli
