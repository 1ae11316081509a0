// Checks the rows that are derived from blocks (stream heads, where batches lie, epochs) against
// the blocks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "storage/day_use.h"
#include "storage/findings.h"
#include "storage/keys.h"
#include "storage/silence.h"

namespace logvault::storage {

class Tables;

class StreamCheck {
 public:
  StreamCheck(const Tables& tables, Findings& findings) : tables_(tables), findings_(findings) {}

  // Blocks of the chain, in order.
  void AddStream(const evidence::BlockHeader& block, const evidence::StreamBody& body);
  void AddKey(const evidence::BlockHeader& block, const evidence::KeyBody& body);
  void AddRecords(const evidence::BlockHeader& block, const evidence::BatchHeader& batch);
  void AddSilence(const evidence::BlockHeader& block);
  // Compares what all blocks add up to with what is stored, and looks for rows that no block
  // accounts for.
  void Finish();

 private:
  struct Stream {
    StreamDescription description;
    StreamProgress progress;
    std::uint64_t rows = 0;  // stored places of batches
  };
  // The stored row must be `want`.
  void Compare(const std::string& key, const std::string& want, const Stream* stream,
               std::uint64_t block, std::string_view what);
  void Report(const Stream* stream, std::uint64_t block, std::string reason);
  void CheckSilences(bool all_read);
  void CheckRow(std::string_view key, std::string_view value);
  void CheckDayUse(std::string_view key, std::string_view value);
  void CheckPlace(const evidence::Hash& stream_id, Stream& stream, std::string_view key,
                  std::string_view value);

  const Tables& tables_;
  Findings& findings_;
  std::map<evidence::Hash, Stream> streams_;
  std::uint64_t epochs_ = 0;
  std::uint64_t epoch_rows_ = 0;
  std::map<std::string, Silence> silences_;  // that last, by host
  std::uint64_t silence_rows_ = 0;
  std::unordered_set<std::uint64_t> nameless_;  // blocks with findings that name no host
  std::unordered_map<std::uint64_t, evidence::Finding>
      names_;  // of those, by the stored places of batches
};

}  // namespace logvault::storage
