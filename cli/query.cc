// `logvault query`: searches, over the network or offline, and says how complete the answer is.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/answer_screen.h"
#include "cli/ask_vault.h"
#include "cli/command.h"
#include "cli/query_options.h"
#include "cli/result_file.h"
#include "query/evaluate.h"
#include "query/index_query.h"

namespace logvault::cli {
namespace {

constexpr std::string_view kExamples =
    R"(Terms: word  "quoted text"  host=H source=S field=value field:part field~"RE2" field!=v field<n
       field in (a, 10.0.0.0/8)   joined by AND (or side by side), OR, NOT and parentheses.
       field in @FILE   field in {query}   and pipes behind: | stats count() by (host) | sort count desc | limit 5
       (fields stats top rare first-seen uniq where sort limit timeline context events; docs/query.md)
       A bare IP address, CIDR or hash matches whole ones only; "quoted" text is found anywhere.
Times: 2024-07-11T08:13:55Z, 2024-07-11, "2024-07-11 08:13" (UTC unless --tz), or an age: 90s 15m 2h 7d.
Scope: everything, but the forwarders' own source `logvault` only when -S or source= names it.

Examples:
  logvault query xp_cmdshell
  logvault query 'source=geoserver "exec(java.lang"' --since 2024-07-11 --until 2024-07-12
  logvault query -S access 'http.status=200 src.ip in (45.32.22.62, 10.0.0.0/8)' -o json
  logvault query --host 'geo*' 'failed or denied' --count
  logvault query -H web01 -S syslog -o raw > syslog.copy
  logvault query 'src.ip in @iocs.txt | stats count(), min(time), max(time) by (host, src.ip)'
  logvault query 'source=audit | events | where syscall=execve cmd:curl | fields time, host, user, cmd'
)";

std::string ExplainIndex(const query::Request& request) {
  if (request.no_index || request.strict) return "the index is not asked";
  bool uses_fields = false;
  const query::IndexQuery index = query::IndexQueryFor(request.expression, &uses_fields);
  if (index.kind == query::IndexQuery::Kind::kAny) return "the index rules nothing out";
  return "the index leaves out blocks without: " + query::EscapeForTerminal(query::ToString(index));
}

// What the command line alone decides: not to run, but to explain.
ExitCode Explain(const PreparedQuery& prepared, OutputStream& out) {
  const query::Request& request = prepared.request;
  std::string& text = out.buffer();
  text += "expression: " + query::EscapeForTerminal(request.expression.ToString()) + "\n";
  auto instant = [](const std::optional<UnixNanos>& time) {
    return time ? formats::FormatUtc(*time) : std::string("-");
  };
  if (!request.pipeline.empty())
    text += "pipes: " + query::EscapeForTerminal(request.pipeline.text()) + "\n";
  text += "window: " + instant(request.scope.since) + " to " + instant(request.scope.until) + "\n";
  for (const auto& [name, glob] : {std::pair("host", &request.scope.host_glob),
                                   std::pair("source", &request.scope.source_glob),
                                   std::pair("origin", &request.scope.origin_glob)}) {
    if (!glob->empty()) text += std::string(name) + ": " + query::EscapeForTerminal(*glob) + "\n";
  }
  text += "blocks are left out by: host, source and time of their headers\n" +
          ExplainIndex(request) + "\n";
  const std::vector<query::Literal> literals = query::RequiredLiterals(request.expression);
  text += literals.empty() ? "every record of the blocks read is evaluated\n"
                           : "only records that hold one of these are evaluated:";
  for (const query::Literal& literal : literals)
    text += " \"" + query::EscapeForTerminal(literal.folded()) + "\"";
  if (!literals.empty()) text += "\n";
  out.Flush();
  return ExitCode::kOk;
}

// A search that did not come to its end has none.
ExitCode WriteReceipt(const std::string& file, const Answer& answer, Environment& env) {
  if (answer.receipt.empty()) {
    Tell("no receipt was written: the vault did not send one");
    return config::Worse(ExitCodeOf(answer), ExitCode::kIncomplete);
  }
  const Status written = WriteResult(file, answer.receipt, env.out);
  if (written.ok()) return ExitCodeOf(answer);
  Tell(written.message());
  return ExitCode::kUsage;
}

ExitCode RunQuery(const QueryOptions& options, Environment& env) {
  Result<PreparedQuery> prepared = Prepare(options, env.clock.Now(), env.out.is_terminal());
  if (!prepared.ok()) return Fail(prepared.status());
  if (options.explain) return Explain(*prepared, env.out);
  if (prepared->wants_receipt && !env.settings.offline.empty()) {
    return Fail(InvalidArgument(
        "--receipt is signed by a running vault: a folder opened with --offline signs nothing"));
  }

  AnswerScreen screen(env, *prepared);
  Result<Answer> answer = AskVault(env, *prepared, screen.observer());
  if (!answer.ok()) return Fail(answer.status());
  screen.Finish(*answer);
  return prepared->wants_receipt ? WriteReceipt(options.receipt, *answer, env)
                                 : ExitCodeOf(*answer);
}

void AddAnswerOptions(CLI::App& command, QueryOptions& options) {
  command.add_option("-n,--limit", options.limit, "at most N records; 0 for all")->type_name("N");
  command
      .add_option("-o,--output", options.output,
                  "text (default), json, csv or raw (the exact bytes)")
      ->type_name("text|json|csv|raw");
  command.add_flag("--count", options.count,
                   "print only how many records match, or rows come out of the pipes");
  command
      .add_option("-C,--context", options.context,
                  "also N records of its stream before and after each match")
      ->type_name("N");
  command.add_flag("--oldest-first", options.oldest_first, "oldest first, on a terminal too");
  command.add_flag("--no-index", options.no_index, "read every block in scope");
  command.add_flag("--strict", options.strict,
                   "recompute the tree and every record's leaf; trust no index");
  command.add_flag("--explain", options.explain,
                   "print how the query is understood, and do not run it");
  command
      .add_option("--receipt", options.receipt,
                  "also write what was asked and answered to FILE, signed by the vault")
      ->type_name("FILE");
  command.add_option("--tz", options.zone, "time zone of T and of text output (default UTC)")
      ->type_name("ZONE");
}

}  // namespace

void AddScopeOptions(CLI::App& command, QueryOptions& options) {
  command.add_option("-s,--since", options.since, "only records at or after T")->type_name("T");
  command.add_option("-u,--until", options.until, "only records before T")->type_name("T");
  command.add_option("--by", options.by, "which time T is about: event (default), read or commit")
      ->type_name("event|read|commit");
  command.add_option("-H,--host", options.host, "only these hosts")->type_name("GLOB");
  command.add_option("-S,--source", options.source, "only these sources")->type_name("GLOB");
  command.add_option("--origin", options.origin, "only records from these files or addresses")
      ->type_name("GLOB");
}

Action DefineQuery(CLI::App& command) {
  auto options = std::make_shared<QueryOptions>();
  command
      .add_option("EXPR", options->expressions,
                  "what to look for; several are joined by blanks; none: everything")
      ->type_name("");
  AddScopeOptions(command, *options);
  AddAnswerOptions(command, *options);
  command.footer(std::string(kExamples));
  return [options](Environment& env) { return RunQuery(*options, env); };
}

}  // namespace logvault::cli
