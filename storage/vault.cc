#include "storage/vault.h"

#include <rocksdb/env.h>
#include <rocksdb/statistics.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "common/crash_point.h"
#include "evidence/checkpoint.h"
#include "storage/anchor.h"
#include "storage/group.h"
#include "storage/notices.h"
#include "storage/recompute.h"
#include "storage/retention.h"
#include "storage/tables.h"
#include "storage/tile_cache.h"
#include "storage/torn_manifest.h"

namespace logvault::storage {
namespace {

constexpr UnixNanos kClockStepMax = 10 * kNanosPerSecond;
// Beside the reserve a group needs room twice: in the write-ahead log and, later, in a table.
constexpr std::uint64_t kCopiesOfAGroup = 2;

rocksdb::Env& EnvOf(const VaultOptions& options) {
  return options.env != nullptr ? *options.env : *rocksdb::Env::Default();
}

TablesOptions OptionsFor(const VaultOptions& options, TablesMode mode) {
  TablesOptions result;
  result.dir = options.dir;
  result.env = options.env;
  result.mode = mode;
  result.statistics = options.statistics;
  return result;
}

// OK where a vault may be made: the folder is not there or empty, and nothing keeps an anchor for
// it.
Status CheckNothingThere(const VaultOptions& options) {
  rocksdb::Env& env = EnvOf(options);
  if (env.FileExists(options.anchor).ok()) {
    return AlreadyExists("anchor " + options.anchor + " exists: it belongs to a vault");
  }
  std::vector<std::string> children;
  if (!env.FileExists(options.dir).ok()) return Status::Ok();
  LV_RETURN_IF_ERROR(FromRocks(env.GetChildren(options.dir, &children)));
  for (const std::string& child : children) {
    if (child != "." && child != "..") {
      return AlreadyExists(options.dir + " is not empty: a vault is made in an empty folder only");
    }
  }
  return Status::Ok();
}

Status StatusOf(const Result<std::unique_ptr<Vault>>& vault) {
  return vault.ok() ? Status::Ok() : vault.status();
}

// In a folder that is a vault nothing may be missing: it is no folder without one.
Status InAVault(const Status& status) {
  if (status.code() != StatusCode::kNotFound) return status;
  return Corruption("a row is missing: " + status.message());
}

Status CheckGenesis(const evidence::GenesisBody& genesis, const evidence::SigningKey& key) {
  if (genesis.vault_public_key != key.public_key()) {
    return InvalidArgument("GENESIS names another key than the one that signs");
  }
  const std::string name = genesis.origin.substr(0, genesis.origin.find('/'));
  if (genesis.origin != evidence::OriginFor(name, key.public_key())) {
    return InvalidArgument("origin " + genesis.origin + " is not the one of this key");
  }
  return Status::Ok();
}

}  // namespace

bool AreOwnWords(std::span<const Entry> entries) {
  return std::all_of(entries.begin(), entries.end(), [](const Entry& entry) {
    return entry.kind != evidence::BlockKind::kStream &&
           entry.kind != evidence::BlockKind::kRecords &&
           (entry.kind != evidence::BlockKind::kKey || evidence::IsDirective(entry.body));
  });
}

Vault::Vault(VaultOptions options, SigningKeys keys, const Clock& clock,
             std::shared_ptr<Tables> tables)
    : options_(std::move(options)),
      keys_(std::move(keys)),
      clock_(clock),
      tables_(std::move(tables)),
      reader_(tables_) {}

Vault::~Vault() {
  // Leaves no write-ahead log to replay.  What is acknowledged is durable without it, so a failure
  // changes nothing.
  if (sealed_.ok()) static_cast<void>(tables_->Flush());
}

Status Vault::Create(const VaultOptions& options, const evidence::GenesisBody& genesis,
                     const evidence::SigningKey& key, const Clock& clock) {
  LV_RETURN_IF_ERROR(CheckGenesis(genesis, key));
  LV_RETURN_IF_ERROR(CheckNothingThere(options));
  LV_RETURN_IF_ERROR(FromRocks(EnvOf(options).CreateDirIfMissing(options.dir)));
  Result<std::shared_ptr<Tables>> tables = Tables::Open(OptionsFor(options, TablesMode::kCreate));
  if (!tables.ok()) return tables.status();
  Vault vault(options, {key}, clock, *std::move(tables));
  vault.genesis_ = genesis;
  vault.Publish({}, std::make_shared<evidence::Governance>(genesis, options.certificate_check));
  Group group(*vault.tables_, vault.reader_, *vault.governance(), vault.chain_, clock.Now(), 0);
  Result<std::uint64_t> block = group.AddOwn(evidence::BlockKind::kGenesis, genesis.Serialize());
  if (!block.ok()) return block.status();
  return vault.Write(group, vault.governance());
}

Result<std::unique_ptr<Vault>> Vault::Open(const VaultOptions& options, const SigningKeys& keys,
                                           const Clock& clock) {
  Result<std::unique_ptr<Vault>> vault =
      OpenAs(OptionsFor(options, TablesMode::kReadWrite), options, keys, clock);
  if (vault.ok()) return vault;
  const bool log_refused = vault.status().code() == StatusCode::kCorruption;
  if (!log_refused) return vault.status().WithContext("vault " + options.dir);
  Result<std::unique_ptr<Vault>> recovered = OpenAtLastGoodPoint(options, keys, clock);
  if (!recovered.ok()) {
    return Status(recovered.status().code(),
                  "vault " + options.dir + " is damaged (" + vault.status().message() +
                      ") and was not opened: " + recovered.status().message() +
                      "; `logvault verify --offline` tells what is left");
  }
  Entry alert;
  alert.kind = evidence::BlockKind::kAlert;
  alert.body = LogDamagedNotice(vault.status().message(), (*recovered)->head().size);
  Result<Commit> told = (*recovered)->Append({&alert, 1});
  if (!told.ok()) return told.status().WithContext("vault " + options.dir);
  return recovered;
}

// A power cut may leave the end of the write-ahead log, or of the MANIFEST, in a state that RocksDB refuses.  What
// was acknowledged is behind the anchor, so both may be cut at their last good record if the head there reaches the
// anchor.  That is tried read-only, and for the MANIFEST on a copy: a vault that fails it is left as it is.
Result<std::unique_ptr<Vault>> Vault::OpenAtLastGoodPoint(const VaultOptions& options,
                                                          const SigningKeys& keys,
                                                          const Clock& clock) {
  rocksdb::Env& env = EnvOf(options);
  TablesOptions tables = OptionsFor(options, TablesMode::kReadOnly);
  tables.wal_recovery = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  const auto trial = [&] { return OpenAs(tables, options, keys, clock); };
  Status status = StatusOf(trial());
  if (status.code() == StatusCode::kCorruption) {
    tables.dir = options.dir + ".trial";
    const Status copied = CopyWithoutTornEnd(env, options.dir, tables.dir);
    if (copied.ok()) status = StatusOf(trial());
    if (copied.code() == StatusCode::kAlreadyExists) return copied;
    if (copied.code() != StatusCode::kNotFound) RemoveCopy(env, tables.dir);
    if (copied.ok() && status.ok()) status = CutTornEnd(env, options.dir);
    tables.dir = options.dir;
  }
  if (!status.ok()) return status;
  tables.mode = TablesMode::kReadWrite;
  return OpenAs(tables, options, keys, clock);
}

Result<std::unique_ptr<Vault>> Vault::OpenAs(const TablesOptions& tables_options,
                                             const VaultOptions& options, const SigningKeys& keys,
                                             const Clock& clock) {
  Result<std::unique_ptr<Anchor>> anchor = Anchor::Open(EnvOf(options), options.anchor);
  const bool no_anchor = !anchor.ok() && anchor.status().code() == StatusCode::kNotFound;
  if (!anchor.ok() && !no_anchor) return Integrity(anchor.status().message());
  Result<std::shared_ptr<Tables>> tables = Tables::Open(tables_options);
  if (!tables.ok()) {
    if (tables.status().code() != StatusCode::kNotFound || no_anchor) return tables.status();
    return Integrity("there is an anchor at " + options.anchor + ", but no vault");
  }
  if (no_anchor) {
    return Integrity("the vault's anchor " + options.anchor +
                     " is missing: nothing shows that the folder is no older copy");
  }
  std::unique_ptr<Vault> vault(new Vault(options, keys, clock, *std::move(tables)));
  vault->anchor_ = *std::move(anchor);
  if (tables_options.mode == TablesMode::kReadOnly) {
    vault->sealed_ = Unavailable("the vault is open for reading only");
  }
  Status status = vault->Load();
  if (status.ok()) status = vault->CheckAnchor();
  if (!status.ok()) return InAVault(status);
  return vault;
}

Result<std::uint64_t> Vault::AcceptRollback(const VaultOptions& options, const SigningKeys& keys,
                                            const Clock& clock, std::string_view directive) {
  Result<std::unique_ptr<Anchor>> anchor = Anchor::Open(EnvOf(options), options.anchor);
  if (!anchor.ok() && anchor.status().code() != StatusCode::kNotFound) return anchor.status();
  Result<std::shared_ptr<Tables>> tables =
      Tables::Open(OptionsFor(options, TablesMode::kReadWrite));
  if (!tables.ok()) return tables.status();
  Vault vault(options, keys, clock, *std::move(tables));
  if (anchor.ok()) vault.anchor_ = *std::move(anchor);
  LV_RETURN_IF_ERROR(InAVault(vault.Load()));
  Result<evidence::Statement> statement = vault.governance()->Check(directive, clock.Now());
  if (!statement.ok()) return statement.status();
  Result<evidence::AcceptedRollback> rollback =
      evidence::OpenRollback(*statement, vault.governance()->key());
  if (!rollback.ok()) return rollback.status();
  Result<bool> written = vault.AwaitsAnchorOf(directive);
  if (!written.ok()) return written.status();
  LV_RETURN_IF_ERROR(vault.CheckRestored(*rollback, vault.head().size - (*written ? 1 : 0)));
  if (*written) {
    LV_RETURN_IF_ERROR(vault.MoveAnchor(vault.head().note));
    return rollback->restored.size;
  }
  Entry entry;
  entry.kind = evidence::BlockKind::kConfig;
  entry.body = directive;
  Result<Commit> commit = vault.Append({&entry, 1});  // makes the anchor where there is none
  if (!commit.ok()) return commit.status();
  return rollback->restored.size;
}

// Whether an acceptance was ended between its two steps: the directive is the newest block, not yet the anchor's.
Result<bool> Vault::AwaitsAnchorOf(std::string_view directive) const {
  const Head here = head();
  Result<evidence::BlockHeader> newest = reader_.Block(here.size - 1);
  if (!newest.ok()) return newest.status();
  return newest->kind == evidence::BlockKind::kConfig && newest->body == directive &&
         (anchor_ == nullptr || anchor_->note() != here.note);
}

// The vault's first `size` blocks are what the directive says, and its anchor saw nothing that the directive does not give up.
Status Vault::CheckRestored(const evidence::AcceptedRollback& rollback, std::uint64_t size) const {
  Result<evidence::Hash> root = evidence::RootAt(size, reader_.Nodes());
  if (!root.ok()) return root.status();
  if (size != rollback.restored.size || *root != rollback.restored.root) {
    return InvalidArgument("the directive restores a vault of " +
                           std::to_string(rollback.restored.size) + " blocks; the one in " +
                           options_.dir + " has " + std::to_string(head().size) +
                           ", or another history");
  }
  if (anchor_ == nullptr) return Status::Ok();
  Result<evidence::Checkpoint> anchored =
      evidence::OpenCheckpoint(anchor_->note(), governance()->key());
  if (!anchored.ok()) {
    return Integrity("the anchor is not signed by this vault: " + anchored.status().message());
  }
  if (anchored->size <= rollback.lost.size) return Status::Ok();
  return Integrity("the anchor has seen " + std::to_string(anchored->size) +
                   " blocks, and the directive gives up " + std::to_string(rollback.lost.size));
}

// Reads the newest head and what the next block is chained to, and checks that they fit each other.
Status Vault::Load() {
  Result<evidence::GenesisBody> genesis = reader_.Genesis();
  if (!genesis.ok()) return genesis.status();
  genesis_ = *std::move(genesis);
  Result<Head> head = reader_.StoredHead();
  if (!head.ok()) return head.status();
  LV_RETURN_IF_ERROR(LoadGovernance(head->size));
  LV_RETURN_IF_ERROR(Signers(*governance()).status());
  LV_RETURN_IF_ERROR(evidence::OpenCheckpoint(head->note, governance()->key())
                         .status()
                         .WithContext("newest checkpoint"));
  const std::unique_ptr<rocksdb::Iterator> newest = tables_->Seek(tables_->block());
  newest->SeekToLast();
  if (!newest->Valid()) return Corruption("the newest block cannot be read");
  Result<std::uint64_t> index = ParseNumberKey(ToView(newest->key()));
  if (!index.ok()) return index.status();
  if (*index + 1 != head->size) {
    return Corruption("the newest checkpoint covers " + std::to_string(head->size) +
                      " blocks, the newest block is " + std::to_string(*index));
  }
  Result<evidence::BlockHeader> block = reader_.Block(*index);
  if (!block.ok()) return block.status();
  Result<evidence::CompactTree> tree = evidence::CompactTree::Load(head->size, reader_.Nodes());
  if (!tree.ok()) return tree.status();
  if (tree->Root() != head->root) {
    return Corruption("the tiles' root is not the one of the newest checkpoint");
  }
  chain_.tree = *std::move(tree);
  chain_.prev = evidence::LeafHash(ToView(newest->value()));
  chain_.commit_time = block->commit_time;
  recomputed_ = chain_;
  Publish(*std::move(head), governance());
  return Status::Ok();
}

Status Vault::LoadGovernance(std::uint64_t size) {
  Result<std::map<std::uint64_t, std::string>> blocks = reader_.GoverningBlocks(size);
  if (!blocks.ok()) return blocks.status();
  auto governance = std::make_shared<evidence::Governance>(genesis_, options_.certificate_check);
  for (const auto& [index, bytes] : *blocks) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) return block.status();
    if (Status status = governance->Add(*block); !status.ok()) {
      return Integrity("governing block " + std::to_string(index) + ": " + status.message());
    }
  }
  Publish(head(), std::move(governance));
  return Status::Ok();
}

