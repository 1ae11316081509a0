// `logvault dictionary train|set|remove|list`: what the small batches of a format are compressed with, learned from the
// vault's own records and put in force by an administrator's signed order.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/export_source.h"
#include "cli/governing.h"
#include "cli/query_options.h"
#include "cli/result_file.h"
#include "config/small_file.h"
#include "config/units.h"
#include "evidence/dictionary.h"
#include "evidence/payload.h"
#include "formats/format.h"
#include "formats/time_zone.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

// A batch of a host that writes 20 lines a second, which is for whom this is made.
constexpr std::size_t kRecordsPerSample = 20;
constexpr std::size_t kMaxTrainingBytes = 8 * 1024 * 1024;
constexpr const char* kDefaultSize = "16KiB";
// Each tenth sample is not learned from: the gain is measured on it.
constexpr std::size_t kHoldOut = 10;

// As typed, of whichever subcommand.
struct DictionaryFlags {
  QueryOptions scope;
  std::string format, file, size = kDefaultSize, reason;
  bool json = false;
};

// The newest records of a format, in pieces of some records of one stream each.
class Samples {
 public:
  explicit Samples(formats::Format format) : format_(format) {}

  // False once there are enough.
  bool Take(const query::Row& row) {
    if (row.format != format_) return true;
    Piece& piece = open_[{std::string(row.host), std::string(row.source)}];
    piece.records.emplace_back(row.bytes);
    bytes_ += row.bytes.size();
    if (piece.records.size() == kRecordsPerSample) Close(piece);
    return bytes_ < kMaxTrainingBytes;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Those to learn from, or the others, by which the gain is measured.
  [[nodiscard]] std::vector<std::string> Pick(bool held_out) const {
    std::vector<std::string> picked;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if ((i % kHoldOut == 0) != held_out) continue;
      std::string& text = picked.emplace_back();
      for (const std::string& record : pieces_[i].records) text += record;
    }
    return picked;
  }

 private:
  struct Piece {
    std::vector<std::string> records;
  };

  // Rows come newest first.
  void Close(Piece& piece) {
    std::reverse(piece.records.begin(), piece.records.end());
    pieces_.push_back(std::exchange(piece, {}));
  }

  const formats::Format format_;
  std::map<std::pair<std::string, std::string>, Piece> open_;
  std::vector<Piece> pieces_;
  std::size_t bytes_ = 0;
};

Result<formats::Format> FormatOf(const DictionaryFlags& flags) {
  std::optional<formats::Format> format = formats::FormatByName(flags.format);
  if (format.has_value()) return *format;
  return InvalidArgument("--format: there is no format '" + flags.format + "'");
}

std::size_t FrameSize(const std::string& text, const evidence::Dictionary* dictionary) {
  evidence::PayloadBuilder builder;
  evidence::RecordView record;
  record.bytes = text;
  builder.Add(record);
  return builder.Finish(1, std::string(evidence::kBatchKeySize, '\0'), {}, dictionary).frame.size();
}

// "batches of 20 records: 43 % of their size without it, 24 % with it".
std::string Gain(const std::vector<std::string>& texts, const evidence::Dictionary& dictionary) {
  std::size_t raw = 0, without = 0, with = 0;
  for (const std::string& text : texts) {
    raw += text.size();
    without += FrameSize(text, nullptr);
    with += FrameSize(text, &dictionary);
  }
  if (raw == 0) return "not measured: too few records";
  auto part = [raw](std::size_t size) { return std::to_string(100 * size / raw) + " %"; };
  return "batches of " + std::to_string(kRecordsPerSample) +
         " records that it did not learn from: " + part(without) + " of their size without it, " +
         part(with) + " with it";
}

Result<std::size_t> SizeOf(const DictionaryFlags& flags) {
  Result<std::uint64_t> size = config::ParseSize(flags.size);
  if (!size.ok()) return size.status().WithContext("--size");
  if (*size < 1024 || *size > evidence::kMaxDictionarySize)
    return InvalidArgument("--size: 1KiB to 32KiB");
  return static_cast<std::size_t>(*size);
}

// The newest records in scope; what could not be read is told.
Result<Answer> Gather(const DictionaryFlags& flags, Samples& samples, Environment& env) {
  Result<PreparedQuery> prepared = Prepare(flags.scope, env.clock.Now(), /*to_terminal=*/false);
  if (!prepared.ok()) return prepared.status();
  prepared->request.order = query::Request::Order::kNewestFirst;
  Result<std::unique_ptr<ExportSource>> source = OpenExportSource(env);
  if (!source.ok()) return source.status();
  query::Observer observer;
  observer.on_row = [&samples](const query::Row& row) { return samples.Take(row); };
  Result<Answer> answer = (*source)->Search(*prepared, observer);
  if (!answer.ok()) return answer;
  if (ExitCodeOf(*answer) != ExitCode::kOk) TellCompleteness(*answer);
  return answer;
}

ExitCode RunTrain(const DictionaryFlags& flags, Environment& env) {
  Result<formats::Format> format = FormatOf(flags);
  if (!format.ok()) return Fail(format.status());
  Result<std::size_t> size = SizeOf(flags);
  if (!size.ok()) return Fail(size.status());
  Samples samples(*format);
  Result<Answer> answer = Gather(flags, samples, env);
  if (!answer.ok()) return Fail(answer.status());
  if (answer->interrupted || !answer->lost.ok() || answer->completeness.matches == 0)
    return ExitCodeOf(*answer);
  const std::string read =
      std::to_string(samples.bytes()) + " bytes of " + flags.format + " records";
  Result<std::string> bytes = evidence::TrainDictionary(samples.Pick(/*held_out=*/false), *size);
  if (!bytes.ok()) return Fail(bytes.status().WithContext(read));
  Result<std::shared_ptr<const evidence::Dictionary>> trained = evidence::Dictionary::Parse(*bytes);
  if (!trained.ok()) return Fail(trained.status());
  if (Status written = WriteResult(flags.file, *bytes, env.out); !written.ok())
    return Fail(written);
  Tell("dictionary " + std::to_string((*trained)->id()) + " of " + std::to_string(bytes->size()) +
       " bytes, from " + read + "; " + Gain(samples.Pick(/*held_out=*/true), **trained));
  Tell(
      "it holds pieces of these records: look at it before `dictionary set` gives it to every host "
      "of this format, for ever");
  return ExitCodeOf(*answer);
}

