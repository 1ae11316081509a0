// RootHistory: the roots that a growing tree had at its last sizes, to hold old statements about it against.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "evidence/hash.h"

namespace logvault::evidence {

// 32 MiB of hashes.  A statement about an older size is not judged.
inline constexpr std::size_t kRootsKept = 1u << 20;

class RootHistory {
 public:
  // The root after one leaf more.
  void Add(const Hash& root) {
    roots_.push_back(root);
    ++size_;
    if (roots_.size() > kRootsKept) roots_.pop_front();
  }

  // nullopt for 0, for sizes not reached, and for those too long ago.
  [[nodiscard]] std::optional<Hash> At(std::uint64_t size) const {
    const std::uint64_t forgotten = size_ - roots_.size();
    if (size <= forgotten || size > size_) return std::nullopt;
    return roots_[size - forgotten - 1];
  }

 private:
  std::deque<Hash> roots_;  // of the sizes up to size_
  std::uint64_t size_ = 0;
};

}  // namespace logvault::evidence
