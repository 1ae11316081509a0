// `logvault show HOST/SOURCE/SEQ`: one record, its fields and its block.  The block's place in the tree and the
// record's place in the block are verified here, whatever the vault says.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/found_record.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "formats/fields.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

struct ShowOptions {
  std::string name;
  std::string output = "text";
};

void AppendText(const FoundRecord& found, std::string& out) {
  const query::Row row = found.row();
  const std::string text =
      formats::RecordText(row.bytes, (row.flags & evidence::kRecordUtf16Le) != 0);
  auto line = [&out](std::string name, std::string_view value) {
    name.resize(std::max<std::size_t>(name.size() + 1, 14), ' ');
    out += name + query::EscapeForTerminal(value) + "\n";
  };
  line("host", row.host);
  line("source", row.source);
  line("seq", std::to_string(row.seq));
  line("time", formats::FormatUtc(row.time()) + (row.event_time == kNoTime ? " (of reading)" : ""));
  line("read time", formats::FormatUtc(row.read_time));
  line("commit time", formats::FormatUtc(row.commit_time));
  line("origin", row.origin);
  line("format", found.format);
  line("block",
       std::to_string(row.block) + ", leaf hash " + evidence::LeafHash(found.block_bytes).Hex());
  line("verified", "in the signed tree of size " + std::to_string(found.checkpoint.size) +
                       ", root " + found.checkpoint.root.Hex());
  out += "fields\n";
  for (const formats::Field& field : formats::ParseFields(row.format, text))
    line("  " + field.name, field.value);
  out += "record\n";
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += "  " + query::EscapeForTerminal(std::string_view(text).substr(at, end - at)) + "\n";
    at = end + 1;
  }
}

void AppendJson(const FoundRecord& found, std::string& out) {
  query::RowWriter writer(query::OutputFormat::kJson, formats::TimeZone::Utc());
  writer.Add(found.row(), out);
  out.resize(out.size() - 2);  // "}\n": more members follow
  out += ",\"format\":";
  query::AppendJsonString(found.format, out);
  out += ",\"block_hash\":\"" + evidence::LeafHash(found.block_bytes).Hex() +
         "\",\"tree_size\":" + std::to_string(found.checkpoint.size) + ",\"root\":\"" +
         found.checkpoint.root.Hex() + "\"}\n";
}

ExitCode RunShow(const ShowOptions& options, Environment& env) {
  Result<RecordName> name = RecordName::Parse(options.name);
  if (!name.ok()) return Fail(name.status());
  Result<FoundRecord> found = FindRecord(*name, env);
  if (!found.ok() && found.status().code() == StatusCode::kNotFound) {
    Tell(options.name + ": " + found.status().message());
    return ExitCode::kNoMatch;
  }
  if (!found.ok()) return Fail(found.status());
  if (options.output != "raw") env.out.PageLongAnswer([&env] { env.interrupt.YieldToPager(); });
  if (options.output == "raw")
    env.out.buffer() += found->row().bytes;
  else if (options.output == "json")
    AppendJson(*found, env.out.buffer());
  else
    AppendText(*found, env.out.buffer());
  env.out.Finish();
  return found->vault_sound ? ExitCode::kOk : ExitCode::kIntegrity;
}

}  // namespace

Action DefineShow(CLI::App& command) {
  auto options = std::make_shared<ShowOptions>();
  command.add_option("RECORD", options->name, "HOST/SOURCE/SEQ")->required()->type_name("");
  command
      .add_option("-o,--output", options->output, "text (default), json or raw (the exact bytes)")
      ->type_name("text|json|raw")
      ->check(CLI::IsMember({"text", "json", "raw"}).description(""));
  command.footer("Example: logvault show geo01/access/17\n");
  return [options](Environment& env) { return RunShow(*options, env); };
}

}  // namespace logvault::cli
