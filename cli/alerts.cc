// `logvault alerts [list]` and `logvault alerts review`: what the vault raised, and what somebody says who has looked at
// it.  Every block that is shown is proven to lie in the signed tree; over the network the vault could leave an alert out
// of the list, which `--offline alerts` would show.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cli/alert_text.h"
#include "cli/command.h"
#include "cli/governing.h"
#include "cli/offline_vault.h"
#include "cli/proven_blocks.h"
#include "cli/remote_vault.h"
#include "cli/time_window.h"
#include "evidence/governance.h"
#include "formats/time_zone.h"
#include "net/access.h"
#include "query/literal.h"
#include "query/output.h"
#include "storage/alert_scan.h"

namespace logvault::cli {
namespace {

// As typed, of whichever subcommand.
struct AlertFlags {
  std::string since, until, host;
  bool unreviewed = false;
  bool json = false;
  std::vector<std::uint64_t> blocks;
  std::optional<std::uint64_t> until_block;
  std::string reason;
};

using Reviews = std::vector<const evidence::AlertReview*>;  // oldest first

// An alert, its block proven, and what was said of it.
struct Alert {
  const evidence::BlockHeader& block;
  AlertText text;
  const Reviews& reviews;
};

// What became of the listing.
struct Listed {
  std::uint64_t alerts = 0;
  std::uint64_t unreviewed = 0;
  std::uint64_t unreadable = 0;
  bool integrity = true;  // of the vault around it
  bool interrupted = false;
};

using OnAlert = std::function<bool(const Alert&)>;  // false: enough

// Which reviews there are of each block.  `governance` must outlive it.
class ReviewsByAlert {
 public:
  explicit ReviewsByAlert(const evidence::Governance& governance) {
    for (const auto& review : governance.reviews()) {
      for (const std::uint64_t alert : review->alerts) by_alert_[alert].push_back(review.get());
    }
  }

  [[nodiscard]] const Reviews& Of(std::uint64_t alert) const {
    static const Reviews kNone;
    const auto found = by_alert_.find(alert);
    return found == by_alert_.end() ? kNone : found->second;
  }

 private:
  std::unordered_map<std::uint64_t, Reviews> by_alert_;
};

// What is asked for; and counts what of it there is.
class Lister {
 public:
  Lister(const evidence::Governance& governance, std::string host_glob, const OnAlert& on_alert)
      : reviews_(governance), host_glob_(std::move(host_glob)), on_alert_(on_alert) {}

  // False: enough.
  bool Take(const evidence::BlockHeader& block) {
    const Alert alert{block, TextOf(block), reviews_.Of(block.index)};
    if (!IsWanted(alert.text.hosts)) return true;
    ++listed_.alerts;
    if (alert.reviews.empty()) ++listed_.unreviewed;
    return on_alert_(alert);
  }
  Listed& listed() { return listed_; }

 private:
  [[nodiscard]] bool IsWanted(const std::vector<std::string>& hosts) const {
    return host_glob_.empty() || std::any_of(hosts.begin(), hosts.end(), [&](const auto& host) {
             return query::GlobMatches(host_glob_, host, true);
           });
  }