// The head must be the anchor's checkpoint or have grown from it.
Status Vault::CheckAnchor() {
  const Head here = head();
  Result<evidence::Checkpoint> anchored =
      evidence::OpenCheckpoint(anchor_->note(), governance()->key());
  if (!anchored.ok()) {
    return Integrity("the anchor is not signed by this vault: " + anchored.status().message());
  }
  if (anchored->size > here.size) {
    return Integrity("the vault ends at block " + std::to_string(here.size) +
                     ", but its anchor has seen " + std::to_string(anchored->size) +
                     " blocks: it is an older copy");
  }
  Result<evidence::Hash> root = evidence::RootAt(anchored->size, reader_.Nodes());
  if (!root.ok()) return root.status();
  if (*root != anchored->root) {
    return Integrity("the vault's history is not the one that its anchor has seen");
  }
  // A crash between the write and the anchor leaves it behind; nothing past it was acknowledged.
  if (anchored->size == here.size || !sealed_.ok()) return Status::Ok();
  return anchor_->Move(here.note);
}

Status Vault::CheckDiskReserve(std::span<const Entry> group) const {
  if (options_.disk_reserve_bytes == 0) return Status::Ok();
  std::error_code error;
  const std::uint64_t disk_bytes = std::filesystem::space(options_.dir, error).capacity;
  if (error) return Unavailable(options_.dir + ": " + error.message());
  std::uint64_t needed = std::min(options_.disk_reserve_bytes, disk_bytes / kDiskReservePart);
  if (AreOwnWords(group)) needed /= kOwnReservePart;
  for (const Entry& entry : group) {
    needed += kCopiesOfAGroup * (entry.body.size() + entry.payload.size());
  }
  std::uint64_t free_bytes = 0;
  LV_RETURN_IF_ERROR(FromRocks(EnvOf(options_).GetFreeSpace(options_.dir, &free_bytes)));
  if (free_bytes >= needed) return Status::Ok();
  return ResourceExhausted("the vault's disk has " + std::to_string(free_bytes) +
                           " bytes free, and " + std::to_string(needed) + " are kept in reserve");
}

