#include "cli/ask_vault.h"

#include <memory>
#include <utility>

#include "cli/offline_vault.h"
#include "cli/remote_search.h"
#include "cli/remote_vault.h"

namespace logvault::cli {
namespace {

Result<Answer> SearchOffline(Environment& env, const PreparedQuery& prepared,
                             const query::AskObserver& observer) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  Answer answer;
  answer.problems = vault->problems();
  query::Request request = prepared.request;
  request.tree_size = answer.tree_size = vault->checkpoint().size;
  Result<query::Completeness> completeness =
      query::Ask(vault->reader(), request, observer, env.interrupt.token());
  if (completeness.ok()) {
    answer.completeness = *std::move(completeness);
  } else if (completeness.status().code() == StatusCode::kCancelled) {
    answer.interrupted = answer.cut_short = true;
  } else {
    return completeness.status();
  }
  return answer;
}

}  // namespace

Result<Answer> AskVault(Environment& env, const PreparedQuery& prepared,
                        const query::AskObserver& observer) {
  if (!env.settings.offline.empty()) return SearchOffline(env, prepared, observer);
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  return SearchRemote(**vault, prepared, observer);
}

}  // namespace logvault::cli
