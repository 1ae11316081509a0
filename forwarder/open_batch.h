// OpenBatch: the records of a stream that are not sealed yet.
#pragma once

#include <optional>

#include "evidence/payload.h"

namespace logvault::forwarder {

class OpenBatch {
 public:
  // False where the record does not fit: seal first, then add it again.  A record larger than a batch fits an
  // empty one.
  bool Add(const evidence::RecordView& record) {
    if (full() ||
        (!empty() && builder_.raw_bytes() + record.bytes.size() > evidence::kTargetBatchSize)) {
      return false;
    }
    builder_.Add(record);
    return true;
  }

  [[nodiscard]] bool empty() const { return builder_.record_count() == 0; }
  [[nodiscard]] bool full() const {
    return builder_.raw_bytes() >= evidence::kTargetBatchSize ||
           builder_.record_count() >= evidence::kMaxRecordsPerBatch;
  }
  [[nodiscard]] std::uint32_t record_count() const { return builder_.record_count(); }
  evidence::PayloadBuilder& builder() { return builder_; }

 private:
  evidence::PayloadBuilder builder_;
};

}  // namespace logvault::forwarder
