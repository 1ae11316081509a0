// `logvault retention set|list`: how long records are kept, as an administrator's signed order.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/governing.h"
#include "config/name.h"
#include "config/units.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

using evidence::RetentionRule;

constexpr const char* kForever = "forever";
constexpr const char* kNoRule = "default";

// As typed, of whichever subcommand.
struct RetentionFlags {
  std::string host = std::string(evidence::kAny), source = std::string(evidence::kAny);
  std::string keep, reason;
  bool json = false;
};

Status CheckPattern(const std::string& pattern, const char* flag) {
  if (pattern == evidence::kAny || config::IsValidName(pattern)) return Status::Ok();
  return InvalidArgument(std::string(flag) + ": '" + pattern + "' is neither a name nor *");
}

// The policy in force with the rule of host and source replaced; `keep` as typed.
Result<std::vector<RetentionRule>> Changed(const evidence::Governance& governance,
                                           const RetentionFlags& flags) {
  std::vector<RetentionRule> rules = governance.rules();
  const std::size_t removed = std::erase_if(rules, [&flags](const RetentionRule& rule) {
    return rule.host == flags.host && rule.source == flags.source;
  });
  if (flags.keep == kNoRule) {
    if (removed > 0) return rules;
    return InvalidArgument("there is no rule for " + flags.host + "/" + flags.source);
  }
  std::uint64_t keep_ns = evidence::kKeepForever;
  if (flags.keep != kForever) {
    Result<std::int64_t> keep = config::ParseDuration(flags.keep);
    if (!keep.ok()) return keep.status().WithContext("--keep");
    if (*keep <= 0) return InvalidArgument("--keep: it must be more than nothing");
    keep_ns = static_cast<std::uint64_t>(*keep);
  }
  rules.push_back({flags.host, flags.source, keep_ns});
  std::sort(rules.begin(), rules.end(), [](const RetentionRule& a, const RetentionRule& b) {
    return std::tie(a.host, a.source) < std::tie(b.host, b.source);
  });
  return rules;
}

std::string KeepOf(const RetentionRule& rule) {
  if (rule.keep_ns == evidence::kKeepForever) return kForever;
  return config::FormatDuration(static_cast<std::int64_t>(rule.keep_ns));
}

ExitCode RunSet(const RetentionFlags& flags, Environment& env) {
  Status status = CheckPattern(flags.host, "--host");
  if (status.ok()) status = CheckPattern(flags.source, "--source");
  if (!status.ok()) return Fail(status);
  Result<std::uint64_t> block = Order(env, [&](const evidence::Governance& governance) {
    evidence::Statement statement;
    statement.type = evidence::DirectiveType::kRetention;
    statement.reason = flags.reason;
    Result<std::vector<RetentionRule>> rules = Changed(governance, flags);
    if (!rules.ok()) return Result<evidence::Statement>(rules.status());
    statement.rules = *std::move(rules);
    return Result<evidence::Statement>(std::move(statement));
  });
  if (!block.ok()) return Fail(block.status());
  Tell("the retention policy is in force: CONFIG block " + std::to_string(*block));
  return ExitCode::kOk;
}

ExitCode RunList(const RetentionFlags& flags, Environment& env) {
  Result<evidence::Governance> governance = LoadGovernance(env);
  if (!governance.ok()) return Fail(governance.status());
  std::string& out = env.out.buffer();
  for (const RetentionRule& rule : governance->rules()) {
    if (flags.json) {
      out += "{\"host\":";
      query::AppendJsonString(rule.host, out);
      out += ",\"source\":";
      query::AppendJsonString(rule.source, out);
      out += ",\"keep\":\"" + KeepOf(rule) + "\",\"keep_ns\":" + std::to_string(rule.keep_ns) +
             ",\"block\":" + std::to_string(governance->rules_block()) + "}\n";
    } else {
      out += rule.host + "/" + rule.source + "  " + KeepOf(rule) + "  block " +
             std::to_string(governance->rules_block()) + "\n";
    }
  }
  if (!governance->rules().empty()) return ExitCode::kOk;
  Tell("there is no rule: everything is kept");
  return ExitCode::kNoMatch;
}

}  // namespace

Action DefineRetention(CLI::App& command) {
  auto flags = std::make_shared<RetentionFlags>();
  CLI::App* set = command.add_subcommand("set", "set, change or remove one rule (admin)");
  set->add_option("-H,--host", flags->host, "of this host; default *, all")->type_name("HOST");
  set->add_option("-S,--source", flags->source, "of this source; default *, all")
      ->type_name("SOURCE");
  set->add_option("--keep", flags->keep,
                  "90d, counted from the commit; forever; default: remove the rule")
      ->required()
      ->type_name("TIME");
  set->add_option("--reason", flags->reason, "why, for whoever reads it later")->type_name("TEXT");
  CLI::App* list = command.add_subcommand("list", "the rules in force");
  AddOutputOption(*list, flags->json);
  command.require_subcommand(1);
  command.footer(
      "Of the rules that fit a stream the most precise one counts: host and source, then the host, "
      "then the source, then */*.\n"
      "Without a rule everything is kept.  The collector deletes the records, not the blocks, and "
      "says so in the log before;\n"
      "a hold protects what it covers.\n"
      "\nExamples:\n"
      "  logvault retention set --keep 400d\n"
      "  logvault retention set --source access --keep 90d --reason 'volume'\n"
      "  logvault retention set --host geo01 --keep forever\n"
      "  logvault retention list\n");
  return [flags, set](Environment& env) {
    return set->parsed() ? RunSet(*flags, env) : RunList(*flags, env);
  };
}

}  // namespace logvault::cli
