// `logvault proof`: one record with everything that ties it to a signed checkpoint, as a file; and the check of such a
// file, which needs the vault's key and nothing else.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/found_record.h"
#include "cli/result_file.h"
#include "config/small_file.h"
#include "evidence/merkle.h"
#include "evidence/record_proof.h"
#include "formats/time_text.h"
#include "pki/vault_files.h"
#include "query/output.h"

namespace logvault::cli {
namespace {

struct ProofOptions {
  std::string name;
  std::string out;
  std::string check;
};

ExitCode RunMake(const ProofOptions& options, Environment& env) {
  Result<RecordName> name = RecordName::Parse(options.name);
  if (!name.ok()) return Fail(name.status());
  Result<FoundRecord> found = FindRecord(*name, env);
  if (!found.ok() && found.status().code() == StatusCode::kNotFound) {
    Tell(options.name + ": " + found.status().message());
    return ExitCode::kNoMatch;
  }
  if (!found.ok()) return Fail(found.status());
  evidence::RecordProof proof =
      evidence::ProveRecord(found->block_bytes, found->batch, found->payload, name->seq);
  proof.host = name->host;
  proof.source = name->source;
  proof.index = found->block.index;
  proof.block_path = found->inclusion;
  proof.note = found->note;
  if (Status written = WriteResult(options.out, proof.Serialize(), env.out); !written.ok()) {
    Tell(written.message());
    return ExitCode::kUsage;
  }
  Tell("wrote the proof of " + options.name + " in block " + std::to_string(proof.index) +
       " of the signed tree of size " + std::to_string(found->checkpoint.size));
  return found->vault_sound ? ExitCode::kOk : ExitCode::kIntegrity;
}

void AppendProven(const evidence::RecordProof& proof, const evidence::ProvenRecord& proven,
                  std::string& out) {
  auto line = [&out](std::string name, std::string_view value) {
    name.resize(14, ' ');
    out += name + query::EscapeForTerminal(value) + "\n";
  };
  line("vault", proven.checkpoint.origin);
  line("host", proof.host);
  line("source", proof.source);
  line("seq", std::to_string(proof.seq));
  line("time",
       proof.event_time == kNoTime ? "none in the record" : formats::FormatUtc(proof.event_time));
  line("read time", formats::FormatUtc(proof.read_time));
  line("commit time", formats::FormatUtc(proven.block.commit_time));
  line("origin", proof.origin);
  line("block",
       std::to_string(proof.index) + ", leaf hash " + evidence::LeafHash(proof.block).Hex());
  line("tree size",
       std::to_string(proven.checkpoint.size) + ", root " + proven.checkpoint.root.Hex());
  line("bytes",
       std::to_string(proof.bytes.size()) + ", SHA-256 " + evidence::Sha256(proof.bytes).Hex());
  line("record", proof.bytes);
  out +=
      "proven: the vault committed these bytes under this host, source and number, with these "
      "times.\n"
      "Not part of a proof: the host's own signature over the batch; `logvault export` has it.\n";
}

ExitCode RunCheck(const ProofOptions& options, Environment& env) {
  if (env.settings.credentials.empty()) {
    return Fail(InvalidArgument(
        "--check needs the vault's key: give --credentials DIR with its vault.pub"));
  }
  Result<pki::VaultPublic> key = pki::LoadVaultPublic(env.settings.credentials + "/vault.pub");
  if (!key.ok()) return Fail(key.status());
  Result<std::string> text = config::ReadSmallFile(options.check, evidence::kMaxRecordProofSize);
  if (!text.ok()) {
    Tell(text.status().message());
    return ExitCode::kUsage;
  }
  Result<evidence::RecordProof> proof = evidence::RecordProof::Parse(*text);
  if (!proof.ok()) return Fail(proof.status().WithContext(options.check));
  Result<evidence::ProvenRecord> proven = evidence::CheckRecordProof(*proof, key->verifier);
  if (!proven.ok()) {
    const RecordName name{proof->host, proof->source, proof->seq};
    return Fail(proven.status().WithContext(
        options.check + ": NOT PROVEN: " + query::EscapeForTerminal(name.ToString())));
  }
  AppendProven(*proof, *proven, env.out.buffer());
  env.out.Flush();
  return ExitCode::kOk;
}

ExitCode RunProof(const ProofOptions& options, Environment& env) {
  if (!options.check.empty()) return RunCheck(options, env);
  if (!options.name.empty() && !options.out.empty()) return RunMake(options, env);
  return Fail(InvalidArgument(
      "give HOST/SOURCE/SEQ and --out FILE to make a proof, or --check FILE to check one"));
}

}  // namespace

Action DefineProof(CLI::App& command) {
  auto options = std::make_shared<ProofOptions>();
  CLI::Option* record =
      command.add_option("RECORD", options->name, "HOST/SOURCE/SEQ")->type_name("");
  CLI::Option* out =
      command.add_option("--out", options->out, "where the proof goes; - for standard output")
          ->type_name("FILE");
  command.add_option("--check", options->check, "check this proof, offline")
      ->type_name("FILE")
      ->excludes(record)
      ->excludes(out);
  command.footer(
      "A proof is a C2SP tlog-proof: the record with its bytes, its block, and its way to a "
      "checkpoint that the\n"
      "vault signed.  --check needs the vault.pub of --credentials and nothing else; exit code 4: "
      "altered.\n"
      "\nExamples:\n"
      "  logvault proof geo01/access/17 --out 17.tlog-proof\n"
      "  logvault proof --check 17.tlog-proof --credentials ./alice\n");
  return [options](Environment& env) { return RunProof(*options, env); };
}

}  // namespace logvault::cli
