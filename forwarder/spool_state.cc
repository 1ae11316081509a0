// Spool, what it keeps beside the batches: where each stream stands and how far its source was read, what the own stream
// owes, checkpoints, the newest epoch.
#include <utility>

#include "evidence/batch.h"
#include "forwarder/spool.h"

namespace logvault::forwarder {

Result<std::optional<StreamHead>> Spool::Head(const std::string& source) {
  MutexLock lock(mutex_);
  Result<Statement*> select =
      tables_.Sql("SELECT next_seq, head_hash, acked_seq FROM stream WHERE source=?1");
  if (!select.ok()) return select.status();
  Result<bool> row = (*select)->BindText(1, source).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<StreamHead>();
  StreamHead head;
  head.next_seq = static_cast<std::uint64_t>((*select)->Int(0));
  Result<evidence::Hash> hash = evidence::Hash::FromBytes((*select)->Blob(1));
  head.acked_seq = static_cast<std::uint64_t>((*select)->Int(2));
  (*select)->Reset();
  if (!hash.ok()) return hash.status().WithContext("spool: head of " + source);
  head.head_hash = *hash;
  return std::optional<StreamHead>(head);
}

Result<StreamHead> Spool::HeadBeforeWaiting(const std::string& source) {
  MutexLock lock(mutex_);
  Result<Statement*> select = tables_.Sql(
      "SELECT header FROM item WHERE state=0 AND kind=2 AND source=?1 ORDER BY id LIMIT 1");
  if (!select.ok()) return select.status();
  Result<bool> row = (*select)->BindText(1, source).Step();
  if (!row.ok()) return row.status();
  if (!*row) return NotFound("spool: no batch of " + source + " waits");
  std::string bytes = (*select)->Blob(0);
  (*select)->Reset();
  Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(bytes);
  if (!header.ok()) return header.status();
  StreamHead head;
  head.next_seq = header->first_seq;
  head.head_hash = header->stream_prev;
  return head;
}

Result<std::vector<evidence::PositionEntry>> Spool::Position(const std::string& source) {
  MutexLock lock(mutex_);
  Result<Statement*> select = tables_.Sql("SELECT key, value FROM position WHERE source=?1");
  if (!select.ok()) return select.status();
  (*select)->BindText(1, source);
  std::vector<evidence::PositionEntry> entries;
  while (true) {
    Result<bool> row = (*select)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    entries.push_back({(*select)->Blob(0), (*select)->Blob(1)});
  }
  (*select)->Reset();
  return entries;
}

Result<std::vector<std::string>> Spool::WaitingSources() {
  MutexLock lock(mutex_);
  Result<Statement*> select =
      tables_.Sql("SELECT DISTINCT source FROM item WHERE state=0 AND kind=2");
  if (!select.ok()) return select.status();
  std::vector<std::string> sources;
  while (true) {
    Result<bool> row = (*select)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    sources.push_back((*select)->Text(0));
  }
  (*select)->Reset();
  return sources;
}

Status Spool::KeepDescriptor(const std::string& source, std::string_view descriptor) {
  MutexLock lock(mutex_);
  return tables_.WriteMeta("descriptor/" + source, descriptor);
}

Result<std::string> Spool::Descriptor(const std::string& source) {
  MutexLock lock(mutex_);
  return tables_.ReadMeta("descriptor/" + source);
}

Status Spool::KeepDictionaries(
    const std::vector<std::shared_ptr<const evidence::Dictionary>>& added,
    const std::map<std::string, evidence::Hash>& in_force) {
  MutexLock lock(mutex_);
  Result<std::map<std::string, std::string>> before = tables_.ReadMetaUnder(kInForceKeys);
  if (!before.ok()) return before.status();
  std::map<std::string, std::string> after;
  for (const auto& [format, hash] : in_force) after[format] = hash.Hex();
  if (added.empty() && *before == after) return Status::Ok();
  Result<Transaction> transaction = tables_.Begin();
  if (!transaction.ok()) return transaction.status();
  for (const auto& dictionary : added) {
    const std::string key = std::string(kDictionaryKeys) + dictionary->hash().Hex();
    LV_RETURN_IF_ERROR(tables_.WriteMeta(key, dictionary->bytes()));
  }
  LV_RETURN_IF_ERROR(tables_.RemoveMetaUnder(kInForceKeys));
  for (const auto& [format, hash] : after)
    LV_RETURN_IF_ERROR(tables_.WriteMeta(std::string(kInForceKeys) + format, hash));
  return transaction->Commit();
}

Result<std::vector<std::shared_ptr<const evidence::Dictionary>>> Spool::Dictionaries() {
  MutexLock lock(mutex_);
  Result<std::map<std::string, std::string>> kept = tables_.ReadMetaUnder(kDictionaryKeys);
  if (!kept.ok()) return kept.status();
  std::vector<std::shared_ptr<const evidence::Dictionary>> dictionaries;
  for (const auto& [hash, bytes] : *kept) {
    if (auto sound = SoundDictionary(hash, bytes); sound != nullptr)
      dictionaries.push_back(std::move(sound));
  }
  return dictionaries;
}

Result<std::map<std::string, evidence::Hash>> Spool::DictionariesInForce() {
  MutexLock lock(mutex_);
  Result<std::map<std::string, std::string>> kept = tables_.ReadMetaUnder(kInForceKeys);
  if (!kept.ok()) return kept.status();
  std::map<std::string, evidence::Hash> in_force;
  for (const auto& [format, hex] : *kept) {
    if (Result<evidence::Hash> hash = evidence::Hash::FromHex(hex); hash.ok())
      in_force[format] = *hash;
  }
  return in_force;
}

Result<std::vector<OwedRecord>> Spool::Owed() {
  MutexLock lock(mutex_);
  Result<Statement*> select = tables_.Sql("SELECT id, record FROM owed ORDER BY id LIMIT 1000");
  if (!select.ok()) return select.status();
  std::vector<OwedRecord> owed;
  while (true) {
    Result<bool> row = (*select)->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    owed.push_back({(*select)->Int(0), (*select)->Text(1)});
  }
  (*select)->Reset();
  return owed;
}

Status Spool::Owe(std::string_view record) {
  MutexLock lock(mutex_);
  return tables_.WriteOwed(record);
}

Result<std::string> Spool::Note() {
  MutexLock lock(mutex_);
  return tables_.ReadMeta("note");
}

Result<std::string> Spool::Contradiction() {
  MutexLock lock(mutex_);
  return tables_.ReadMeta("contradiction");
}

Result<std::uint64_t> Spool::LastEpoch() {
  MutexLock lock(mutex_);
  Result<std::string> text = tables_.ReadMeta("last_epoch");
  if (!text.ok()) return text.status();
  return std::strtoull(text->c_str(), nullptr, 10);
}

SpoolFigures Spool::figures() const {
  MutexLock lock(mutex_);
  return figures_;
}

}  // namespace logvault::forwarder