// Whether the wall clock is behind the newest block, or moved otherwise than time itself, by over
// 10 s.
bool Vault::ClockStepped(UnixNanos now, UnixNanos offset) const {
  const UnixNanos before = clock_offset_.value_or(offset);
  return now < chain_.commit_time - kClockStepMax || offset - before > kClockStepMax ||
         before - offset > kClockStepMax;
}

Result<Commit> Vault::Append(std::span<const Entry> group) {
  if (!sealed_.ok()) return sealed_;
  LV_RETURN_IF_ERROR(CheckDiskReserve(group));
  const UnixNanos now = clock_.Now();
  const UnixNanos offset = now - clock_.Monotonic();
  const bool stepped = ClockStepped(now, offset);
  const std::shared_ptr<const evidence::Governance> governed = governance();
  Group building(*tables_, reader_, *governed, chain_, now, stepped ? evidence::kFlagClock : 0);
  for (const Entry& entry : group) LV_RETURN_IF_ERROR(building.Add(entry));
  if (building.adds_blocks()) {
    if (stepped && !clock_flagged_) {
      Result<std::uint64_t> alert =
          building.AddOwn(evidence::BlockKind::kAlert, ClockNotice(now, chain_.commit_time));
      if (!alert.ok()) return alert.status();
    }
    std::shared_ptr<const evidence::Governance> after = governed;
    if (building.governing().has_value()) {
      auto changed = std::make_shared<evidence::Governance>(*governed);
      LV_CHECK(changed->Add(*building.governing()).ok());  // the group has judged it
      LV_RETURN_IF_ERROR(Signers(*changed).status());
      after = std::move(changed);
    }
    LV_RETURN_IF_ERROR(Write(building, std::move(after)));
    clock_flagged_ = stepped;
    clock_offset_ = offset;
  }
  return Commit{building.TakeAppended(), head()};
}

