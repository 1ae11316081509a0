// `logvault audit`: who asked the vault what, when, and how it ended.  Every block that is shown is proven to lie in the
// signed tree; over the network the vault could leave a call out, which `verify` would find.
#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/offline_vault.h"
#include "cli/proven_block.h"
#include "cli/remote_vault.h"
#include "cli/time_window.h"
#include "evidence/access.h"
#include "evidence/block.h"
#include "formats/time_zone.h"
#include "net/access.h"
#include "query/output.h"
#include "storage/access_scan.h"

namespace logvault::cli {
namespace {

struct AuditFlags {
  std::string since, until;
  std::uint64_t limit = 0;  // 0: none
  bool json = false;
};

// A recorded call, its blocks proven.
struct Call {
  evidence::AccessBody asked;
  std::uint64_t block = 0;
  UnixNanos time = 0;
  std::optional<evidence::AccessEndBody> ended;  // nullopt: no end is recorded
  std::uint64_t end_block = 0;
  UnixNanos end_time = 0;
};

// What became of the listing.
struct Listed {
  std::uint64_t calls = 0;
  std::uint64_t unreadable = 0;
  bool integrity = true;  // of the vault around it
  bool interrupted = false;
};

using OnCall = std::function<bool(const Call&)>;  // false: enough

Status TakeAsked(const evidence::BlockHeader& block, Call& call) {
  if (block.kind != evidence::BlockKind::kAccess) return Corruption("it is no ACCESS block");
  Result<evidence::AccessBody> body = evidence::AccessBody::Parse(block.body);
  if (!body.ok()) return body.status();
  call.asked = *std::move(body);
  call.block = block.index;
  call.time = block.commit_time;
  return Status::Ok();
}

Status TakeEnded(const evidence::BlockHeader& block, Call& call) {
  if (block.kind != evidence::BlockKind::kAccessEnd) return Corruption("it is no ACCESS_END block");
  Result<evidence::AccessEndBody> body = evidence::AccessEndBody::Parse(block.body);
  if (!body.ok()) return body.status();
  if (body->access != call.block) return Corruption("it ends another call");
  call.ended = *std::move(body);
  call.end_block = block.index;
  call.end_time = block.commit_time;
  return Status::Ok();
}

// Over the network.

Result<Call> CallFrom(const v1::Accessed& accessed, const evidence::Checkpoint& tree) {
  Call call;
  Result<evidence::BlockHeader> asked = Proven(accessed.asked(), tree);
  if (!asked.ok()) return asked.status();
  LV_RETURN_IF_ERROR(TakeAsked(*asked, call));
  if (!accessed.has_ended()) return call;
  Result<evidence::BlockHeader> ended = Proven(accessed.ended(), tree);
  if (!ended.ok()) return ended.status();
  LV_RETURN_IF_ERROR(TakeEnded(*ended, call));
  return call;
}

class Receiver {
 public:
  Receiver(RemoteVault& vault, const v1::AuditRequest& request, const OnCall& on_call)
      : vault_(vault), request_(request), on_call_(on_call) {}

  bool Take(const v1::AuditEvent& event) {
    if (!tree_) {
      Result<evidence::Checkpoint> recorded =
          vault_.CheckAccess(event.access(), net::kCallAudit, net::QueryText(request_));
      if (!recorded.ok()) return Refuse(recorded.status());
      tree_ = *std::move(recorded);
    }
    for (const v1::Accessed& accessed : event.calls()) {
      Result<Call> call = CallFrom(accessed, *tree_);
      if (!call.ok())
        return Refuse(
            Integrity("the vault shows a call that it cannot prove: " + call.status().message()));
      result_.Add(net::ResultRow(accessed));
      if (!on_call_(*call)) return Refuse(Status::Ok());
    }
    if (event.result_sha256().empty()) return true;
    done_ = true;
    unreadable_ = event.unreadable();
    if (event.result_sha256() == result_.value().view()) return true;
    return Refuse(Integrity("the calls that arrived are not the ones that the vault says it sent"));
  }

  // Why the answer is not whole; OK where it is, or where nobody wants more.
  [[nodiscard]] Status status() const {
    if (!status_.ok() || done_ || enough_) return status_;
    return Internal("the vault ended its answer without saying that it was complete");
  }
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

