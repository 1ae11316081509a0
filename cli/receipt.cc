// `logvault receipt --check`: asks again what a receipt says was asked, of the same tree, and compares; remote or offline.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/receipt_offline.h"
#include "cli/remote_search.h"
#include "config/small_file.h"
#include "evidence/receipt.h"
#include "formats/time_text.h"
#include "net/access.h"
#include "pki/vault_files.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

struct ReceiptOptions {
  std::string check;
};

Result<evidence::SearchReceipt> ReadReceipt(const std::string& file, const Settings& settings) {
  if (settings.credentials.empty()) {
    return InvalidArgument(
        "--check needs the vault's key: give --credentials DIR with its vault.pub");
  }
  Result<pki::VaultPublic> key = pki::LoadVaultPublic(settings.credentials + "/vault.pub");
  if (!key.ok()) return key.status();
  Result<std::string> text = config::ReadSmallFile(file, evidence::kMaxReceiptSize);
  if (!text.ok()) return InvalidArgument(text.status().message());
  Result<evidence::SearchReceipt> receipt = evidence::SearchReceipt::Open(*text, key->verifier);
  if (!receipt.ok()) return receipt.status().WithContext(file);
  return receipt;
}

void AppendStatement(const evidence::SearchReceipt& receipt, std::string& out) {
  auto line = [&out](std::string name, std::string_view value) {
    name.resize(14, ' ');
    out += name + query::EscapeForTerminal(value) + "\n";
  };
  line("vault", receipt.origin);
  line("answered at", formats::FormatUtc(receipt.answered_at));
  line("recorded in", "ACCESS block " + std::to_string(receipt.access));
  line("tree size", std::to_string(receipt.tree_size) + ", root " + receipt.root.Hex());
  line("query", receipt.query);
  line("blocks", std::to_string(receipt.in_scope) + " in scope, " +
                     std::to_string(receipt.pruned_by_header) + " pruned by header, " +
                     std::to_string(receipt.pruned_by_index) + " by index, " +
                     std::to_string(receipt.counted) + " counted by header, " +
                     std::to_string(receipt.scanned) + " scanned, " +
                     std::to_string(receipt.unreadable.size()) + " unreadable, " +
                     std::to_string(receipt.deleted) + " deleted");
  if (receipt.rows) line("rows", std::to_string(*receipt.rows));
  line("matches", std::to_string(receipt.matches) +
                      (receipt.limit_reached ? ", limit reached: there may be more" : "") +
                      (receipt.complete() ? "" : ", INCOMPLETE"));
  line("result", receipt.result.Hex());
}

ExitCode Compare(const evidence::SearchReceipt& receipt, const Answer& answer) {
  const query::Completeness& now = answer.completeness;
  if (answer.result == receipt.result && now.matches == receipt.matches &&
      (!receipt.rows || now.rows == receipt.rows)) {
    if (const ExitCode code = ExitCodeOf(answer); code == ExitCode::kIntegrity) return code;
    Tell("the same: " + std::to_string(now.matches) + " matches of the tree of size " +
         std::to_string(receipt.tree_size));
    return ExitCode::kOk;
  }
  // Another answer from less than was read then proves nothing.
  if (!now.unreadable.empty() || now.blocks_deleted > receipt.deleted || !receipt.complete()) {
    Tell("INCOMPLETE: the answer is another, and not everything could be read both times");
    return config::Worse(ExitCodeOf(answer), ExitCode::kIncomplete);
  }
  Tell("DIFFERENT: the receipt states " + std::to_string(receipt.matches) +
       " matches with result " + receipt.result.Hex() + ", and the vault now answers " +
       std::to_string(now.matches) + " with " + answer.result.Hex());
  return ExitCode::kIntegrity;
}

Result<Answer> AskVaultAgain(const evidence::SearchReceipt& receipt,
                             const v1::SearchRequest& request, const Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  const evidence::Checkpoint scope{receipt.origin, receipt.tree_size, receipt.root};
  LV_RETURN_IF_ERROR((*vault)->VerifyOlder(scope));
  return SearchRemoteAt(**vault, request, scope, query::AskObserver{});
}

ExitCode AskAgain(const evidence::SearchReceipt& receipt, Environment& env) {
  Result<v1::SearchRequest> request = net::ParseSearchText(receipt.query);
  if (!request.ok()) return Fail(request.status());
  request->set_tree_size(receipt.tree_size);
  Result<Answer> answer = env.settings.offline.empty() ? AskVaultAgain(receipt, *request, env)
                                                       : AskFolderAgain(receipt, *request, env);
  if (!answer.ok()) return Fail(answer.status());
  TellCompleteness(*answer);
  if (answer->interrupted || !answer->lost.ok()) return ExitCodeOf(*answer);
  return Compare(receipt, *answer);
}

ExitCode RunReceipt(const ReceiptOptions& options, Environment& env) {
  Result<evidence::SearchReceipt> receipt = ReadReceipt(options.check, env.settings);
  if (!receipt.ok()) return Fail(receipt.status());
  AppendStatement(*receipt, env.out.buffer());
  env.out.Flush();
  return AskAgain(*receipt, env);
}

}  // namespace

Action DefineReceipt(CLI::App& command) {
  auto options = std::make_shared<ReceiptOptions>();
  command
      .add_option("--check", options->check,
                  "verify the signature, ask the same of the same tree, and compare")
      ->type_name("FILE")
      ->required();
  command.footer(
      "Exit code 0: the same answer; 4: another one, or the receipt was altered or is not signed "
      "by vault.pub's key;\n3: not everything could be read, so that a difference proves nothing; "
      "2: no receipt.\n\n"
      "Examples:\n"
      "  logvault query xp_cmdshell --receipt xp.receipt > rows\n"
      "  logvault receipt --check xp.receipt\n"
      "  logvault receipt --check xp.receipt --offline /mnt/copy/vault --credentials ./alice\n");
  return [options](Environment& env) { return RunReceipt(*options, env); };
}

}  // namespace logvault::cli