Result<std::vector<const evidence::SigningKey*>> Vault::Signers(
    const evidence::Governance& governance) const {
  std::vector<const evidence::SigningKey*> signers;
  const std::vector<evidence::VaultKey>& vault_keys = governance.keys();
  for (auto key = vault_keys.rbegin(); key != vault_keys.rend() && !key->last_size; ++key) {
    const auto held =
        std::find_if(keys_.begin(), keys_.end(), [key](const evidence::SigningKey& candidate) {
          return candidate.public_key() == key->public_key;
        });
    if (held == keys_.end()) {
      return FailedPrecondition(
          "the signing key is not the one of vault " + genesis_.origin + ": no private key for " +
          evidence::VerifierKey::For(genesis_.origin, key->public_key).ToString());
    }
    signers.push_back(&*held);
  }
  return signers;
}

std::string Vault::SignHead(const evidence::Checkpoint& checkpoint,
                            const evidence::Governance& governance) const {
  const std::vector<const evidence::SigningKey*> signers = *Signers(governance);  // checked before
  std::string note = evidence::SignCheckpoint(checkpoint, *signers.front());
  for (auto signer = signers.begin() + 1; signer != signers.end(); ++signer)
    note = evidence::AddSignature(note, checkpoint.origin, **signer);
  return note;
}