  const ReviewsByAlert reviews_;
  const std::string host_glob_;
  const OnAlert& on_alert_;
  Listed listed_;
};

Result<Listed> ListRemote(const AlertFlags& flags, const storage::AlertScope& scope,
                          const OnAlert& on_alert, const Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  Result<evidence::Governance> governance = GovernanceOf(**vault, env.settings);
  if (!governance.ok()) return governance.status();
  Lister lister(*governance, flags.host, on_alert);

  v1::AlertsRequest request;
  if (scope.since) request.set_since(*scope.since);
  if (scope.until) request.set_until(*scope.until);
  request.set_tree_size((*vault)->checkpoint().size);
  bool none_else = true;
  ProvenBlocks<v1::AlertsEvent> answer(
      **vault, net::kCallAlerts, net::QueryText(request),
      [&](const evidence::BlockHeader& block, const std::string& /*bytes*/) {
        none_else = none_else && evidence::IsAlert(block);
        return none_else && lister.Take(block);
      });
  const Status ended = (*vault)->client().Alerts(request, [&](const v1::AlertsEvent& event) {
    lister.listed().unreadable = event.unreadable();
    return answer.Take(event);
  });
  if (!none_else) return Integrity("the vault shows a block as an alert that is none");
  lister.listed().interrupted = !ended.ok() && (*vault)->interrupted();
  if (lister.listed().interrupted) return lister.listed();
  if (!ended.ok()) return ended;
  LV_RETURN_IF_ERROR(answer.status());
  return lister.listed();
}

Result<Listed> ListOffline(const AlertFlags& flags, storage::AlertScope scope,
                           const OnAlert& on_alert, const Environment& env) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  Result<evidence::Governance> governance = GovernanceOf(*vault);
  if (!governance.ok()) return governance.status();
  Lister lister(*governance, flags.host, on_alert);
  Listed& listed = lister.listed();
  scope.tree_size = vault->checkpoint().size;
  listed.unreadable =
      storage::ForEachAlert(vault->reader(), scope, [&](const storage::ScannedBlock& alert) {
        listed.interrupted = env.interrupt.token().stop_requested();
        if (listed.interrupted) return false;
        Result<evidence::BlockHeader> block = vault->Proven(alert.header.index, alert.bytes);
        if (block.ok()) return lister.Take(*block);
        listed.integrity = false;
        Tell("INTEGRITY: block " + std::to_string(alert.header.index) + ": " +
             block.status().message());
        return true;
      });
  return listed;
}

// Newest first.
Result<Listed> ForEachAlert(const AlertFlags& flags, const storage::AlertScope& scope,
                            const OnAlert& on_alert, const Environment& env) {
  return env.settings.offline.empty() ? ListRemote(flags, scope, on_alert, env)
                                      : ListOffline(flags, scope, on_alert, env);
}

// How an alert is shown.

void AppendText(const Alert& alert, std::string& out) {
  out += formats::FormatUtc(alert.block.commit_time) + "  " +
         (alert.reviews.empty() ? "UNREVIEWED" : "reviewed  ") + "  block " +
         std::to_string(alert.block.index) + "  " + std::string(ToString(alert.block.kind)) + " " +
         query::EscapeForTerminal(alert.text.type) + "  " +
         query::EscapeForTerminal(alert.text.words);
  if (!alert.reviews.empty()) {
    const evidence::AlertReview& newest = *alert.reviews.back();
    out += "  (" + query::EscapeForTerminal(newest.by) + " " +
           formats::FormatUtc(newest.commit_time) + ", block " + std::to_string(newest.block) +
           ": " + query::EscapeForTerminal(newest.reason) + ")";
  }
  out += '\n';
}

void AppendJson(const Alert& alert, std::string& out) {
  using Json = nlohmann::ordered_json;
  Json object = {{"block", alert.block.index},
                 {"time", formats::FormatUtc(alert.block.commit_time)},
                 {"kind", ToString(alert.block.kind)},
                 {"type", alert.text.type},
                 {"hosts", alert.text.hosts},
                 {"text", alert.text.words},
                 {"body", Json::parse(alert.block.body, nullptr, /*allow_exceptions=*/false)},
                 {"reviewed", !alert.reviews.empty()},
                 {"reviews", Json::array()}};
  if (!object["body"].is_object()) object["body"] = alert.block.body;
  for (const evidence::AlertReview* review : alert.reviews) {
    object["reviews"].push_back({{"block", review->block},
                                 {"time", formats::FormatUtc(review->commit_time)},
                                 {"by", review->by},
                                 {"reason", review->reason}});
  }
  out += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<storage::AlertScope> ScopeOf(const AlertFlags& flags, UnixNanos now) {
  storage::AlertScope scope;
  Result<TimeWindow> window = ReadTimeWindow(flags.since, flags.until, now);
  if (!window.ok()) return window.status();
  scope.since = window->since;
  scope.until = window->until;
  return scope;
}

ExitCode ExitCodeOf(const Listed& listed) {
  ExitCode code = listed.alerts == 0 ? ExitCode::kNoMatch : ExitCode::kOk;
  if (listed.unreviewed > 0) code = config::Worse(code, ExitCode::kAttention);
  if (listed.unreadable > 0) code = config::Worse(code, ExitCode::kIncomplete);
  if (listed.interrupted) code = config::Worse(code, ExitCode::kInterrupted);
  if (!listed.integrity) code = config::Worse(code, ExitCode::kIntegrity);
  return code;
}

void TellListed(const Listed& listed) {
  if (listed.unreadable > 0) {
    Tell("INCOMPLETE: " + std::to_string(listed.unreadable) +
         " blocks cannot be read; each may have been an alert");
  }
  if (listed.alerts > 0) {
    Tell(std::to_string(listed.unreviewed) + " of " + std::to_string(listed.alerts) +
         " alerts are not reviewed");
  }
}

ExitCode RunList(const AlertFlags& flags, Environment& env) {
  Result<storage::AlertScope> scope = ScopeOf(flags, env.clock.Now());
  if (!scope.ok()) return Fail(scope.status());
  env.out.PageLongAnswer([&env] { env.interrupt.YieldToPager(); });
  const OnAlert on_alert = [&](const Alert& alert) {
    if (flags.unreviewed && !alert.reviews.empty()) return true;
    if (flags.json)
      AppendJson(alert, env.out.buffer());
    else
      AppendText(alert, env.out.buffer());
    return env.out.Settle();
  };
  Result<Listed> listed = ForEachAlert(flags, *scope, on_alert, env);
  env.out.Finish();
  if (!listed.ok()) return Fail(listed.status());
  TellListed(*listed);
  return ExitCodeOf(*listed);
}

// Which blocks are to be reviewed, ascending.
Result<std::vector<std::uint64_t>> ToReview(const AlertFlags& flags, Environment& env) {
  std::vector<std::uint64_t> blocks = flags.blocks;
  if (flags.until_block) {
    const OnAlert on_alert = [&](const Alert& alert) {
      if (alert.reviews.empty() && alert.block.index <= *flags.until_block)
        blocks.push_back(alert.block.index);
      return true;
    };
    Result<Listed> listed = ForEachAlert({}, {}, on_alert, env);
    if (!listed.ok()) return listed.status();
    if (listed->interrupted) return Cancelled("interrupted");
  }
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  return blocks;
}

// What makes no sense together.
Status CheckReviewFlags(const AlertFlags& flags) {
  if (flags.blocks.empty() == !flags.until_block)
    return InvalidArgument("name the alerts by their blocks, or all up to one by --until-block N");
  if (flags.reason.empty()) return InvalidArgument("--reason is empty: say what the review found");
  if (!flags.since.empty() || !flags.until.empty() || !flags.host.empty() || flags.unreviewed)
    return InvalidArgument("--since, --until, --host and --unreviewed are for `alerts list`");
  return Status::Ok();
}

ExitCode RunReview(const AlertFlags& flags, Environment& env) {
  if (Status status = CheckReviewFlags(flags); !status.ok()) return Fail(status);
  if (!env.settings.offline.empty())
    return Fail(InvalidArgument("a folder takes no reviews: give --vault instead of --offline"));
  Result<std::vector<std::uint64_t>> blocks = ToReview(flags, env);
  if (!blocks.ok()) return Fail(blocks.status());
  if (blocks->empty()) {
    Tell("no alert up to block " + std::to_string(*flags.until_block) + " is left to review");
    return ExitCode::kNoMatch;
  }
  for (auto first = blocks->begin(); first != blocks->end();) {
    const auto most = static_cast<std::ptrdiff_t>(evidence::kMaxReviewed);
    const auto end = first + std::min(most, blocks->end() - first);
    evidence::Statement statement;
    statement.type = evidence::DirectiveType::kReview;
    statement.reason = flags.reason;
    statement.reviewed.assign(first, end);
    Result<std::uint64_t> block = Order(
        env, [&](const evidence::Governance&) { return Result<evidence::Statement>(statement); });
    if (!block.ok()) return Fail(block.status());
    Tell("reviewed: " + std::to_string(end - first) + " alerts, up to block " +
         std::to_string(*(end - 1)) + ": ALERT block " + std::to_string(*block));
    first = end;
  }
  return ExitCode::kOk;
}

void AddListOptions(CLI::App& command, AlertFlags& flags) {
  command.add_option("-s,--since", flags.since, "only what was raised at or after T")
      ->type_name("T");
  command.add_option("-u,--until", flags.until, "only what was raised before T")->type_name("T");
  command.add_option("-H,--host", flags.host, "only what is about these hosts")->type_name("GLOB");
  command.add_flag("--unreviewed", flags.unreviewed, "only what nobody has reviewed");
  AddOutputOption(command, flags.json);
}

}  // namespace

Action DefineAlerts(CLI::App& command) {
  auto flags = std::make_shared<AlertFlags>();
  AddListOptions(command, *flags);
  CLI::App* list = command.add_subcommand("list", "what the vault raised (the default)");
  AddListOptions(*list, *flags);
  CLI::App* review = command.add_subcommand("review", "say, signed, that you looked at alerts");
  review->add_option("BLOCK", flags->blocks, "the alerts, by their block numbers")->type_name("");
  review
      ->add_option("--until-block", flags->until_block,
                   "all up to block N that are not reviewed yet")
      ->type_name("N")
      ->check(NotNegative);
  review->add_option("--reason", flags->reason, "what the review found, for whoever reads it later")
      ->required()
      ->type_name("TEXT");
  command.require_subcommand(0, 1);
  command.footer(
      "Newest first: ALERT, SILENCE and CONFLICT blocks, what each says, and the newest review of "
      "it.  Exit code 7: some of\n"
      "them are not reviewed; 0: all are; 1: there are none.  A review is signed with your key and "
      "recorded for ever.\n"
      "\nExamples:\n"
      "  logvault alerts --unreviewed\n"
      "  logvault alerts --since 7d -H 'geo*' -o json\n"
      "  logvault alerts review 4711 4720 --reason 'geo01 was rebooted, change 17'\n"
      "  logvault alerts review --until-block 5000 --reason 'quarterly review, nothing open'\n");
  return [flags, review](Environment& env) {
    return review->parsed() ? RunReview(*flags, env) : RunList(*flags, env);
  };
}

}  // namespace logvault::cli