// `bytes` empty: none from now on.
ExitCode PutInForce(const DictionaryFlags& flags, std::string bytes, Environment& env) {
  Result<formats::Format> format = FormatOf(flags);
  if (!format.ok()) return Fail(format.status());
  Result<std::uint64_t> block = Order(env, [&](const evidence::Governance&) {
    evidence::Statement statement;
    statement.type = evidence::DirectiveType::kDictionary;
    statement.reason = flags.reason;
    statement.dictionary = {flags.format, std::move(bytes)};
    return Result<evidence::Statement>(std::move(statement));
  });
  if (!block.ok()) return Fail(block.status());
  Tell("in force for " + flags.format + ": CONFIG block " + std::to_string(*block) +
       "; a host follows when it opens its next session");
  return ExitCode::kOk;
}

ExitCode RunSet(const DictionaryFlags& flags, Environment& env) {
  Result<std::string> bytes = config::ReadSmallFile(flags.file);
  if (!bytes.ok()) return Fail(InvalidArgument(bytes.status().message()));
  Result<std::shared_ptr<const evidence::Dictionary>> dictionary =
      evidence::Dictionary::Parse(*bytes);
  if (!dictionary.ok()) return Fail(dictionary.status().WithContext(flags.file));
  return PutInForce(flags, *std::move(bytes), env);
}

void AppendJson(const std::string& format, const evidence::DictionaryInForce& now,
                std::string& out) {
  out += "{\"format\":";
  query::AppendJsonString(format, out);
  out += ",\"dictionary\":" + std::to_string(now.id) + ",\"block\":" + std::to_string(now.block) +
         ",\"by\":";
  query::AppendJsonString(now.by, out);
  out += ",\"commit_time\":\"" + formats::FormatUtc(now.commit_time) + "\",\"reason\":";
  query::AppendJsonString(now.reason, out);
  out += "}\n";
}

ExitCode RunList(const DictionaryFlags& flags, Environment& env) {
  Result<evidence::Governance> governance = LoadGovernance(env);
  if (!governance.ok()) return Fail(governance.status());
  std::string& out = env.out.buffer();
  bool any = false;
  for (const auto& [format, now] : governance->formats()) {
    if (now.id == 0) continue;
    any = true;
    if (flags.json) {
      AppendJson(format, now, out);
      continue;
    }
    out += query::EscapeForTerminal(format) + "  " + std::to_string(now.id) + "  block " +
           std::to_string(now.block) + "  " + query::EscapeForTerminal(now.by) + "  " +
           formats::FormatUtc(now.commit_time);
    if (!now.reason.empty()) out += "  " + query::EscapeForTerminal(now.reason);
    out += "\n";
  }
  if (any) return ExitCode::kOk;
  Tell("no format has a dictionary");
  return ExitCode::kNoMatch;
}

void AddFormatOption(CLI::App& command, std::string& format) {
  std::string names;
  for (const formats::NamedFormat& known : formats::kFormats)
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  command.add_option("--format", format, names)->required()->type_name("FORMAT");
}

}  // namespace

Action DefineDictionary(CLI::App& command) {
  auto flags = std::make_shared<DictionaryFlags>();
  CLI::App* train = command.add_subcommand("train", "learn one from the newest records");
  AddFormatOption(*train, flags->format);
  AddScopeOptions(*train, flags->scope);
  train->add_option("--size", flags->size, "at most; 1KiB to 32KiB")
      ->capture_default_str()
      ->type_name("SIZE");
  train->add_option("--out", flags->file, "where to write it")->required()->type_name("FILE");
  CLI::App* set = command.add_subcommand("set", "put one in force for a format (admin)");
  AddFormatOption(*set, flags->format);
  set->add_option("FILE", flags->file, "of `train`, or of `zstd --train`")->required();
  CLI::App* remove = command.add_subcommand("remove", "none for a format from now on (admin)");
  AddFormatOption(*remove, flags->format);
  for (CLI::App* order : {set, remove})
    order->add_option("--reason", flags->reason, "why, for whoever reads it later")
        ->type_name("TEXT");
  CLI::App* list = command.add_subcommand("list", "those in force");
  AddOutputOption(*list, flags->json);
  command.require_subcommand(1);
  command.footer(
      "A host that writes little sends small batches, which compress badly by themselves.  A "
      "dictionary holds what the\n"
      "records of a format have in common.  It also holds pieces of the records that it learned "
      "from: it goes to every host\n"
      "with a source of that format, and stays in the log, whatever retention deletes.\n"
      "\nExamples:\n"
      "  logvault dictionary train --format syslog --host 'web*' --out syslog.dict\n"
      "  strings syslog.dict\n"
      "  logvault dictionary set --format syslog syslog.dict --reason 'half the size'\n"
      "  logvault dictionary list\n");
  return [flags, train, set, remove](Environment& env) {
    if (train->parsed()) return RunTrain(*flags, env);
    if (set->parsed()) return RunSet(*flags, env);
    return remove->parsed() ? PutInForce(*flags, {}, env) : RunList(*flags, env);
  };
}

}  // namespace logvault::cli
