// IndexCache: directories and chunks that were read and checked, and filters made of such chunks and of blocks that no segment
// holds yet, kept from one query to the next.  Once it is full few directories and chunks are taken, for the longest unused, and
// all filters: they are small, and stand for what need not be read.  All are found by hashes, so what is found is what is meant.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>

#include "common/mutex.h"
#include "evidence/hash.h"
#include "query/index_segment.h"
#include "query/text_filter.h"

namespace logvault::query {

inline constexpr std::size_t kIndexCacheBytes = 192u << 20;

// Safe from several threads.
class IndexCache {
 public:
  explicit IndexCache(std::size_t bytes_max = kIndexCacheBytes) : bytes_max_(bytes_max) {}
  IndexCache(const IndexCache&) = delete;
  IndexCache& operator=(const IndexCache&) = delete;

  // nullptr: not kept.
  std::shared_ptr<const Directory> FindDirectory(const evidence::Hash& hash) LV_EXCLUDES(mutex_);
  std::shared_ptr<const Chunk> FindChunk(const evidence::Hash& hash) LV_EXCLUDES(mutex_);
  // Of the chunk, or of the payload, with that hash.
  std::shared_ptr<const TextFilter> FindFilter(const evidence::Hash& hash) LV_EXCLUDES(mutex_);
  void Keep(const evidence::Hash& hash, std::shared_ptr<const Directory> directory)
      LV_EXCLUDES(mutex_);
  void Keep(const evidence::Hash& hash, std::shared_ptr<const Chunk> chunk) LV_EXCLUDES(mutex_);
  void Keep(const evidence::Hash& hash, std::shared_ptr<const TextFilter> filter)
      LV_EXCLUDES(mutex_);

  [[nodiscard]] std::size_t bytes() LV_EXCLUDES(mutex_);

 private:
  struct Key {
    evidence::Hash hash;
    bool filter = false;  // a filter and its chunk have one hash
    auto operator<=>(const Key&) const = default;
  };
  struct Kept {
    std::shared_ptr<const Directory> directory;
    std::shared_ptr<const Chunk> chunk;
    std::shared_ptr<const TextFilter> filter;
    std::size_t bytes = 0;
    std::list<Key>::iterator used;
  };

  const Kept* Find(const Key& key) LV_REQUIRES(mutex_);
  void Insert(const Key& key, Kept kept) LV_REQUIRES(mutex_);

  const std::size_t bytes_max_;
  Mutex mutex_;
  std::map<Key, Kept> kept_ LV_GUARDED_BY(mutex_);
  std::list<Key> used_ LV_GUARDED_BY(mutex_);  // the longest unused first
  std::size_t bytes_ LV_GUARDED_BY(mutex_) = 0;
  std::size_t refused_ LV_GUARDED_BY(mutex_) = 0;
};

}  // namespace logvault::query
