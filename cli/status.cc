// `logvault status` and `logvault checkpoint`: where the vault stands, in its own signed words.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/offline_vault.h"
#include "cli/remote_vault.h"
#include "cli/result_file.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

// A vault's newest checkpoint, verified, and how it was reached.
struct Standing {
  evidence::Checkpoint checkpoint;
  std::string note;
  std::string place;    // address or folder
  std::string history;  // what the checkpoint was compared with
  bool integrity = true;
};

Result<Standing> StandingOffline(const Environment& env) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  return Standing{vault->checkpoint(), vault->note(), env.settings.offline,
                  "not compared with an earlier one", vault->problems().empty()};
}

std::string HistoryOf(const RemoteVault& vault) {
  std::string history = "the first one seen here";
  if (vault.kept()) {
    history = "goes on from the one of size " + std::to_string(vault.kept()->size) +
              " that was kept here";
  }
  if (!vault.keeps()) return history + "; it could not be kept itself";
  return vault.kept() ? history : history + "; kept from now on";
}

Result<Standing> StandingOf(const Environment& env) {
  if (!env.settings.offline.empty()) return StandingOffline(env);
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  return Standing{(*vault)->checkpoint(), (*vault)->note(), env.settings.vault, HistoryOf(**vault),
                  true};
}

void AppendJson(const Standing& standing, std::string& out) {
  const std::string& origin = standing.checkpoint.origin;
  out += "{\"reachable\":true,\"vault\":";
  query::AppendJsonString(origin.substr(0, origin.find('/')), out);
  out += ",\"origin\":";
  query::AppendJsonString(origin, out);
  out += ",\"tree_size\":" + std::to_string(standing.checkpoint.size) + ",\"root\":\"" +
         standing.checkpoint.root.Hex() + "\",\"note\":";
  query::AppendJsonString(standing.note, out);
  out += "}\n";
}

void AppendText(const Standing& standing, std::string& out) {
  const std::string& origin = standing.checkpoint.origin;
  out += "vault       " + origin.substr(0, origin.find('/')) + "\n";
  out += "origin      " + origin + "\n";
  out += "reachable   yes, at " + query::EscapeForTerminal(standing.place) + "\n";
  out += "tree size   " + std::to_string(standing.checkpoint.size) + "\n";
  out += "root        " + standing.checkpoint.root.Hex() + "\n";
  out += "checkpoint  verified; " + standing.history + "\n\n";
  out += standing.note;
}

ExitCode RunStatus(bool json, Environment& env) {
  Result<Standing> standing = StandingOf(env);
  if (!standing.ok()) return Fail(standing.status());
  if (json)
    AppendJson(*standing, env.out.buffer());
  else
    AppendText(*standing, env.out.buffer());
  env.out.Flush();
  return standing->integrity ? ExitCode::kOk : ExitCode::kIntegrity;
}

ExitCode RunCheckpoint(const std::string& out_file, Environment& env) {
  Result<Standing> standing = StandingOf(env);
  if (!standing.ok()) return Fail(standing.status());
  if (Status written = WriteResult(out_file, standing->note, env.out); !written.ok()) {
    Tell(written.message());
    return ExitCode::kUsage;
  }
  if (out_file != "-") {
    Tell("wrote the checkpoint of tree size " + std::to_string(standing->checkpoint.size) + " to " +
         out_file);
  }
  return standing->integrity ? ExitCode::kOk : ExitCode::kIntegrity;
}

}  // namespace

Action DefineStatus(CLI::App& command) {
  auto json = std::make_shared<bool>(false);
  AddOutputOption(command, *json);
  command.footer(
      "Says where the newest signed checkpoint stands, whether it goes on from the one kept here, "
      "and ends with its note.\n"
      "\nExamples:\n"
      "  logvault --vault 10.0.0.5:7444 --credentials ./alice status\n"
      "  logvault status -o json\n");
  return [json](Environment& env) { return RunStatus(*json, env); };
}

Action DefineCheckpoint(CLI::App& command) {
  auto file = std::make_shared<std::string>();
  command.add_option("--out", *file, "where the signed note goes; - for standard output")
      ->type_name("FILE")
      ->required();
  command.footer(
      "A checkpoint kept away from the vault is what proves a later change of its history:\n"
      "  logvault checkpoint --out 2024-07-11.note\n"
      "  logvault verify --anchor 2024-07-11.note\n");
  return [file](Environment& env) { return RunCheckpoint(*file, env); };
}

}  // namespace logvault::cli