// Makes `group` durable and its head public: one synced write, the anchor, the head; in that order.  `governed` is what
// is ordered once the group is there: by it the head is signed.
Status Vault::Write(Group& group, std::shared_ptr<const evidence::Governance> governed) {
  LV_RETURN_IF_ERROR(group.Finish());
  Result<Chain> recomputed = RecomputeChain(group.rows(), *tables_, recomputed_);
  if (!recomputed.ok()) return Seal("nothing was signed", recomputed.status());
  if (*recomputed != group.chain()) {
    return Seal("nothing was signed",
                Internal("a group's chain was computed in two ways, with two results"));
  }
  Head head;
  head.size = recomputed->tree.size();
  head.root = recomputed->tree.Root();
  head.note = SignHead({genesis_.origin, head.size, head.root}, *governed);
  LV_RETURN_IF_ERROR(
      FromRocks(group.rows().Put(tables_->checkpoint(), NumberKey(head.size), head.note)));

  LV_CRASH_POINT("vault.write");
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status written = tables_->db().Write(synced, &group.rows());
  if (!written.ok()) return Seal("a write was not made durable", FromRocks(written));
  LV_CRASH_POINT("vault.written");
  const Status moved = MoveAnchor(head.note);
  if (!moved.ok()) return Seal("the anchor was not moved", moved);
  LV_CRASH_POINT("vault.anchored");
  chain_ = group.chain();
  recomputed_ = *std::move(recomputed);
  tables_->tile_cache().Add(group.tiles().pieces());
  Publish(std::move(head), std::move(governed));
  LV_CRASH_POINT("vault.published");
  return Status::Ok();
}

