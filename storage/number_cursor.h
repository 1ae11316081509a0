// Walks a family whose keys are numbers, in order and past rows that cannot be read: for the
// verifier, who goes on where a reader gives up.
#pragma once

#include <rocksdb/iterator.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "common/status.h"

namespace logvault::storage {

class NumberCursor {
 public:
  explicit NumberCursor(std::unique_ptr<rocksdb::Iterator> rows);

  enum class Found { kRow, kNothing, kUnreadable };
  // Told of the number of each row that is passed without having been asked for.
  using OnExtra = std::function<void(std::uint64_t number)>;

  // Moves to the row `number`, which is above every one asked for before.
  Found MoveTo(std::uint64_t number, const OnExtra& on_extra);
  // Passes all rows that are left.
  void Finish(const OnExtra& on_extra);

  // Of the row that MoveTo found.
  [[nodiscard]] std::string_view value() const;
  // Why the row could not be read.
  [[nodiscard]] Status status() const;

 private:
  Found Walk(std::uint64_t number, const OnExtra& on_extra);

  const std::unique_ptr<rocksdb::Iterator> rows_;
  bool asked_for_ = false;  // the row at rows_ was found by MoveTo
};

}  // namespace logvault::storage
