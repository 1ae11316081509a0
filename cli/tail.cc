// `logvault tail`: what arrives in the vault, as it arrives.  It is asked for in slices (server/tail_answer.h); after a lost
// connection it goes on where it was, so that nothing is left out unsaid.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "cli/answer_rows.h"
#include "cli/command.h"
#include "cli/query_options.h"
#include "cli/remote_vault.h"
#include "cli/terminal.h"
#include "formats/time_zone.h"
#include "net/access.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

constexpr std::chrono::milliseconds kFirstWait{250};
constexpr std::chrono::milliseconds kLongestWait{5000};

// Where a tail stands, over all its slices.
struct Place {
  std::uint64_t next = 0;                      // block to go on with; 0: what comes from now on
  std::uint64_t last_block = 0, last_seq = 0;  // of the last row shown
  std::uint64_t matches = 0;
  std::uint64_t skipped_records = 0;
  std::uint64_t unreadable = 0;
  bool integrity = true;
};

// What arrives of one slice.
class SliceReceiver {
 public:
  SliceReceiver(RemoteVault& vault, const v1::TailRequest& request, query::RowWriter& writer,
                OutputStream& out, Place& place)
      : vault_(vault), request_(request), writer_(writer), out_(out), place_(place) {}

  // False: no more of it; see status().
  bool Take(const v1::SearchEvent& event) {
    if (!started_) {
      if (const Status begins = CheckBegins(event); !begins.ok()) return Refuse(begins);
    }
    switch (event.event_case()) {
      case v1::SearchEvent::kStarted:
        return TakeStarted(event.started());
      case v1::SearchEvent::kRows:
        return TakeRows(event.rows());
      case v1::SearchEvent::kSkipped:
        return TakeSkipped(event.skipped());
      case v1::SearchEvent::kReached:
        return TakeReached(event.reached());
      case v1::SearchEvent::kDone:
        return TakeDone(event.done());
      case v1::SearchEvent::kProgress:
      case v1::SearchEvent::kTable:
      case v1::SearchEvent::EVENT_NOT_SET:
        return true;
    }
    return true;
  }

  // kIntegrity: the vault lied.  OK: nothing is wrong, or nobody reads any more.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool Refuse(Status status) {
    status_ = std::move(status);
    return false;
  }

  bool TakeStarted(const v1::SearchStarted& started) {
    started_ = true;
    if (place_.next == 0) place_.next = started.first();
    const Status recorded =
        vault_.CheckAccess(started.access(), net::kCallTail, net::QueryText(request_)).status();
    return recorded.ok() || Refuse(recorded);
  }

  bool TakeRows(const v1::Rows& rows) {
    const Result<bool> taken = rows_.Take(rows, [this](const query::Row& row) {
      // The slice before may have broken off inside this block.
      if (row.block < place_.last_block ||
          (row.block == place_.last_block && row.seq <= place_.last_seq))
        return true;
      place_.last_block = place_.next = row.block;
      place_.last_seq = row.seq;
      ++place_.matches;
      writer_.Add(row, out_.buffer());
      return true;
    });
    if (!taken.ok()) return Refuse(taken.status());
    return out_.Flush();
  }

  bool TakeDone(const v1::SearchDone& done) {
    const Status whole = rows_.CheckEnd(done.result_sha256());
    return whole.ok() || Refuse(whole);
  }

  bool TakeSkipped(const v1::TailSkipped& skipped) {
    place_.skipped_records += skipped.records();
    Tell("fell behind, and skipped " + std::to_string(skipped.records()) + " records of " +
         std::to_string(skipped.blocks()) + " blocks; to see them: query --by commit --since " +
         formats::FormatUtc(skipped.first_commit_time()) + " --until " +
         formats::FormatUtc(skipped.last_commit_time() + 1));
    return true;
  }

  bool TakeReached(const v1::TailReached& reached) {
    place_.next = std::max<std::uint64_t>(place_.next, reached.next());
    for (const v1::UnreadableBlock& block : reached.unreadable()) {
      ++place_.unreadable;
      if (block.integrity()) place_.integrity = false;
      Tell("unreadable: block " + std::to_string(block.block()) + " (" + block.host() + "/" +
           block.source() + "): " + block.reason() + (block.integrity() ? " [INTEGRITY]" : ""));
    }
    return true;
  }

  RemoteVault& vault_;
  const v1::TailRequest& request_;
  query::RowWriter& writer_;
  OutputStream& out_;
  Place& place_;
  AnswerRows rows_;
  bool started_ = false;
  Status status_;
};

// A tail from its first slice to the user's Ctrl-C.
class Tailing {
 public:
  Tailing(Environment& env, const PreparedQuery& prepared)
      : env_(env), prepared_(prepared), writer_(prepared.output, prepared.zone, Style()) {}

  ExitCode Run() {
    Status ended = FirstConnection();
    if (ended.ok()) {
      writer_.Begin(env_.out.buffer());
      (void)env_.out.Flush();  // a reader that left shows below
    }
    while (ended.ok() && !env_.interrupt.requested() && !env_.out.reader_left()) {
      ended = vault_ == nullptr ? Reconnect() : NextSlice();
    }
    if (env_.interrupt.requested() || env_.out.reader_left()) return TellEnd();
    return Fail(ended);
  }

