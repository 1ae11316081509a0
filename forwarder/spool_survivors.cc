#include "forwarder/spool_survivors.h"

#include <algorithm>
#include <optional>

#include "evidence/batch.h"
#include "evidence/dictionary.h"
#include "evidence/merkle.h"
#include "forwarder/spool_check.h"

namespace logvault::forwarder {

namespace {

// Rows are looked for by their number: beyond the last one that is known, this far.
constexpr std::int64_t kIdsProbed = 4096;

// Rows of `sql` up to the first page that cannot be read.
template <typename Row>
void ForEachReadableRow(Database& db, std::string_view sql, Row row) {
  (void)ForEachRow(db, sql, row);
}

// A number that `sql` answers, or nothing.
std::optional<std::int64_t> NumberOf(Database& db, std::string_view sql) {
  std::optional<std::int64_t> number;
  ForEachReadableRow(db, sql, [&](const Statement& row) { number = row.Int(0); });
  return number;
}

class Reader {
 public:
  Reader(Database& db, const std::string& host, const TakeItem& take)
      : db_(db), host_(host), take_(take) {}

  Result<Survivors> Run() {
    ReadMeta();
    ReadStreams();
    LV_RETURN_IF_ERROR(ReadItems());
    ReadPositions();
    return std::move(found_);
  }

 private:
  void ReadMeta() {
    ForEachReadableRow(db_, "SELECT key, value FROM meta",
                       [&](const Statement& row) { found_.meta[row.Text(0)] = row.Blob(1); });
    for (const auto& [key, value] : found_.meta) {
      if (!key.starts_with(kDictionaryKeys)) continue;
      const auto sound =
          SoundDictionary(std::string_view(key).substr(kDictionaryKeys.size()), value);
      if (sound != nullptr) dictionaries_.Add(sound, 0);
    }
    ForEachReadableRow(db_, "SELECT record FROM owed ORDER BY id",
                       [&](const Statement& row) { found_.owed.push_back(row.Text(0)); });
    ForEachReadableRow(db_, "SELECT note FROM older_note ORDER BY id",
                       [&](const Statement& row) { found_.older_notes.push_back(row.Blob(0)); });
  }

  void ReadStreams() {
    ForEachReadableRow(db_, "SELECT source, next_seq, head_hash, acked_seq FROM stream",
                       [&](const Statement& row) {
                         Result<evidence::Hash> hash = evidence::Hash::FromBytes(row.Blob(2));
                         if (!hash.ok() || row.Int(1) < 1) return;
                         SurvivingStream& stream = found_.streams[row.Text(0)];
                         stream.known = true;
                         stream.head = {static_cast<std::uint64_t>(row.Int(1)), *hash,
                                        static_cast<std::uint64_t>(row.Int(3))};
                       });
  }

  // A walk over the table ends at the first bad page; asking for each number goes around it.
  Status ReadItems() {
    const std::optional<std::int64_t> first = NumberOf(db_, "SELECT MIN(id) FROM item");
    const std::optional<std::int64_t> last = NumberOf(db_, "SELECT MAX(id) FROM item");
    const std::optional<std::int64_t> ever =
        NumberOf(db_, "SELECT seq FROM sqlite_sequence WHERE name='item'");
    const std::int64_t begin = std::max<std::int64_t>(first.value_or(1), 1);
    std::int64_t end = std::max(last.value_or(0), ever.value_or(0));
    if (!last.has_value() && !ever.has_value()) end = begin + kIdsProbed;
    Result<Statement> select =
        db_.Prepare("SELECT " + std::string(kItemColumns) + ", state FROM item WHERE id=?1");
    if (!select.ok()) return Status::Ok();
    for (std::int64_t id = begin; id <= end; ++id) {
      Result<bool> row = select->Bind(1, id).Step();
      if (row.ok() && *row) {
        const SpooledItem item = ReadItem(*select);
        const auto state = static_cast<ItemState>(select->Int(8));
        LV_RETURN_IF_ERROR(TakeIfSound(item, state));
        end = std::max(end, ever.has_value() || last.has_value() ? end : id + kIdsProbed);
      }
      select->Reset();
    }
    return Status::Ok();
  }

  Status TakeIfSound(const SpooledItem& item, ItemState state) {
    if (!CheckItem(item, host_).ok()) return Status::Ok();
    if (item.kind == ItemKind::kBatch) LV_RETURN_IF_ERROR(Count(item, state));
    return take_(item, state);
  }

  Status Count(const SpooledItem& item, ItemState state) {
    SurvivingStream& stream = found_.streams[item.source];
    stream.has_batches = true;
    const SeqRange range(item.first_seq, item.last_seq);
    if (state == ItemState::kWaiting) stream.waiting.push_back(range);
    if (state == ItemState::kSetAside) stream.set_aside.push_back(range);
    if (state == ItemState::kAcknowledged)
      stream.head.acked_seq = std::max(stream.head.acked_seq, item.last_seq);
    // The newest batch says where the stream stands at least.
    if (item.last_seq + 1 >= stream.head.next_seq) {
      stream.head.next_seq = item.last_seq + 1;
      stream.head.head_hash = evidence::LeafHash(item.header);
    }
    Result<evidence::BatchHeader> header = evidence::BatchHeader::Parse(item.header);
    if (!header.ok()) return header.status();
    Result<evidence::Payload> payload = evidence::OpenPayload(*header, item.payload, dictionaries_);
    if (!payload.ok()) return Status::Ok();
    for (const evidence::PositionEntry& entry : payload->position())
      told_[item.source][entry.key] = entry.value;
    return Status::Ok();
  }

  // Where rows cannot be read, the batches themselves say what they changed.
  void ReadPositions() {
    Status read =
        ForEachRow(db_, "SELECT source, key, value FROM position", [&](const Statement& row) {
          found_.streams[row.Text(0)].position[row.Blob(1)] = row.Blob(2);
        });
    if (read.ok()) return;
    for (const auto& [source, entries] : told_) {
      auto& position = found_.streams[source].position;
      for (const auto& [key, value] : entries) {
        if (!value.empty()) position.try_emplace(key, value);
      }
    }
  }

  Database& db_;
  const std::string& host_;
  const TakeItem& take_;
  Survivors found_;
  evidence::Dictionaries dictionaries_;
  std::map<std::string, std::map<std::string, std::string>> told_;  // by the batches themselves
};

}  // namespace

Result<Survivors> ReadSurvivors(Database& db, const std::string& host, const TakeItem& take) {
  return Reader(db, host, take).Run();
}

std::vector<SeqRange> MissingIn(const SurvivingStream& stream) {
  std::vector<SeqRange> held = stream.waiting;
  held.insert(held.end(), stream.set_aside.begin(), stream.set_aside.end());
  std::sort(held.begin(), held.end());
  std::vector<SeqRange> missing;
  std::uint64_t next = stream.head.acked_seq + 1;
  for (const auto& [first, last] : held) {
    if (first > next) missing.emplace_back(next, first - 1);
    next = std::max(next, last + 1);
  }
  if (next < stream.head.next_seq) missing.emplace_back(next, stream.head.next_seq - 1);
  return missing;
}

}  // namespace logvault::forwarder
