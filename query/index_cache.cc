#include "query/index_cache.h"

#include <utility>

namespace logvault::query {
namespace {

constexpr std::size_t kTakenWhenFull = 8;  // one in so many

std::size_t BytesOf(const Directory& directory) {
  std::size_t bytes = sizeof directory + directory.blocks.capacity() * sizeof(std::uint64_t) +
                      (directory.always.capacity() + directory.unsure.capacity()) * 2;
  for (const ChunkEntry& chunk : directory.chunks)
    bytes += sizeof chunk + chunk.first_token.capacity();
  return bytes;
}

}  // namespace

const IndexCache::Kept* IndexCache::Find(const Key& key) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return nullptr;
  used_.splice(used_.end(), used_, found->second.used);
  return &found->second;
}

void IndexCache::Insert(const Key& key, Kept kept) {
  if (kept.bytes > bytes_max_ || kept_.contains(key)) return;
  // A search that goes through more than fits would otherwise drop each before the next search comes to it.
  const bool full = bytes_ + kept.bytes > bytes_max_;
  if (full && !key.filter && ++refused_ % kTakenWhenFull != 0) return;
  while (bytes_ + kept.bytes > bytes_max_) {
    const auto oldest = kept_.find(used_.front());
    bytes_ -= oldest->second.bytes;
    kept_.erase(oldest);
    used_.pop_front();
  }
  bytes_ += kept.bytes;
  kept.used = used_.insert(used_.end(), key);
  kept_.emplace(key, std::move(kept));
}

std::shared_ptr<const Directory> IndexCache::FindDirectory(const evidence::Hash& hash) {
  MutexLock lock(mutex_);
  const Kept* kept = Find({hash});
  return kept == nullptr ? nullptr : kept->directory;
}

std::shared_ptr<const Chunk> IndexCache::FindChunk(const evidence::Hash& hash) {
  MutexLock lock(mutex_);
  const Kept* kept = Find({hash});
  return kept == nullptr ? nullptr : kept->chunk;
}

std::shared_ptr<const TextFilter> IndexCache::FindFilter(const evidence::Hash& hash) {
  MutexLock lock(mutex_);
  const Kept* kept = Find({hash, true});
  return kept == nullptr ? nullptr : kept->filter;
}

void IndexCache::Keep(const evidence::Hash& hash, std::shared_ptr<const Directory> directory) {
  const std::size_t bytes = BytesOf(*directory);
  MutexLock lock(mutex_);
  Insert({hash}, {std::move(directory), nullptr, nullptr, bytes, {}});
}

void IndexCache::Keep(const evidence::Hash& hash, std::shared_ptr<const Chunk> chunk) {
  const std::size_t bytes = chunk->memory_bytes();
  MutexLock lock(mutex_);
  Insert({hash}, {nullptr, std::move(chunk), nullptr, bytes, {}});
}

void IndexCache::Keep(const evidence::Hash& hash, std::shared_ptr<const TextFilter> filter) {
  const std::size_t bytes = filter->memory_bytes();
  MutexLock lock(mutex_);
  Insert({hash, true}, {nullptr, nullptr, std::move(filter), bytes, {}});
}

std::size_t IndexCache::bytes() {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace logvault::query
