// The forwarder's durable queue: sealed batches, how far each source was read, and where each stream stands,
// in one SQLite file.
//
// What belongs together is one transaction: a batch with the position after it and its stream's next number.
// WAL mode with synchronous=FULL: a commit is one append and one fsync (the rollback journal needs three), and a
// torn tail is dropped whole on the next open.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"
#include "evidence/dictionary.h"
#include "evidence/hash.h"
#include "evidence/payload.h"
#include "forwarder/spool_salvage.h"
#include "forwarder/spool_tables.h"

namespace logvault::forwarder {

// The name of the forwarder's own source.
inline constexpr std::string_view kOwnSource = "logvault";
inline constexpr std::string_view kOwnFormat = "json";
// What the own source may use beyond max_bytes, so that a full spool can still say so.
inline constexpr std::uint64_t kOwnReserveBytes = 1 << 20;

// What Append leaves of the disk: with it the write-ahead log (4 MiB) can be written and folded back, so that what waits can
// be acknowledged and go.
inline constexpr std::uint64_t kDiskReserveBytes = 8 << 20;

// A request to the vault carries this much, or one larger item.
inline constexpr std::size_t kMaxRequestBytes = 2 * 1024 * 1024;
// What the process before this one may have sent in one, whichever version it was.
inline constexpr std::size_t kMaxRequestBytesEver = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxRequestItems = 1000;

// One an hour: a week.
inline constexpr std::int64_t kOlderNotesKept = 7 * 24;

struct SpoolOptions {
  std::string dir;
  std::uint64_t max_bytes = 1ull << 30;
  bool drop_oldest = false;
  std::uint64_t keep_acked_bytes = 1ull << 30;
  // Whose checkpoints are believed when a damaged spool is salvaged.
  std::optional<evidence::VerifierKey> vault_key;
};

// What enters the spool together.
struct SpoolCommit {
  std::optional<SpooledItem> registration;
  std::vector<SpooledBatch> batches;
  std::vector<std::int64_t> settled;  // owed records that are in one of the batches
};

struct SpoolFigures {
  std::uint64_t pending_bytes = 0;
  std::uint64_t pending_items = 0;
  std::uint64_t kept_bytes = 0;  // acknowledged or set aside, still here
  bool operator==(const SpoolFigures&) const = default;
};

// Safe from several threads: one connection, one call at a time.  The mutex is held across the disk write,
// because to order those writes is all that this class does; nobody but its callers waits for it.
class Spool {
 public:
  // Makes the folder and the file where they are missing; salvages a damaged file (spool_salvage.h).
  // kFailedPrecondition where another process holds the spool, or where it is another host's.
  static Result<std::unique_ptr<Spool>> Open(const SpoolOptions& options, std::string_view host);
  ~Spool();

  // What was done about a damaged file when this spool was opened.
  [[nodiscard]] const std::optional<SalvageReport>& salvaged() const { return salvaged_; }

  // kResourceExhausted where there is no room (when_full: block), or the disk has none: nothing was written, try again
  // later.  Where the disk is short of room, what is kept after its receipt goes first.  With
  // drop_oldest the oldest batches that the vault cannot have make room, and the own stream owes a gap record for each.
  Status Append(const SpoolCommit& commit) LV_EXCLUDES(mutex_);

  // The oldest items not yet acknowledged: as many as fit into `max_bytes` and `max_items`, but at least one.  From now
  // on the vault may have them: none of them is dropped to make room.  With drop_oldest they are no more than half of
  // the spool, so that there is always something else to drop.
  Result<std::vector<SpooledItem>> Oldest(std::size_t max_bytes, std::size_t max_items)
      LV_EXCLUDES(mutex_);

  // Marks `ids` acknowledged and keeps `note`, the newest verified checkpoint, in the same transaction.
  Status Acknowledge(const std::vector<std::int64_t>& ids, std::string_view note)
      LV_EXCLUDES(mutex_);
  // Takes a refused item out of the queue, keeps it beside, and owes `record` to the own stream.
  Status SetAside(std::int64_t id, std::string_view record) LV_EXCLUDES(mutex_);
  // Keeps a verified checkpoint beside the newest one, and drops the oldest of more than kOlderNotesKept.
  Status KeepOlderNote(std::string_view note) LV_EXCLUDES(mutex_);
  // Goes on from `note`, an older checkpoint than the newest one, which stays among the older ones.  Everything that is
  // still here although it was acknowledged waits again: the vault says of each batch whether it has it.
  Status GoOnFrom(std::string_view note) LV_EXCLUDES(mutex_);
  // Keeps a checkpoint that the vault signed and that contradicts the kept one, for whoever investigates.
  Status KeepContradiction(std::string_view note) LV_EXCLUDES(mutex_);
  // Keeps what the pinned key did not sign: no proof, also where that key is another one later.
  Status KeepRefused(std::string_view note) LV_EXCLUDES(mutex_);

