#include "storage/tables.h"

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <array>
#include <utility>

#include "storage/keys.h"
#include "storage/tile_cache.h"

namespace logvault::storage {
namespace {

// Bounds on what an open vault holds in memory and in file handles.
constexpr std::size_t kMemtableBytes = 32u << 20;  // all families together
constexpr std::size_t kPayloadMemtableBytes = 16u
                                              << 20;  // one payload family; also its files' size
constexpr std::size_t kSmallMemtableBytes = 8u << 20;
constexpr std::size_t kWalBytes = 64u << 20;
constexpr std::size_t kCacheBytes = 32u << 20;
constexpr int kOpenFiles = 512;
constexpr std::size_t kInfoLogBytes = 4u << 20;
constexpr std::size_t kInfoLogFiles = 2;
constexpr std::size_t kScanReadahead = 1u << 20;
// Of an index as small as level 3 makes it, in two thirds of the time (docs/performance.md).
constexpr int kZstdLevel = 2;

constexpr std::array kFixedFamilies = {kBlockFamily,  kTileFamily,   kCheckpointFamily,
                                       kStreamFamily, kSecretFamily, kIndexFamily,
                                       kRollupFamily};

bool IsPayload(std::string_view name) { return name.starts_with(kPayloadFamilyPrefix); }

// Families whose keys only rise: their files never overlap, so that compaction moves them and never
// rewrites one.
bool OnlyAppended(std::string_view name) {
  return IsPayload(name) || name == kBlockFamily || name == kCheckpointFamily ||
         name == kIndexFamily;
}

rocksdb::ColumnFamilyOptions FamilyOptions(std::string_view name,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  table.block_size = IsPayload(name) ? 64u << 10 : 16u << 10;

  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = IsPayload(name) ? kPayloadMemtableBytes : kSmallMemtableBytes;
  options.max_write_buffer_number = 3;
  options.compression = IsPayload(name) ? rocksdb::kNoCompression : rocksdb::kZSTD;
  options.compression_opts.level = kZstdLevel;
  options.bottommost_compression = rocksdb::kDisableCompressionOption;
  options.ttl = 0;  // nothing is rewritten for its age
  options.periodic_compaction_seconds = 0;
  if (OnlyAppended(name)) {
    // Level 0 and one below it: a file is moved once, by an entry in the MANIFEST.  docs/adr/0004.
    options.compaction_style = rocksdb::kCompactionStyleLevel;
    options.num_levels = 2;
    options.level0_file_num_compaction_trigger = 4;
    options.level0_slowdown_writes_trigger = 1000;
    options.level0_stop_writes_trigger = 2000;
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::DBOptions DatabaseOptions(const TablesOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.mode == TablesMode::kCreate;
  db.error_if_exists = options.mode == TablesMode::kCreate;
  db.create_missing_column_families = options.mode == TablesMode::kCreate;
  db.paranoid_checks = options.paranoid;
  if (options.env != nullptr) db.env = options.env;
  db.wal_recovery_mode = options.wal_recovery;
  db.max_total_wal_size = kWalBytes;
  db.db_write_buffer_size = kMemtableBytes;
  db.max_open_files = kOpenFiles;
  db.max_background_jobs = 2;
  db.keep_log_file_num = kInfoLogFiles;
  db.max_log_file_size = kInfoLogBytes;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.info_log = options.info_log;
  db.statistics = options.statistics;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

// Takes RocksDB's log where the folder must not be written to.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// Whether a vault is, or was, in the folder: RocksDB's CURRENT names one of these.
bool HoldsManifest(rocksdb::Env& env, const std::string& dir) {
  std::vector<std::string> children;
  return env.GetChildren(dir, &children).ok() &&
         std::any_of(children.begin(), children.end(),
                     [](const std::string& child) { return child.starts_with("MANIFEST-"); });
}

// Of opening a vault: a file that another of its files names, and that is not there, is damage.
Status FromOpening(const rocksdb::Status& status) {
  return status.IsPathNotFound() ? Corruption(status.ToString()) : FromRocks(status);
}

Result<std::vector<std::string>> FamiliesIn(const rocksdb::DBOptions& db, const std::string& dir,
                                            TablesMode mode) {
  std::vector<std::string> names;
  if (mode != TablesMode::kCreate) {
    LV_RETURN_IF_ERROR(FromOpening(rocksdb::DB::ListColumnFamilies(db, dir, &names)));
    return names;
  }
  names.assign(kFixedFamilies.begin(), kFixedFamilies.end());
  names.push_back(rocksdb::kDefaultColumnFamilyName);
  return names;
}

// A live writer may drop a file between our reading of the MANIFEST and our opening of that file;
// then the next try finds a newer MANIFEST.
constexpr int kReadOnlyTries = 5;

}  // namespace

Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) return Status::Ok();
  if (status.IsNotFound()) return NotFound(status.ToString());
  if (status.IsCorruption()) return Corruption(status.ToString());
  if (status.IsInvalidArgument()) return InvalidArgument(status.ToString());
  return Unavailable(status.ToString());
}

Result<std::shared_ptr<Tables>> Tables::OpenOnce(const rocksdb::DBOptions& db_options,
                                                 const TablesOptions& options) {
  Result<std::vector<std::string>> names = FamiliesIn(db_options, options.dir, options.mode);
  if (!names.ok()) return names.status();
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kCacheBytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.reserve(names->size());
  for (const std::string& name : *names) families.emplace_back(name, FamilyOptions(name, cache));

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      options.mode == TablesMode::kReadOnly
          ? rocksdb::DB::OpenForReadOnly(db_options, options.dir, families, &handles, &db)
          : rocksdb::DB::Open(db_options, options.dir, families, &handles, &db);
  if (!status.ok()) return FromOpening(status);
  std::shared_ptr<Tables> tables(new Tables(std::unique_ptr<rocksdb::DB>(db), cache, handles));
  LV_RETURN_IF_ERROR(tables->FindFamilies());
  if (options.mode == TablesMode::kReadOnly && options.paranoid) {
    LV_RETURN_IF_ERROR(tables->PinRewrittenFiles());
  }
  return tables;
}

Result<std::shared_ptr<Tables>> Tables::Open(const TablesOptions& options) {
  rocksdb::DBOptions db = DatabaseOptions(options);
  if (options.mode == TablesMode::kReadOnly && db.info_log == nullptr) {
    db.info_log = std::make_shared<SilentLogger>();
  }
  if (options.mode != TablesMode::kCreate && !db.env->FileExists(options.dir + "/CURRENT").ok()) {
    if (!HoldsManifest(*db.env, options.dir)) return NotFound("no vault in " + options.dir);
    return Corruption("the vault's file " + options.dir + "/CURRENT is missing");
  }
  Result<std::shared_ptr<Tables>> tables = OpenOnce(db, options);
  for (int tries = 1;
       tries < kReadOnlyTries && options.mode == TablesMode::kReadOnly && !tables.ok(); ++tries) {
    tables = OpenOnce(db, options);
  }
  // What RocksDB says of its LOCK file, held by another process or by this one.
  if (!tables.ok() && (tables.status().message().find("While lock file") != std::string::npos ||
                       tables.status().message().find("lock hold by") != std::string::npos)) {
    return FailedPrecondition("the vault is open in another process: " + tables.status().message());
  }
  return tables;
}

Tables::Tables(std::unique_ptr<rocksdb::DB> db, std::shared_ptr<rocksdb::Cache> cache,
               const std::vector<rocksdb::ColumnFamilyHandle*>& handles)
    : db_(std::move(db)), cache_(std::move(cache)), tile_cache_(std::make_unique<TileCache>()) {
  MutexLock lock(families_mutex_);
  for (rocksdb::ColumnFamilyHandle* handle : handles) families_.emplace(handle->GetName(), handle);
}

// A live writer compacts these families and deletes their old files.  An iterator that stands in a
// file keeps it open, and RocksDB's table cache then finds it open whoever asks.
Status Tables::PinRewrittenFiles() {
  for (rocksdb::ColumnFamilyHandle* family : SmallFamilies()) {
    if (OnlyAppended(family->GetName())) continue;
    rocksdb::ColumnFamilyMetaData files;
    db_->GetColumnFamilyMetaData(family, &files);
    for (const rocksdb::LevelMetaData& level : files.levels) {
      for (const rocksdb::SstFileMetaData& file : level.files) {
        pins_.push_back(Seek(family));
        pins_.back()->Seek(file.smallestkey);
        const rocksdb::Status status = pins_.back()->status();
        if (!status.ok() && !status.IsCorruption()) return FromRocks(status);
      }
    }
  }
  return Status::Ok();
}

Status Tables::FindFamilies() {
  MutexLock lock(families_mutex_);
  const auto find = [this](std::string_view name) LV_REQUIRES(families_mutex_) {
    const auto found = families_.find(name);
    return found == families_.end() ? nullptr : found->second;
  };
  block_ = find(kBlockFamily);
  tile_ = find(kTileFamily);
  checkpoint_ = find(kCheckpointFamily);
  stream_ = find(kStreamFamily);
  secret_ = find(kSecretFamily);
  index_ = find(kIndexFamily);
  rollup_ = find(kRollupFamily);
  if (block_ == nullptr || tile_ == nullptr || checkpoint_ == nullptr || stream_ == nullptr ||
      secret_ == nullptr) {
    return Corruption("the folder's RocksDB lacks a vault's column families");
  }
  return Status::Ok();
}

Tables::~Tables() {
  pins_.clear();
  MutexLock lock(families_mutex_);
  for (auto& [name, handle] : families_) db_->DestroyColumnFamilyHandle(handle);
}

Result<rocksdb::ColumnFamilyHandle*> Tables::PayloadFamilyFor(std::string_view retention_class,
                                                              UnixNanos commit_time) {
  std::string name = PayloadFamily(retention_class, commit_time);
  {
    MutexLock lock(families_mutex_);
    if (const auto found = families_.find(name); found != families_.end()) return found->second;
  }
  // Only the one writer comes here, so nobody makes the same family meanwhile.
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  LV_RETURN_IF_ERROR(
      FromRocks(db_->CreateColumnFamily(FamilyOptions(name, cache_), name, &handle)));
  MutexLock lock(families_mutex_);
  families_.emplace(std::move(name), handle);
  return handle;
}

std::vector<rocksdb::ColumnFamilyHandle*> Tables::PayloadFamilies() const {
  MutexLock lock(families_mutex_);
  std::vector<rocksdb::ColumnFamilyHandle*> result;
  for (const auto& [name, handle] : families_) {
    if (IsPayload(name)) result.push_back(handle);
  }
  return result;
}

std::vector<rocksdb::ColumnFamilyHandle*> Tables::PayloadFamiliesOf(UnixNanos commit_time) const {
  std::vector<rocksdb::ColumnFamilyHandle*> result = PayloadFamilies();
  const std::string month = "." + MonthOf(commit_time);
  std::erase_if(result, [&month](const rocksdb::ColumnFamilyHandle* family) {
    return !family->GetName().ends_with(month);
  });
  return result;
}

std::shared_ptr<const evidence::Dictionaries> Tables::dictionaries() const {
  MutexLock lock(dictionaries_mutex_);
  return dictionaries_;
}

void Tables::SetDictionaries(std::shared_ptr<const evidence::Dictionaries> dictionaries) {
  MutexLock lock(dictionaries_mutex_);
  dictionaries_ = std::move(dictionaries);
}

std::vector<rocksdb::ColumnFamilyHandle*> Tables::SmallFamilies() const {
  MutexLock lock(families_mutex_);
  std::vector<rocksdb::ColumnFamilyHandle*> result;
  for (const auto& [name, handle] : families_) {
    if (!IsPayload(name)) result.push_back(handle);
  }
  return result;
}

Result<std::string> Tables::Get(rocksdb::ColumnFamilyHandle* family, std::string_view key) const {
  return Get(rocksdb::ReadOptions(), family, key);
}

Result<std::string> Tables::GetOnce(rocksdb::ColumnFamilyHandle* family,
                                    std::string_view key) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return Get(options, family, key);
}

Result<std::string> Tables::GetUnchecked(rocksdb::ColumnFamilyHandle* family,
                                         std::string_view key) const {
  rocksdb::ReadOptions options;
  options.verify_checksums = false;
  options.fill_cache = false;
  return Get(options, family, key);
}

Result<std::string> Tables::Get(const rocksdb::ReadOptions& options,
                                rocksdb::ColumnFamilyHandle* family, std::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(options, family, ToSlice(key), &value);
  if (!status.ok()) return FromRocks(status).WithContext(family->GetName());
  return value;
}

std::unique_ptr<rocksdb::Iterator> Tables::Scan(rocksdb::ColumnFamilyHandle* family) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = kScanReadahead;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, family));
}

std::unique_ptr<rocksdb::Iterator> Tables::Seek(rocksdb::ColumnFamilyHandle* family) const {
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(rocksdb::ReadOptions(), family));
}

Status Tables::Flush() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  {
    MutexLock lock(families_mutex_);
    for (const auto& [name, handle] : families_) handles.push_back(handle);
  }
  return FromRocks(db_->Flush(rocksdb::FlushOptions(), handles));
}

}  // namespace logvault::storage
