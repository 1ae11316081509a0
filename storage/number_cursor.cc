#include "storage/number_cursor.h"

#include <utility>

#include "storage/keys.h"
#include "storage/tables.h"

namespace logvault::storage {

NumberCursor::NumberCursor(std::unique_ptr<rocksdb::Iterator> rows) : rows_(std::move(rows)) {
  rows_->SeekToFirst();
}

NumberCursor::Found NumberCursor::MoveTo(std::uint64_t number, const OnExtra& on_extra) {
  const Found found = Walk(number, on_extra);
  if (found != Found::kUnreadable) return found;
  // The rows before may be all that cannot be read.
  asked_for_ = false;
  rows_->Seek(NumberKey(number));
  return Walk(number, on_extra);
}

NumberCursor::Found NumberCursor::Walk(std::uint64_t number, const OnExtra& on_extra) {
  for (; rows_->Valid(); rows_->Next()) {
    Result<std::uint64_t> here = ParseNumberKey(ToView(rows_->key()));
    if (here.ok() && *here > number) return Found::kNothing;
    if (here.ok() && *here == number) {
      asked_for_ = true;
      return Found::kRow;
    }
    if (!asked_for_) on_extra(here.ok() ? *here : number);
    asked_for_ = false;
  }
  return rows_->status().ok() ? Found::kNothing : Found::kUnreadable;
}

void NumberCursor::Finish(const OnExtra& on_extra) {
  for (; rows_->Valid(); rows_->Next()) {
    Result<std::uint64_t> here = ParseNumberKey(ToView(rows_->key()));
    if (!asked_for_) on_extra(here.ok() ? *here : UINT64_MAX);
    asked_for_ = false;
  }
}

std::string_view NumberCursor::value() const { return ToView(rows_->value()); }

Status NumberCursor::status() const { return FromRocks(rows_->status()); }

}  // namespace logvault::storage