// A vault that is being made has no anchor yet: its first head makes it.
Status Vault::MoveAnchor(const std::string& note) {
  if (anchor_ != nullptr) return anchor_->Move(note);
  return Anchor::Create(EnvOf(options_), options_.anchor, note);
}

Status Vault::Seal(std::string_view why, const Status& cause) {
  sealed_ = Unavailable("the vault is sealed until it is opened anew: " + std::string(why) + ": " +
                        cause.message());
  return sealed_;
}

void Vault::Publish(Head head, std::shared_ptr<const evidence::Governance> governance) {
  tables_->SetDictionaries(governance->dictionaries());
  MutexLock lock(head_mutex_);
  head_ = std::move(head);
  governance_ = std::move(governance);
}

std::shared_ptr<const evidence::Governance> Vault::governance() const {
  MutexLock lock(head_mutex_);
  return governance_;
}

Result<std::vector<evidence::RetentionBody>> Vault::FindExpired() const {
  return storage::FindExpired(*tables_, *governance(), clock_.Now());
}

Result<evidence::RetentionDoneBody> Vault::DeleteExpired(std::uint64_t retention,
                                                         const std::atomic<bool>& stop) const {
  return storage::DeleteExpired(*tables_, *governance(), retention, stop);
}

Status Vault::WriteIndex(const IndexedSegment& segment, const std::string& directory,
                         const std::vector<std::string>& chunks) const {
  LV_RETURN_IF_ERROR(CheckDiskReserve(std::vector<Entry>(1)));
  return WriteIndexSegment(*tables_, segment, directory, chunks);
}

Status Vault::WriteIndexBlock(const IndexedSegment& segment) const {
  return storage::WriteIndexBlock(*tables_, segment);
}

Result<std::string> Vault::Sign(evidence::SearchReceipt receipt) const {
  receipt.origin = genesis_.origin;
  Result<std::vector<const evidence::SigningKey*>> signers = Signers(*governance());
  if (!signers.ok()) return signers.status();
  return receipt.Sign(*signers);
}

Head Vault::head() const {
  MutexLock lock(head_mutex_);
  return head_;
}

}  // namespace logvault::storage
