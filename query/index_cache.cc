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

const IndexCache::Kept* IndexCache::Find(const evidence::Hash& hash) {
  const auto found = kept_.find(hash);
  if (found == kept_.end()) return nullptr;
  used_.splice(used_.end(), used_, found->second.used);
  return &found->second;
}

void IndexCache::Insert(const evidence::Hash& hash, Kept kept) {
  if (kept.bytes > bytes_max_ || kept_.contains(hash)) return;
  // A search that goes through more than fits would otherwise drop each before the next search comes to it.
  const bool full = bytes_ + kept.bytes > bytes_max_;
  if (full && ++refused_ % kTakenWhenFull != 0) return;
  while (bytes_ + kept.bytes > bytes_max_) {
    const auto oldest = kept_.find(used_.front());
    bytes_ -= oldest->second.bytes;
    kept_.erase(oldest);
    used_.pop_front();
  }
  bytes_ += kept.bytes;
  kept.used = used_.insert(used_.end(), hash);
  kept_.emplace(hash, std::move(kept));
}

std::shared_ptr<const Directory> IndexCache::FindDirectory(const evidence::Hash& hash) {
  MutexLock lock(mutex_);
  const Kept* kept = Find(hash);
  return kept == nullptr ? nullptr : kept->directory;
}

std::shared_ptr<const Chunk> IndexCache::FindChunk(const evidence::Hash& hash) {
  MutexLock lock(mutex_);
  const Kept* kept = Find(hash);
  return kept == nullptr ? nullptr : kept->chunk;
}

void IndexCache::Keep(const evidence::Hash& hash, std::shared_ptr<const Directory> directory) {
  const std::size_t bytes = BytesOf(*directory);
  MutexLock lock(mutex_);
  Insert(hash, {std::move(directory), nullptr, bytes, {}});
}

void IndexCache::Keep(const evidence::Hash& hash, std::shared_ptr<const Chunk> chunk) {
  const std::size_t bytes = chunk->memory_bytes();
  MutexLock lock(mutex_);
  Insert(hash, {nullptr, std::move(chunk), bytes, {}});
}

std::size_t IndexCache::bytes() {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace logvault::query