 private:
  [[nodiscard]] query::TextStyle Style() const {
    if (prepared_.output != query::OutputFormat::kText || !ColourSuits(STDOUT_FILENO)) return {};
    return {true, prepared_.request.expression};
  }

  Status FirstConnection() {
    Result<std::unique_ptr<RemoteVault>> vault =
        RemoteVault::Connect(env_.settings, env_.interrupt.token());
    if (!vault.ok()) return vault.status();
    vault_ = *std::move(vault);
    Tell("following; Ctrl-C ends it");
    return Status::Ok();
  }

  [[nodiscard]] v1::TailRequest Ask() const {
    const query::Request& request = prepared_.request;
    v1::TailRequest ask;
    ask.set_expression(request.expression.text());
    ask.set_host(request.scope.host_glob);
    ask.set_source(request.scope.source_glob);
    ask.set_origin(request.scope.origin_glob);
    ask.set_first(place_.next);
    ask.set_tree_size(vault_->checkpoint().size);
    return ask;
  }

  // A failure that trying again may mend is none.
  Status NextSlice() {
    const v1::TailRequest request = Ask();
    SliceReceiver receiver(*vault_, request, writer_, env_.out, place_);
    const Status ended = vault_->client().Tail(
        request, [&receiver](const v1::SearchEvent& event) { return receiver.Take(event); });
    if (!receiver.status().ok()) return receiver.status();
    if (ended.ok() || env_.interrupt.requested()) return Status::Ok();
    if (!MayPass(ended)) return ended;
    Tell("the connection is lost (" + ended.message() + "); trying again");
    vault_.reset();
    return Status::Ok();
  }

  Status Reconnect() {
    Rest();
    if (env_.interrupt.requested()) return Status::Ok();
    Result<std::unique_ptr<RemoteVault>> vault =
        RemoteVault::Connect(env_.settings, env_.interrupt.token());
    if (!vault.ok()) {
      wait_ = std::min(wait_ * 2, kLongestWait);
      return MayPass(vault.status()) ? Status::Ok() : vault.status();
    }
    vault_ = *std::move(vault);
    wait_ = kFirstWait;
    Tell("connected again; going on at block " + std::to_string(place_.next));
    return Status::Ok();
  }

  static bool MayPass(const Status& status) {
    return status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kAborted ||
           status.code() == StatusCode::kCancelled ||
           status.code() == StatusCode::kResourceExhausted;
  }

  void Rest() {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, env_.interrupt.token(), wait_, [] { return false; });
  }

  ExitCode TellEnd() {
    Tell("followed up to block " + std::to_string(place_.next) + ": " +
         std::to_string(place_.matches) + " records, " + std::to_string(place_.skipped_records) +
         " skipped, " + std::to_string(place_.unreadable) + " blocks unreadable");
    ExitCode code = ExitCode::kOk;
    if (env_.interrupt.requested()) code = config::Worse(code, ExitCode::kInterrupted);
    if (place_.unreadable > 0) code = config::Worse(code, ExitCode::kIncomplete);
    if (!place_.integrity) code = config::Worse(code, ExitCode::kIntegrity);
    return code;
  }

  Environment& env_;
  const PreparedQuery& prepared_;
  query::RowWriter writer_;
  Place place_;
  std::unique_ptr<RemoteVault> vault_;  // null: the connection is lost
  std::chrono::milliseconds wait_ = kFirstWait;
};

constexpr std::string_view kExamples =
    R"(Shows what the vault takes in from now on, in that order, until Ctrl-C (exit 130).  After a lost connection it goes on
where it was; where it falls behind it skips to the newest, and says how many records and how to see them.

Examples:
  logvault tail -H geo01 -S access
  logvault tail 'failed or denied' -o json | jq -r .message
)";

ExitCode RunTail(const QueryOptions& options, Environment& env) {
  if (!env.settings.offline.empty()) {
    return Fail(InvalidArgument(
        "tail follows a running vault: give --vault and no --offline; a folder is asked with "
        "`query`"));
  }
  Result<PreparedQuery> prepared = Prepare(options, env.clock.Now(), env.out.is_terminal());
  if (!prepared.ok()) return Fail(prepared.status());
  if (!prepared->request.pipeline.empty())
    return Fail(InvalidArgument("tail takes no pipes: it shows records as they come"));
  return Tailing(env, *prepared).Run();
}

}  // namespace

Action DefineTail(CLI::App& command) {
  auto options = std::make_shared<QueryOptions>();
  command
      .add_option("EXPR", options->expressions,
                  "what to look for; several are joined by blanks; none: everything")
      ->type_name("");
  command.add_option("-H,--host", options->host, "only these hosts")->type_name("GLOB");
  command.add_option("-S,--source", options->source, "only these sources")->type_name("GLOB");
  command.add_option("--origin", options->origin, "only records from these files or addresses")
      ->type_name("GLOB");
  command.add_option("-o,--output", options->output, "text (default), json or csv")
      ->type_name("text|json|csv")
      ->check(CLI::IsMember({"text", "json", "csv"}).description(""));
  command.add_option("--tz", options->zone, "time zone of text output (default UTC)")
      ->type_name("ZONE");
  command.footer(std::string(kExamples));
  return [options](Environment& env) { return RunTail(*options, env); };
}

}  // namespace logvault::cli
