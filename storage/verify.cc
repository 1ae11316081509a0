#include "storage/verify.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "evidence/checkpoint.h"
#include "storage/anchor.h"
#include "storage/damage.h"
#include "storage/findings.h"
#include "storage/keys.h"
#include "storage/retention.h"
#include "storage/tables.h"
#include "storage/verify_pass.h"

namespace logvault::storage {
namespace {

// Opens the folder; where RocksDB refuses, once more at the last good point, with the refusal as a
// finding. nullptr where nothing opens.
Result<std::shared_ptr<Tables>> OpenAsFarAsItGoes(const std::string& dir, Findings& findings,
                                                  Damage& damage) {
  TablesOptions options;
  options.dir = dir;
  options.mode = TablesMode::kReadOnly;
  options.info_log = WatchForDroppedBytes(damage);
  Result<std::shared_ptr<Tables>> tables = Tables::Open(options);
  if (tables.ok() || tables.status().code() == StatusCode::kNotFound) return tables;
  damage.AddFrom(tables.status().message());
  findings.Add(0, "RocksDB refuses the folder: " + tables.status().message());
  options.wal_recovery = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  for (const bool paranoid : {true, false}) {
    options.paranoid = paranoid;
    tables = Tables::Open(options);
    if (tables.ok()) return tables;
    damage.AddFrom(tables.status().message());
  }
  return std::shared_ptr<Tables>();
}

// The vault's keys by GENESIS and by what administrators ordered since.  A directive that is not in order is for the
// auditor to report.
evidence::VerifierKey StatedKey(const VerifyOptions& options, const Tables& tables,
                                const evidence::GenesisBody& genesis) {
  evidence::Governance governance(genesis, options.certificate_check);
  static_cast<void>(ForEachGoverning(
      tables, UINT64_MAX, [&governance](std::uint64_t, const Result<std::string>& bytes) {
        if (!bytes.ok()) return Status::Ok();
        Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(*bytes);
        if (block.ok()) static_cast<void>(governance.Add(*block));
        return Status::Ok();
      }));
  return governance.key();
}

// The key that checkpoints must be signed with: the pinned one, else the one that the vault states.
Result<evidence::VerifierKey> KeyOf(const VerifyOptions& options, const Tables* tables,
                                    Findings& findings) {
  Result<std::string> bytes = tables == nullptr
                                  ? Result<std::string>(NotFound("the folder cannot be opened"))
                                  : tables->Get(tables->block(), NumberKey(0));
  Result<evidence::BlockHeader> block =
      bytes.ok() ? evidence::BlockHeader::Parse(*bytes) : bytes.status();
  Result<evidence::GenesisBody> genesis =
      block.ok() ? evidence::GenesisBody::Parse(block->body) : block.status();
  if (!genesis.ok()) {
    if (options.key) return *options.key;
    return genesis.status().WithContext("no key is given, and GENESIS cannot be read");
  }
  const evidence::VerifierKey stated = StatedKey(options, *tables, *genesis);
  if (!options.key) return stated;
  if (options.key->name != stated.name ||
      options.key->first_public_key() != stated.first_public_key()) {
    findings.Add(0, "GENESIS states the key " + stated.ToString() + ", expected is " +
                        options.key->ToString());
  }
  return options.key->NarrowedBy(stated);
}

void AddWitness(std::string what, std::string_view note, const evidence::VerifierKey& key,
                std::vector<Witness>& witnesses, Findings& findings) {
  Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(note, key);
  if (checkpoint.ok()) {
    witnesses.push_back({std::move(what), *std::move(checkpoint)});
  } else {
    findings.Add(0, what + " is not signed by this vault: " + checkpoint.status().message());
  }
}

// Without any table: every block that a witness saw is out of reach.
void ReportNothingReadable(const std::vector<Witness>& witnesses, Findings& findings) {
  std::uint64_t end = 0;
  for (const Witness& witness : witnesses) end = std::max(end, witness.checkpoint.size);
  for (std::uint64_t index = 0; index < end; ++index) {
    findings.Add(index, "the block cannot be read: RocksDB does not open");
  }
}

}  // namespace

Result<VerifyReport> VerifyVault(const VerifyOptions& options) {
  VerifyReport report;
  Findings findings;
  Damage damage;
  // Before the folder is opened: beside a live collector the anchor moves on.
  Result<std::string> anchor = options.anchor.empty() ? Result<std::string>(NotFound("no anchor"))
                                                      : ReadAnchor(options.anchor);
  Result<std::shared_ptr<Tables>> tables = OpenAsFarAsItGoes(options.dir, findings, damage);
  if (!tables.ok()) {
    if (anchor.status().code() == StatusCode::kNotFound) return tables.status();
    return Integrity("there is an anchor at " + options.anchor + ", but " +
                     tables.status().message());
  }
  Result<evidence::VerifierKey> key = KeyOf(options, tables->get(), findings);
  if (!key.ok()) return key.status();
  report.key_pinned = options.key.has_value();
  report.origin = key->name;

  std::vector<Witness> witnesses;
  if (anchor.ok()) AddWitness("the anchor", *anchor, *key, witnesses, findings);
  if (!anchor.ok() && anchor.status().code() != StatusCode::kNotFound) {
    findings.Add(0, "the anchor cannot be read: " + anchor.status().message());
  }
  if (options.known_note) {
    AddWitness("the given checkpoint", *options.known_note, *key, witnesses, findings);
  }
  if (*tables != nullptr) {
    VerifyPass(**tables, options, *key, std::move(witnesses), findings, damage).Run(report);
  } else {
    ReportNothingReadable(witnesses, findings);
  }
  const std::set<std::string> files = damage.files();
  report.damaged_files.assign(files.begin(), files.end());
  report.findings = findings.Take();
  // In a tree that is not sound every later root differs.
  if (!report.findings.empty()) report.claims.clear();
  return report;
}

}  // namespace logvault::storage
