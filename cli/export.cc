// `logvault export`: records and their proof as one file for somebody without the vault; and the check of such a file,
// which needs the vault's key and nothing else.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/export_check.h"
#include "cli/export_file.h"
#include "cli/export_plan.h"
#include "cli/export_source.h"
#include "cli/export_write.h"
#include "cli/query_options.h"
#include "formats/time_zone.h"
#include "pki/vault_files.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

struct ExportOptions {
  QueryOptions query;
  std::string redact;
  std::string out;
  std::string check;
};

std::string Joined(const std::vector<std::string>& arguments) {
  std::string joined;
  for (const std::string& argument : arguments) {
    if (!joined.empty()) joined += ' ';
    joined += argument;
  }
  return joined;
}

Result<ExportQuestion> QuestionOf(const ExportOptions& options, const Signer& investigator,
                                  UnixNanos now) {
  ExportQuestion question;
  question.fingerprint = investigator.certificate.fingerprint_hex();
  Result<PreparedQuery> matches = Prepare(options.query, now, /*to_terminal=*/false);
  if (!matches.ok()) return matches.status();
  question.matches = *std::move(matches);
  if (!question.matches.request.pipeline.empty()) {
    return InvalidArgument(
        "an export holds records as they were stored: pipes have no place in it");
  }
  if (options.redact.empty()) return question;
  // Both at once, so that the redacted ones are looked for wherever the others are.
  QueryOptions narrowed = options.query;
  const std::string all = Joined(options.query.expressions);
  narrowed.expressions = {options.redact};
  if (Result<PreparedQuery> alone = Prepare(narrowed, now, false); !alone.ok())
    return alone.status().WithContext("--redact");
  else if (!alone->request.pipeline.empty())
    return InvalidArgument("--redact: pipes have no place here");
  narrowed.expressions = {"(" + options.redact + ")" + (all.empty() ? "" : " (" + all + ")")};
  Result<PreparedQuery> redact = Prepare(narrowed, now, false);
  if (!redact.ok()) return redact.status().WithContext("--redact");
  question.redact = *std::move(redact);
  return question;
}

Result<ExportManifest> ManifestOf(const ExportOptions& options, const ExportQuestion& question,
                                  const Signer& investigator, const Environment& env) {
  Result<pki::Identity> identity = investigator.certificate.identity();
  if (!identity.ok()) return identity.status();
  const query::Scope& scope = question.matches.request.scope;
  auto time = [](const std::optional<UnixNanos>& t) { return t ? formats::FormatUtc(*t) : ""; };
  ExportManifest manifest;
  manifest.query = Joined(options.query.expressions);
  manifest.redact = options.redact;
  manifest.since = time(scope.since);
  manifest.until = time(scope.until);
  manifest.by = options.query.by;
  manifest.host = scope.host_glob;
  manifest.source = scope.source_glob;
  manifest.record_origin = scope.origin_glob;
  manifest.investigator = identity->ToString();
  manifest.certificate_sha256 = question.fingerprint;
  manifest.made_at = env.clock.Now();
  manifest.offline = !env.settings.offline.empty();
  return manifest;
}

void StateCompleteness(const Answer& answer, ExportManifest& manifest) {
  for (const query::Unreadable& unreadable : answer.completeness.unreadable) {
    manifest.problems.push_back("block " + std::to_string(unreadable.block) + " (" +
                                unreadable.host + "/" + unreadable.source + " " +
                                std::to_string(unreadable.first_seq) + ".." +
                                std::to_string(unreadable.last_seq) + "): " + unreadable.reason);
  }
  for (const std::string& problem : answer.problems) manifest.problems.push_back(problem);
  manifest.complete = manifest.problems.empty();
}

void TellBad(std::string_view file, const evidence::Finding& finding, std::string& out) {
  out += "BAD " + query::EscapeForTerminal(file);
  if (!finding.host.empty()) {
    out += " (" + query::EscapeForTerminal(finding.host + "/" + finding.source);
    if (finding.first_seq > 0)
      out += " " + std::to_string(finding.first_seq) + ".." + std::to_string(finding.last_seq);
    out += ", block " + std::to_string(finding.block) + ")";
  } else if (finding.block > 0) {
    out += " (block " + std::to_string(finding.block) + ")";
  }
  out += ": " + query::EscapeForTerminal(finding.reason) + "\n";
}

// What was written is checked as whoever gets it will check it, and only then put in its place.
Status CheckAndPublish(const ExportSource& source, ExportFile& file) {
  std::string first;
  Result<ExportVerdict> verdict = CheckExport(file.temporary_path(), source.key(),
                                              [&first](std::string_view name, const auto& finding) {
                                                if (first.empty()) TellBad(name, finding, first);
                                              });
  if (!verdict.ok()) return verdict.status();
  if (!first.empty()) first.pop_back();  // its line feed
  if (verdict->bad > 0) return Integrity("the export does not stand its own check: " + first);
  return file.Publish();
}

