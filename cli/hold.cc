// `logvault hold add|list|release`: records that no retention policy may delete, as an administrator's signed orders.
#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/governing.h"
#include "cli/time_window.h"
#include "config/name.h"
#include "formats/time_zone.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

// As typed, of whichever subcommand.
struct HoldFlags {
  std::string name, host = std::string(evidence::kAny), source = std::string(evidence::kAny);
  std::string since, until, reason;
  bool json = false;
};

Status CheckPattern(const std::string& pattern, const char* flag) {
  if (pattern == evidence::kAny || config::IsValidName(pattern)) return Status::Ok();
  return InvalidArgument(std::string(flag) + ": '" + pattern + "' is neither a name nor *");
}

Result<evidence::Hold> HoldFrom(const HoldFlags& flags, UnixNanos now) {
  if (!config::IsValidName(flags.name))
    return InvalidArgument("'" + flags.name + "' is no name: [a-z0-9._-]{1,63}");
  LV_RETURN_IF_ERROR(CheckPattern(flags.host, "--host"));
  LV_RETURN_IF_ERROR(CheckPattern(flags.source, "--source"));
  evidence::Hold hold{flags.name, flags.host, flags.source, std::nullopt, std::nullopt};
  Result<TimeWindow> window = ReadTimeWindow(flags.since, flags.until, now);
  if (!window.ok()) return window.status();
  hold.since = window->since;
  hold.until = window->until;
  return hold;
}

ExitCode RunAdd(const HoldFlags& flags, Environment& env) {
  Result<evidence::Hold> hold = HoldFrom(flags, env.clock.Now());
  if (!hold.ok()) return Fail(hold.status());
  Result<std::uint64_t> block = Order(env, [&](const evidence::Governance& governance) {
    evidence::Statement statement;
    statement.type = evidence::DirectiveType::kHold;
    statement.reason = flags.reason;
    statement.hold = *hold;
    if (governance.holds().contains(flags.name))
      return Result<evidence::Statement>(InvalidArgument("there is a hold named " + flags.name));
    return Result<evidence::Statement>(std::move(statement));
  });
  if (!block.ok()) return Fail(block.status());
  Tell("hold " + flags.name + " is in force: HOLD block " + std::to_string(*block));
  return ExitCode::kOk;
}

ExitCode RunRelease(const HoldFlags& flags, Environment& env) {
  Result<std::uint64_t> block = Order(env, [&](const evidence::Governance& governance) {
    evidence::Statement statement;
    statement.type = evidence::DirectiveType::kRelease;
    statement.reason = flags.reason;
    statement.hold.name = flags.name;
    if (!governance.holds().contains(flags.name))
      return Result<evidence::Statement>(InvalidArgument("there is no hold named " + flags.name));
    return Result<evidence::Statement>(std::move(statement));
  });
  if (!block.ok()) return Fail(block.status());
  Tell("hold " + flags.name + " is released: HOLD block " + std::to_string(*block));
  return ExitCode::kOk;
}

std::string TimeOr(const std::optional<UnixNanos>& time, const char* none) {
  return time ? formats::FormatUtc(*time) : none;
}

void AppendText(const evidence::StandingHold& standing, std::string& out) {
  const evidence::Hold& hold = standing.hold;
  out += hold.name + "  " + hold.host + "/" + hold.source + "  " +
         TimeOr(hold.since, "from the beginning") + " .. " + TimeOr(hold.until, "now on") +
         "  by " + query::EscapeForTerminal(standing.by) + " " +
         formats::FormatUtc(standing.commit_time) + "  block " + std::to_string(standing.block);
  if (!standing.reason.empty()) out += "  " + query::EscapeForTerminal(standing.reason);
  out += '\n';
}

void AppendJson(const evidence::StandingHold& standing, std::string& out) {
  auto text = [&out](std::string_view key, std::string_view value) {
    out += out.ends_with('{') ? "" : ",";
    query::AppendJsonString(key, out);
    out += ':';
    query::AppendJsonString(value, out);
  };
  out += '{';
  text("name", standing.hold.name);
  text("host", standing.hold.host);
  text("source", standing.hold.source);
  if (standing.hold.since) text("since", formats::FormatUtc(*standing.hold.since));
  if (standing.hold.until) text("until", formats::FormatUtc(*standing.hold.until));
  text("by", standing.by);
  text("reason", standing.reason);
  text("time", formats::FormatUtc(standing.commit_time));
  out += ",\"block\":" + std::to_string(standing.block) + "}\n";
}

ExitCode RunList(const HoldFlags& flags, Environment& env) {
  Result<evidence::Governance> governance = LoadGovernance(env);
  if (!governance.ok()) return Fail(governance.status());
  for (const auto& [name, standing] : governance->holds()) {
    if (flags.json)
      AppendJson(standing, env.out.buffer());
    else
      AppendText(standing, env.out.buffer());
    if (!env.out.Settle()) break;
  }
  return governance->holds().empty() ? ExitCode::kNoMatch : ExitCode::kOk;
}

void AddName(CLI::App& command, HoldFlags& flags) {
  command.add_option("NAME", flags.name, "the hold's name: [a-z0-9._-]{1,63}")
      ->required()
      ->type_name("");
  command.add_option("--reason", flags.reason, "why, for whoever reads it later")
      ->type_name("TEXT");
}

}  // namespace

Action DefineHold(CLI::App& command) {
  auto flags = std::make_shared<HoldFlags>();
  CLI::App* add = command.add_subcommand("add", "protect records from deletion (admin)");
  AddName(*add, *flags);
  add->add_option("-H,--host", flags->host, "of this host; default *, all")->type_name("HOST");
  add->add_option("-S,--source", flags->source, "of this source; default *, all")
      ->type_name("SOURCE");
  add->add_option("-s,--since", flags->since, "whose times reach T or later")->type_name("T");
  add->add_option("-u,--until", flags->until, "whose times begin before T")->type_name("T");
  CLI::App* list = command.add_subcommand("list", "the holds in force");
  AddOutputOption(*list, flags->json);
  CLI::App* release = command.add_subcommand("release", "end a hold (admin)");
  AddName(*release, *flags);
  command.require_subcommand(1);
  command.footer(
      "A hold protects whole batches: all that hold a record of its window by any of their times.  "
      "It "
      "is signed with the\n"
      "administrator's key and recorded for ever; while it lasts no retention policy deletes what "
      "it covers.\n"
      "\nExamples:\n"
      "  logvault hold add case-42 --host geo01 --since 2024-07-11 --until 2024-08-01 --reason "
      "'AA25-266A'\n"
      "  logvault hold list\n"
      "  logvault hold release case-42\n");
  return [flags, add, list](Environment& env) {
    if (add->parsed()) return RunAdd(*flags, env);
    if (list->parsed()) return RunList(*flags, env);
    return RunRelease(*flags, env);
  };
}

}  // namespace logvault::cli
