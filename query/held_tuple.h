// HeldTuple: a record, an event or a row, kept while others come.
#pragma once

#include <memory>
#include <string>

#include "query/stage.h"

namespace logvault::query {

class HeldTuple {
 public:
  explicit HeldTuple(const Tuple& tuple) {
    if (tuple.row != nullptr) {
      row_ = std::make_unique<TableRow>(*tuple.row);
      return;
    }
    record_ = std::make_unique<Record>(tuple.subject->row());
    record_->subject = tuple.subject->joined()
                           ? std::make_unique<Subject>(record_->row, tuple.subject->text(),
                                                       tuple.subject->fields())
                           : std::make_unique<Subject>(record_->row);
  }

  [[nodiscard]] Tuple tuple() const {
    if (row_ != nullptr) return {nullptr, row_.get()};
    return {record_->subject.get(), nullptr};
  }
  // About what it takes in memory.
  [[nodiscard]] std::size_t bytes() const {
    if (row_ != nullptr) return kOverheadBytes + SizeOf(*row_);
    std::size_t bytes = kOverheadBytes + record_->bytes.size() + record_->origin.size();
    if (record_->subject->joined())
      bytes += record_->subject->text().size() * 3;  // the text, and its fields
    return bytes;
  }

 private:
  static constexpr std::size_t kOverheadBytes = 320;

  // A record whose row points into it.
  struct Record {
    explicit Record(const Row& from)
        : host(from.host), source(from.source), origin(from.origin), bytes(from.bytes), row(from) {
      row.host = host;
      row.source = source;
      row.origin = origin;
      row.bytes = bytes;
    }
    const std::string host, source, origin, bytes;
    Row row;
    std::unique_ptr<Subject> subject;
  };

  std::unique_ptr<Record> record_;
  std::unique_ptr<TableRow> row_;
};

}  // namespace logvault::query