ExitCode RunMake(const ExportOptions& options, Environment& env) {
  Result<Signer> investigator = Signer::Load(env.settings.credentials, "an export");
  if (!investigator.ok()) return Fail(investigator.status());
  Result<ExportQuestion> question = QuestionOf(options, *investigator, env.clock.Now());
  if (!question.ok()) return Fail(question.status());
  Result<std::unique_ptr<ExportSource>> source = OpenExportSource(env);
  if (!source.ok()) return Fail(source.status());
  Result<ExportPlan> plan = PlanExport(**source, *question);
  if (!plan.ok()) return Fail(plan.status());
  TellCompleteness(plan->answer);
  if (plan->matches.empty()) {
    Tell("nothing matches; no export was written");
    return ExitCodeOf(plan->answer);
  }
  Result<ExportManifest> manifest = ManifestOf(options, *question, *investigator, env);
  if (!manifest.ok()) return Fail(manifest.status());
  StateCompleteness(plan->answer, *manifest);
  Result<std::unique_ptr<ExportFile>> file = ExportFile::Create(options.out);
  if (!file.ok()) return Fail(file.status());
  manifest = WriteExport(**source, *plan, *std::move(manifest), *investigator, options.out, **file);
  if (!manifest.ok()) return Fail(manifest.status());
  if (Status published = CheckAndPublish(**source, **file); !published.ok()) return Fail(published);
  if (manifest->offline) Tell("note: read offline: the vault has no record of this reading");
  Tell("wrote " + std::to_string(manifest->shown) + " records and " +
       std::to_string(manifest->redacted) + " redacted ones to " + options.out);
  return ExitCodeOf(plan->answer);
}

void AppendVerdict(const ExportManifest& manifest, std::string& out) {
  out += "good: " + std::to_string(manifest.shown) + " records shown, " +
         std::to_string(manifest.redacted) + " redacted; vault " + manifest.origin +
         ", tree size " + std::to_string(manifest.tree_size) + "\n";
  for (const evidence::ExportedStream& stream : manifest.streams) {
    out += stream.host + "/" + stream.source + " " + std::to_string(stream.first_seq) + ".." +
           std::to_string(stream.last_seq) + ": " + std::to_string(stream.shown) + " shown, " +
           std::to_string(stream.redacted) + " redacted, " + std::to_string(stream.withheld) +
           " withheld";
    for (const auto& [first, last] : stream.missing)
      out += "; missing in the vault: " + std::to_string(first) + ".." + std::to_string(last);
    out += "\n";
  }
  out += "signed by " + query::EscapeForTerminal(manifest.investigator) + ", who states: made " +
         formats::FormatUtc(manifest.made_at) + ", query `" +
         query::EscapeForTerminal(manifest.query) + "`, the search was " +
         (manifest.complete ? "complete" : "NOT complete") + "\n";
  if (manifest.offline)
    out += "read offline: the vault has no record of this reading\n";
  else if (manifest.access_blocks.empty())
    out += "the vault's record of this reading is not in it\n";
  out +=
      "not proven: that withheld records do not match; what stood before the first and after the "
      "last number of a "
      "stream, or in other streams\n";
}

ExitCode RunCheck(const ExportOptions& options, Environment& env) {
  if (env.settings.credentials.empty()) {
    return Fail(InvalidArgument(
        "--check needs the vault's key: give --credentials DIR with its vault.pub"));
  }
  Result<pki::VaultPublic> key = pki::LoadVaultPublic(env.settings.credentials + "/vault.pub");
  if (!key.ok()) return Fail(key.status());
  Result<ExportVerdict> verdict =
      CheckExport(options.check, key->verifier, [&env](std::string_view file, const auto& finding) {
        TellBad(file, finding, env.out.buffer());
        env.out.Settle();
      });
  if (!verdict.ok()) return Fail(verdict.status());
  if (verdict->bad == 0)
    AppendVerdict(verdict->manifest, env.out.buffer());
  else
    env.out.buffer() += "NOT GOOD: " + std::to_string(verdict->bad) + " findings\n";
  env.out.Flush();
  if (verdict->bad > 0) return ExitCode::kIntegrity;
  if (!verdict->texts_unknown) return ExitCode::kOk;
  Tell(
      "INCOMPLETE: README.txt and report.html are of a newer logvault and were not compared with "
      "the "
      "evidence: read records.jsonl, or check with that version");
  return ExitCode::kIncomplete;
}

ExitCode RunExport(const ExportOptions& options, Environment& env) {
  if (!options.check.empty()) return RunCheck(options, env);
  if (!options.out.empty() && options.out != "-") return RunMake(options, env);
  return Fail(InvalidArgument("give --out FILE to make an export, or --check FILE to check one"));
}

}  // namespace

Action DefineExport(CLI::App& command) {
  auto options = std::make_shared<ExportOptions>();
  CLI::Option* expression =
      command
          .add_option("EXPR", options->query.expressions,
                      "the records to export; several are joined by blanks; none: everything")
          ->type_name("");
  AddScopeOptions(command, options->query);
  command.add_option("--tz", options->query.zone, "time zone of T (default UTC)")
      ->type_name("ZONE");
  command
      .add_option("--redact", options->redact,
                  "give the matching records that also match this as leaf hashes only")
      ->type_name("EXPR");
  CLI::Option* out = command.add_option("--out", options->out, "the export")->type_name("FILE");
  command.add_option("--check", options->check, "check this export, offline")
      ->type_name("FILE")
      ->excludes(expression)
      ->excludes(out);
  command.footer(
      "An export is a tar for somebody without the vault: records, blocks, proofs, certificates, a "
      "manifest signed\n"
      "with the key of --credentials, and a README.  --check needs vault.pub and nothing else; "
      "exit code 4: altered.\n"
      "\nExamples:\n"
      "  logvault export -H geo01 --since 2024-07-11 --until 2024-07-12 --out case17.tar\n"
      "  logvault export xp_cmdshell --redact 'user=svc' --out case17.tar\n"
      "  logvault export --check case17.tar --credentials ./alice\n");
  return [options](Environment& env) { return RunExport(*options, env); };
}

}  // namespace logvault::cli
