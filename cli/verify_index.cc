#include "cli/verify_index.h"

#include <optional>
#include <utility>

#include "cli/offline_vault.h"
#include "cli/progress.h"
#include "net/access.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

void AppendFinding(const query::IndexFinding& finding, bool json, std::string& out) {
  if (!json) {
    out += "BAD block " + std::to_string(finding.block) + ": " +
           query::EscapeForTerminal(finding.reason) + "\n";
    return;
  }
  out += "{\"block\":" + std::to_string(finding.block) +
         ",\"host\":\"\",\"source\":\"\",\"first_seq\":0,\"last_seq\":0,\"reason\":";
  query::AppendJsonString(finding.reason, out);
  out += "}\n";
}

std::string Verdict(const query::IndexReport& report) {
  std::string verdict =
      report.findings.empty()
          ? "index verified: "
          : "INDEX NOT VERIFIED: " + std::to_string(report.findings.size()) + " findings; ";
  verdict += std::to_string(report.segments) + " segments built anew and the same, " +
             std::to_string(report.unindexed_blocks) + " blocks not indexed yet";
  if (report.outdated > 0) {
    verdict += ", " + std::to_string(report.outdated) +
               " segments not compared: payloads of theirs were deleted since";
  }
  if (report.unreadable > 0) {
    verdict += ", " + std::to_string(report.unreadable) +
               " segments not compared: not all of their blocks are as they must be";
  }
  return verdict;
}

}  // namespace

ExitCode ShowIndexReport(const query::IndexReport& report, bool json, Environment& env) {
  for (const query::IndexFinding& finding : report.findings)
    AppendFinding(finding, json, env.out.buffer());
  if (json)
    Tell(Verdict(report));
  else
    env.out.buffer() += Verdict(report) + "\n";
  env.out.Flush();
  return report.findings.empty() ? ExitCode::kOk : ExitCode::kIntegrity;
}

ExitCode VerifyIndexOffline(Environment& env, bool json) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return Fail(vault.status());
  std::optional<Progress> progress(std::in_place, "segments");
  Result<query::IndexReport> report = query::VerifyIndex(
      vault->reader(), vault->checkpoint().size,
      [&progress](std::uint64_t done, std::uint64_t total) { progress->Show(done, total); },
      env.interrupt.token());
  progress.reset();
  if (!report.ok()) return Fail(report.status());
  return ShowIndexReport(*report, json, env);
}

Result<query::StatedIndex> FetchStatedIndex(RemoteVault& vault) {
  v1::BlocksRequest request;
  request.set_tree_size(vault.checkpoint().size);
  query::StatedIndex stated;
  Status recorded = Unavailable("the vault sent nothing");
  bool begun = false;
  const Status ended = vault.client().Blocks(request, [&](const v1::BlocksEvent& event) {
    if (!std::exchange(begun, true)) {
      recorded =
          vault.CheckAccess(event.access(), net::kCallBlocks, net::QueryText(request)).status();
    }
    for (const v1::StoredBlock& stored : event.blocks()) {
      Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(stored.block());
      if (block.ok()) query::NoteStated(*block, stated);
    }
    return recorded.ok();
  });
  if (!recorded.ok()) return ended.ok() || begun ? recorded : ended;
  if (!ended.ok()) return ended;
  return stated;
}

}  // namespace logvault::cli
