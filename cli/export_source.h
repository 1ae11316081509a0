// ExportSource: what an export reads of a vault, over the network or out of its folder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/query_options.h"
#include "common/status.h"
#include "evidence/checkpoint.h"
#include "evidence/note.h"

namespace logvault::cli {

class ExportSource {
 public:
  virtual ~ExportSource() = default;

  // Over the blocks of the tree when the source was opened.
  virtual Result<Answer> Search(const PreparedQuery& prepared, const query::Observer& observer) = 0;

  // Every block of the newest tree, in order.  Once it has returned OK, checkpoint() and note() are that tree's.  `take`
  // gives what must end it.  kCorruption where a block is not there.
  using TakeBlock = std::function<Status(std::uint64_t index, std::string_view bytes)>;
  virtual Status ForEachBlock(const TakeBlock& take) = 0;

  // Blocks of [first, end), those in `payloads_of` (ascending) with their payload.
  using TakePayload =
      std::function<Status(std::uint64_t index, std::string_view bytes, std::string_view frame)>;
  virtual Status ForEachPayload(std::uint64_t first, std::uint64_t end,
                                const std::vector<std::uint64_t>& payloads_of,
                                const TakePayload& take) = 0;

  [[nodiscard]] virtual const evidence::VerifierKey& key() const = 0;
  // The signed tree head that the blocks lead to.
  [[nodiscard]] const evidence::Checkpoint& checkpoint() const { return checkpoint_; }
  [[nodiscard]] const std::string& note() const { return note_; }
  // The tree that Search looks at.
  [[nodiscard]] std::uint64_t searched_size() const { return searched_size_; }

 protected:
  evidence::Checkpoint checkpoint_;
  std::string note_;
  std::uint64_t searched_size_ = 0;
};

// `env` must outlive it.
Result<std::unique_ptr<ExportSource>> OpenExportSource(const Environment& env);

}  // namespace logvault::cli
