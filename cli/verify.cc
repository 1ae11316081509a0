// `logvault verify`: recomputes a vault's history, remote or offline, and names every bad block.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/offline_vault.h"
#include "cli/progress.h"
#include "cli/remote_verify.h"
#include "cli/verify_index.h"
#include "config/small_file.h"
#include "pki/certificate.h"
#include "query/output.h"
#include "storage/verify.h"

namespace logvault::cli {
namespace {

struct VerifyFlags {
  std::string anchor;
  bool json = false;
  bool index = false;
};

// What a finding is: proof, or a host's word alone.
enum class Weight { kProof, kClaim };

void AppendFinding(const evidence::Finding& finding, Weight weight, bool json, std::string& out) {
  if (!json) {
    out += std::string(weight == Weight::kProof ? "BAD" : "CLAIM") + " block " +
           std::to_string(finding.block);
    if (!finding.host.empty()) {
      out += " (" + query::EscapeForTerminal(finding.host + "/" + finding.source);
      if (finding.first_seq > 0) {
        out += " " + std::to_string(finding.first_seq) + ".." + std::to_string(finding.last_seq);
      }
      out += ")";
    }
    out += ": " + query::EscapeForTerminal(finding.reason) + "\n";
    return;
  }
  out += "{\"block\":" + std::to_string(finding.block) + ",\"host\":";
  query::AppendJsonString(finding.host, out);
  out += ",\"source\":";
  query::AppendJsonString(finding.source, out);
  out += ",\"first_seq\":" + std::to_string(finding.first_seq) +
         ",\"last_seq\":" + std::to_string(finding.last_seq) + ",\"reason\":";
  query::AppendJsonString(finding.reason, out);
  out += weight == Weight::kProof ? "}\n" : ",\"claim\":true}\n";
}

// Claims neither prove anything nor may they be passed over: somebody has to compare that host's note with others'.
ExitCode AppendClaims(const std::vector<evidence::Finding>& claims, bool json, OutputStream& out) {
  for (const evidence::Finding& claim : claims) {
    AppendFinding(claim, Weight::kClaim, json, out.buffer());
    out.Settle();
  }
  if (claims.empty()) return ExitCode::kOk;
  Tell(
      "a claim is that host's word, without the vault's signature: compare the notes that the "
      "hosts keep "
      "(logvault-forwarder status)");
  return ExitCode::kAttention;
}

// The last line: in text a result, with -o json a remark.
void AppendVerdict(const std::string& verdict, bool json, OutputStream& out) {
  if (json) return Tell(verdict);
  out.buffer() += verdict + "\n";
}

std::string Counted(std::uint64_t blocks, std::uint64_t records, std::uint64_t deleted) {
  std::string counted = std::to_string(blocks) + " blocks, " + std::to_string(records) + " records";
  if (deleted > 0) {
    counted += ", the records of " + std::to_string(deleted) +
               " blocks deleted under the retention policy";
  }
  return counted;
}

// How fast it went, for whoever plans to verify more.
void TellRate(std::uint64_t records, std::uint64_t payload_bytes, double seconds) {
  Tell(fmt::format("{:.1f} s: {:.0f} records and {:.1f} MB of payloads a second", seconds,
                   static_cast<double>(records) / seconds,
                   static_cast<double>(payload_bytes) / seconds / 1e6));
}

ExitCode VerifyOffline(const VerifyFlags& flags, const std::optional<std::string>& anchor,
                       Environment& env) {
  Result<std::optional<evidence::VerifierKey>> key = PinnedKey(env.settings);
  if (!key.ok()) return Fail(key.status());
  storage::VerifyOptions options;
  options.dir = env.settings.offline;
  options.anchor = DefaultAnchor(env.settings.offline);
  options.key = *key;
  options.known_note = anchor;
  if (!anchor && !std::filesystem::exists(options.anchor)) TellNoAnchor(options.anchor);
  options.certificate_check = pki::CheckCertificateOf;
  // Nothing is shown before the end: there is nothing to save when the user interrupts.
  env.interrupt.EndAtOnce();
  std::optional<Progress> progress(std::in_place, "blocks");
  options.on_progress = [&progress](std::uint64_t done, std::uint64_t total) {
    progress->Show(done, total);
  };
  Result<storage::VerifyReport> report = storage::VerifyVault(options);
  const double seconds = progress->seconds();
  progress.reset();
  if (!report.ok()) return Fail(report.status());
  for (const evidence::Finding& finding : report->findings)
    AppendFinding(finding, Weight::kProof, flags.json, env.out.buffer());
  const ExitCode claims = AppendClaims(report->claims, flags.json, env.out);
  for (const std::string& file : report->damaged_files) Tell("damaged file: " + file);
  const bool good = report->findings.empty() && report->damaged_files.empty();
  const std::string counted = Counted(report->blocks, report->records, report->deleted_payloads) +
                              ", " + std::to_string(report->seals_checked) +
                              " seals checked; vault " + report->origin +
                              (report->key_pinned ? "" : " (key not pinned)");
  AppendVerdict(
      good ? "verified: " + counted
           : "NOT VERIFIED: " + std::to_string(report->findings.size()) + " findings in " + counted,
      flags.json, env.out);
  env.out.Flush();
  TellRate(report->records, report->payload_bytes, seconds);
  return good ? claims : ExitCode::kIntegrity;
}

// What a verification over the network comes to: its verdict and its exit code.
ExitCode Judge(const VerifySummary& summary, const std::string& origin, ExitCode claims,
               std::string& verdict) {
  // K_0 never leaves the collector, so only it, or its folder, can check the seals.
  const std::string counted = Counted(summary.blocks, summary.records, summary.deleted_payloads) +
                              ", seals attested by the vault; vault " + origin;
  ExitCode code = summary.findings == 0 ? claims : ExitCode::kIntegrity;
  verdict = summary.findings == 0
                ? "verified: " + counted
                : "NOT VERIFIED: " + std::to_string(summary.findings) + " findings in " + counted;
  if (summary.interrupted || !summary.lost.ok()) {
    verdict = "INCOMPLETE after " + counted + ", " + std::to_string(summary.findings) +
              " findings" +
              (summary.interrupted ? "; interrupted"
                                   : "; lost: " + query::EscapeForTerminal(summary.lost.message()));
    code =
        config::Worse(code, summary.interrupted ? ExitCode::kInterrupted : ExitCode::kIncomplete);
  }
  if (summary.deleted_meanwhile > 0) {
    Tell("INCOMPLETE: the records of " + std::to_string(summary.deleted_meanwhile) +
         " blocks were deleted meanwhile; verify again to see by what");
    code = config::Worse(code, ExitCode::kIncomplete);
  }
  return code;
}

ExitCode VerifyOverNetwork(const VerifyFlags& flags, const std::optional<std::string>& anchor_note,
                           Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return Fail(vault.status());
  std::optional<evidence::Checkpoint> anchor;
  if (anchor_note) {
    Result<evidence::Checkpoint> opened = evidence::OpenCheckpoint(*anchor_note, (*vault)->key());
    if (!opened.ok())
      return Fail(Integrity(flags.anchor +
                            ": not signed by this vault's key: " + opened.status().message()));
    anchor = *std::move(opened);
  }
  std::optional<query::IndexRecheck> index;
  if (flags.index) {
    Result<query::StatedIndex> stated = FetchStatedIndex(**vault);
    if (!stated.ok()) return Fail(stated.status());
    index.emplace(*std::move(stated), (*vault)->checkpoint().size);
  }
  VerifySummary summary = VerifyRemote(
      **vault, anchor,
      [&](const evidence::Finding& finding) {
        AppendFinding(finding, Weight::kProof, flags.json, env.out.buffer());
        env.out.Settle();
      },
      index ? &*index : nullptr);
  const ExitCode claims = AppendClaims(summary.claims, flags.json, env.out);
  std::string verdict;
  const ExitCode code = Judge(summary, (*vault)->key().name, claims, verdict);
  AppendVerdict(verdict, flags.json, env.out);
  env.out.Flush();
  TellRate(summary.records, summary.payload_bytes, summary.seconds);
  if (!index) return code;
  if (summary.blocks < (*vault)->checkpoint().size) {
    Tell("the index was not compared: not all blocks came");
    return code;
  }
  return config::Worse(code, ShowIndexReport(index->Finish(), flags.json, env));
}

ExitCode RunVerify(const VerifyFlags& flags, Environment& env) {
  std::optional<std::string> anchor;
  if (!flags.anchor.empty()) {
    Result<std::string> note = config::ReadSmallFile(flags.anchor);
    if (!note.ok()) {
      Tell(note.status().message());
      return ExitCode::kUsage;
    }
    if (!evidence::LooksLikeNote(*note)) {
      Tell(flags.anchor + " is not a signed note; `logvault checkpoint --out FILE` makes one");
      return ExitCode::kUsage;
    }
    anchor = *std::move(note);
  }
  if (env.settings.offline.empty()) return VerifyOverNetwork(flags, anchor, env);
  const ExitCode blocks = VerifyOffline(flags, anchor, env);
  if (!flags.index || blocks == ExitCode::kUsage) return blocks;
  return config::Worse(blocks, VerifyIndexOffline(env, flags.json));
}

}  // namespace

Action DefineVerify(CLI::App& command) {
  auto flags = std::make_shared<VerifyFlags>();
  command
      .add_option("--anchor", flags->anchor,
                  "a checkpoint kept elsewhere, which the history must go on from")
      ->type_name("NOTE")
      // A script's variable that was never set must not pass for a check.
      ->check([](const std::string& file) { return file.empty() ? "it names no file" : ""; });
  command.add_flag("--index", flags->index,
                   "also build the index anew from the blocks and compare it");
  AddOutputOption(command, flags->json);
  command.footer(
      "Every block, signature, seal, record and checkpoint is recomputed; each that is not as it "
      "must be is named,\n"
      "and the exit code is 4.  With -o json one object for each: block, host, source, first_seq, "
      "last_seq, reason.\n"
      "\nExamples:\n"
      "  logvault verify\n"
      "  logvault verify --offline /mnt/copy/vault --credentials ./alice --anchor "
      "2024-07-11.note\n");
  return [flags](Environment& env) { return RunVerify(*flags, env); };
}

}  // namespace logvault::cli