 private:
  bool Refuse(Status status) {
    enough_ = status.ok();
    status_ = std::move(status);
    return false;
  }

  RemoteVault& vault_;
  const v1::AuditRequest& request_;
  const OnCall& on_call_;
  std::optional<evidence::Checkpoint> tree_;  // that every block is proven to lie in
  evidence::ResultHash result_;
  std::uint64_t unreadable_ = 0;
  bool done_ = false;
  bool enough_ = false;
  Status status_;
};

Result<Listed> ListRemote(const storage::AccessScope& scope, const OnCall& on_call,
                          Environment& env) {
  Result<std::unique_ptr<RemoteVault>> vault =
      RemoteVault::Connect(env.settings, env.interrupt.token());
  if (!vault.ok()) return vault.status();
  v1::AuditRequest request;
  if (scope.since) request.set_since(*scope.since);
  if (scope.until) request.set_until(*scope.until);
  request.set_limit(scope.limit);
  request.set_tree_size((*vault)->checkpoint().size);
  Receiver receiver(**vault, request, on_call);
  const Status ended = (*vault)->client().Audit(
      request, [&receiver](const v1::AuditEvent& event) { return receiver.Take(event); });
  Listed listed;
  listed.interrupted = !ended.ok() && (*vault)->interrupted();
  if (listed.interrupted) return listed;
  if (!ended.ok()) return ended;
  LV_RETURN_IF_ERROR(receiver.status());
  listed.unreadable = receiver.unreadable();
  return listed;
}

// Offline.

Result<Call> CallFrom(const OfflineVault& vault, const storage::AccessRecord& record) {
  Call call;
  Result<evidence::BlockHeader> asked = vault.Proven(record.asked, record.asked_bytes);
  if (!asked.ok()) return asked.status();
  LV_RETURN_IF_ERROR(TakeAsked(*asked, call));
  if (record.ended_bytes.empty()) return call;
  Result<evidence::BlockHeader> ended = vault.Proven(record.ended, record.ended_bytes);
  if (!ended.ok()) return ended.status();
  LV_RETURN_IF_ERROR(TakeEnded(*ended, call));
  return call;
}

Result<Listed> ListOffline(storage::AccessScope scope, const OnCall& on_call, Environment& env) {
  Result<OfflineVault> vault = OfflineVault::Open(env.settings);
  if (!vault.ok()) return vault.status();
  scope.tree_size = scope.ends_size = vault->checkpoint().size;
  Listed listed;
  listed.integrity = vault->problems().empty();
  listed.unreadable =
      storage::ForEachAccess(vault->reader(), scope, [&](const storage::AccessRecord& record) {
        listed.interrupted = env.interrupt.token().stop_requested();
        if (listed.interrupted) return false;
        Result<Call> call = CallFrom(*vault, record);
        if (call.ok()) return on_call(*call);
        listed.integrity = false;
        Tell("INTEGRITY: block " + std::to_string(record.asked) + ": " + call.status().message());
        return true;
      });
  return listed;
}

// How a call is shown.

std::string_view OutcomeOf(const Call& call) {
  return call.ended ? ToString(call.ended->outcome) : "open";
}

std::string QueryOf(const Call& call) {
  if (call.asked.query) return *call.asked.query;
  return "(" + std::to_string(call.asked.query_bytes) + " bytes, in the blocks before)";
}

void AppendText(const Call& call, std::string& out) {
  out += formats::FormatUtc(call.time) + "  " + query::EscapeForTerminal(call.asked.name) + " (" +
         query::EscapeForTerminal(call.asked.role) + ", " +
         query::EscapeForTerminal(call.asked.address) + ")  " +
         query::EscapeForTerminal(call.asked.call) + "  " + std::string(OutcomeOf(call));
  if (call.ended) out += " " + std::to_string(call.ended->rows) + " rows";
  out += "  block " + std::to_string(call.block) + "  " + query::EscapeForTerminal(QueryOf(call));
  if (call.ended && !call.ended->reason.empty())
    out += "  (" + query::EscapeForTerminal(call.ended->reason) + ")";
  out += '\n';
}

void AppendJson(const Call& call, std::string& out) {
  auto text = [&out](std::string_view key, std::string_view value) {
    out += out.ends_with('{') ? "" : ",";
    query::AppendJsonString(key, out);
    out += ':';
    query::AppendJsonString(value, out);
  };
  auto number = [&out](std::string_view key, std::uint64_t value) {
    out += (out.ends_with('{') ? "\"" : ",\"") + std::string(key) + "\":" + std::to_string(value);
  };
  out += '{';
  number("block", call.block);
  text("time", formats::FormatUtc(call.time));
  text("name", call.asked.name);
  text("role", call.asked.role);
  text("certificate", call.asked.certificate);
  text("address", call.asked.address);
  text("call", call.asked.call);
  number("tree_size", call.asked.tree_size);
  text("query_sha256", call.asked.query_hash.Hex());
  number("query_bytes", call.asked.query_bytes);
  if (call.asked.query) text("query", *call.asked.query);
  text("outcome", OutcomeOf(call));
  if (call.ended) {
    number("end_block", call.end_block);
    text("end_time", formats::FormatUtc(call.end_time));
    number("rows", call.ended->rows);
    if (call.ended->matches) number("matches", *call.ended->matches);
    number("unreadable", call.ended->unreadable);
    text("result_sha256", call.ended->result.Hex());
    if (!call.ended->reason.empty()) text("reason", call.ended->reason);
  }
  out += "}\n";
}

Result<storage::AccessScope> ScopeOf(const AuditFlags& flags, UnixNanos now) {
  storage::AccessScope scope;
  scope.limit = flags.limit;
  Result<TimeWindow> window = ReadTimeWindow(flags.since, flags.until, now);
  if (!window.ok()) return window.status();
  scope.since = window->since;
  scope.until = window->until;
  return scope;
}

ExitCode ExitCodeOf(const Listed& listed) {
  ExitCode code = listed.calls == 0 ? ExitCode::kNoMatch : ExitCode::kOk;
  if (listed.unreadable > 0) code = config::Worse(code, ExitCode::kIncomplete);
  if (listed.interrupted) code = config::Worse(code, ExitCode::kInterrupted);
  if (!listed.integrity) code = config::Worse(code, ExitCode::kIntegrity);
  return code;
}

ExitCode RunAudit(const AuditFlags& flags, Environment& env) {
  Result<storage::AccessScope> scope = ScopeOf(flags, env.clock.Now());
  if (!scope.ok()) return Fail(scope.status());
  env.out.PageLongAnswer([&env] { env.interrupt.YieldToPager(); });
  std::uint64_t calls = 0;
  const OnCall on_call = [&](const Call& call) {
    ++calls;
    if (flags.json)
      AppendJson(call, env.out.buffer());
    else
      AppendText(call, env.out.buffer());
    return env.out.Settle();
  };
  Result<Listed> listed = env.settings.offline.empty() ? ListRemote(*scope, on_call, env)
                                                       : ListOffline(*scope, on_call, env);
  env.out.Finish();
  if (!listed.ok()) return Fail(listed.status());
  listed->calls = calls;
  if (listed->unreadable > 0) {
    Tell("INCOMPLETE: " + std::to_string(listed->unreadable) +
         " blocks cannot be read; each may have been a call");
  }
  return ExitCodeOf(*listed);
}

}  // namespace

Action DefineAudit(CLI::App& command) {
  auto flags = std::make_shared<AuditFlags>();
  command.add_option("-s,--since", flags->since, "only calls at or after T")->type_name("T");
  command.add_option("-u,--until", flags->until, "only calls before T")->type_name("T");
  command.add_option("-n,--limit", flags->limit, "only the newest N; 0 for all")
      ->type_name("N")
      ->check(NotNegative);
  AddOutputOption(command, flags->json);
  command.footer(
      "Newest first: when, who (role, address), which call, how it ended, how many rows were sent, "
      "the ACCESS block and\n"
      "the question.  'open': no end is recorded; it is running, or the collector stopped "
      "meanwhile.  Status is not recorded,\n"
      "nor is what somebody reads offline.\n"
      "\nExamples:\n"
      "  logvault audit --since 7d\n"
      "  logvault audit -n 20 -o json\n"
      "  logvault --offline /mnt/copy/vault audit\n");
  return [flags](Environment& env) { return RunAudit(*flags, env); };
}

}  // namespace logvault::cli