  // Sets where a stream stands and how far its source was read, as the vault told us.
  Status Adopt(const std::string& source, const StreamHead& head,
               const std::vector<evidence::PositionEntry>& position) LV_EXCLUDES(mutex_);

  // What becomes of a waiting batch: another one, or it is set aside and `owed` is told.
  struct Resealed {
    std::optional<SpooledBatch> batch;
    std::string owed;
  };
  // Replaces every waiting batch of `source` by what `reseal` makes of it, in order, in one transaction; the new
  // ones queue behind everything else.  `registration`, where given, enters before them.  `reseal` must not
  // call the spool; it runs under the lock because no other use of the spool makes sense meanwhile.
  using ResealBatch = std::function<Result<Resealed>(const SpooledItem&)>;
  Status Reseal(const std::string& source, const std::optional<SpooledItem>& registration,
                const ResealBatch& reseal) LV_EXCLUDES(mutex_);
  // Drops a registration that the vault refused.
  Status Discard(std::int64_t id) LV_EXCLUDES(mutex_);

  // Nothing where the stream was never adopted here.
  Result<std::optional<StreamHead>> Head(const std::string& source) LV_EXCLUDES(mutex_);
  // What the oldest waiting batch of `source` follows on.  kNotFound where none waits.
  Result<StreamHead> HeadBeforeWaiting(const std::string& source) LV_EXCLUDES(mutex_);
  Result<std::vector<evidence::PositionEntry>> Position(const std::string& source)
      LV_EXCLUDES(mutex_);
  // Sources with batches that wait.
  Result<std::vector<std::string>> WaitingSources() LV_EXCLUDES(mutex_);
  // What Open said of a source: it is needed again while its batches wait, configured or not.
  Status KeepDescriptor(const std::string& source, std::string_view descriptor) LV_EXCLUDES(mutex_);
  Result<std::string> Descriptor(const std::string& source) LV_EXCLUDES(mutex_);
  // Adds what small batches are compressed with to what is kept, and sets which of it is in force, by format.
  Status KeepDictionaries(const std::vector<std::shared_ptr<const evidence::Dictionary>>& added,
                          const std::map<std::string, evidence::Hash>& in_force)
      LV_EXCLUDES(mutex_);
  // Those that are as they were handed out: the vault is asked again for one that is damaged.
  Result<std::vector<std::shared_ptr<const evidence::Dictionary>>> Dictionaries()
      LV_EXCLUDES(mutex_);
  Result<std::map<std::string, evidence::Hash>> DictionariesInForce() LV_EXCLUDES(mutex_);
  Result<std::vector<OwedRecord>> Owed() LV_EXCLUDES(mutex_);
  Status Owe(std::string_view record) LV_EXCLUDES(mutex_);

  // The newest checkpoint note kept; empty for none.
  Result<std::string> Note() LV_EXCLUDES(mutex_);
  Result<std::string> Contradiction() LV_EXCLUDES(mutex_);
  // The newest epoch that ever entered this spool.
  Result<std::uint64_t> LastEpoch() LV_EXCLUDES(mutex_);
  [[nodiscard]] SpoolFigures figures() const LV_EXCLUDES(mutex_);

 private:
  Spool(SpoolOptions options, int lock_fd, SpoolTables tables);

  Status CheckOwner(std::string_view host) LV_EXCLUDES(mutex_);
  Status LoadFigures() LV_REQUIRES(mutex_);
  Status TryAppend(const SpoolCommit& commit) LV_REQUIRES(mutex_);
  Status MakeRoom(const SpoolCommit& commit, std::uint64_t bytes, SpoolFigures& figures)
      LV_REQUIRES(mutex_);
  Result<std::uint64_t> RoomOnDisk() LV_REQUIRES(mutex_);
  Status DropOldest(std::uint64_t bytes, std::uint64_t limit, SpoolFigures& figures)
      LV_REQUIRES(mutex_);
  Status LoadSentThrough() LV_REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t RequestBytesMax(std::uint64_t wanted) const;
  Status RoomWithoutDropping() LV_REQUIRES(mutex_);
  Status MarkAcknowledged(std::int64_t id, SpoolFigures& figures) LV_REQUIRES(mutex_);
  Status PruneKept(std::uint64_t limit, ItemState last, SpoolFigures& figures) LV_REQUIRES(mutex_);
  Result<std::int64_t> NewestId() LV_REQUIRES(mutex_);
  Status Replace(std::int64_t id, const Resealed& fresh) LV_REQUIRES(mutex_);

  const SpoolOptions options_;
  const int lock_fd_;
  std::optional<SalvageReport> salvaged_;  // written before anybody else sees this

  mutable Mutex mutex_;
  SpoolTables tables_ LV_GUARDED_BY(mutex_);
  SpoolFigures figures_ LV_GUARDED_BY(mutex_);
  // What waits up to this id was in a request: the vault may have it, answered or not.
  std::int64_t sent_through_ LV_GUARDED_BY(mutex_) = 0;
};

}  // namespace logvault::forwarder
