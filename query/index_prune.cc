#include "query/index_prune.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "query/index_lookup.h"
#include "query/index_query.h"
#include "query/scan_ahead.h"

namespace logvault::query {
namespace {

// The planned blocks [begin, end) that lie in one segment, and what became of them.
struct Part {
  const evidence::IndexBody* segment = nullptr;
  std::size_t begin = 0, end = 0;
  Status status;
  std::vector<bool> visit;  // for each of the blocks
};

std::vector<Part> PartsOf(const std::vector<PlannedBlock>& blocks, const StatedSegments& stated) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto behind = stated.upper_bound(blocks[i].index);
    if (behind == stated.begin()) continue;
    const evidence::IndexBody& segment = std::prev(behind)->second;
    if (blocks[i].index >= segment.end) continue;
    if (parts.empty() || parts.back().segment != &segment) {
      Part& part = parts.emplace_back();
      part.segment = &segment;
      part.begin = i;
    }
    parts.back().end = i + 1;
  }
  return parts;
}

// Reads one segment's rows, each checked before it is believed.
class Segment {
 public:
  Segment(const storage::Reader& reader, const evidence::IndexBody& stated, IndexCache* cache)
      : reader_(reader), stated_(stated), cache_(cache) {}

  Result<std::shared_ptr<const Directory>> LoadDirectory() const {
    if (cache_ != nullptr) {
      if (auto kept = cache_->FindDirectory(stated_.directory_hash)) return kept;
    }
    Result<std::string> bytes = reader_.IndexDirectory(stated_.first);
    if (!bytes.ok()) return bytes.status();
    if (evidence::Sha256(*bytes) != stated_.directory_hash)
      return Corruption("it does not have the hash that the INDEX block states");
    Result<Directory> parsed = Directory::Parse(*bytes);
    if (!parsed.ok()) return parsed.status();
    if (parsed->first != stated_.first || parsed->end != stated_.end)
      return Corruption("it is of other blocks than the INDEX block states");
    auto directory = std::make_shared<const Directory>(*std::move(parsed));
    if (cache_ != nullptr) cache_->Keep(stated_.directory_hash, directory);
    return directory;
  }

  // Chunk `i`; nullptr where `part` stands in none of its tokens.
  [[nodiscard]] Result<std::shared_ptr<const Chunk>> LoadChunk(const Directory& directory,
                                                               std::size_t i,
                                                               std::string_view part) const {
    if (part.empty() || cache_ == nullptr) return LoadChunk(directory, i);
    const evidence::Hash& hash = directory.chunks[i].hash;
    if (const auto kept = cache_->FindFilter(hash); kept != nullptr) {
      if (!kept->MayHold(part)) return std::shared_ptr<const Chunk>();
      return LoadChunk(directory, i);
    }
    Result<std::shared_ptr<const Chunk>> chunk = LoadChunk(directory, i);
    if (chunk.ok()) cache_->Keep(hash, std::make_shared<const TextFilter>((*chunk)->text()));
    return chunk;
  }

 private:
  [[nodiscard]] Result<std::shared_ptr<const Chunk>> LoadChunk(const Directory& directory,
                                                               std::size_t i) const {
    const ChunkEntry& entry = directory.chunks[i];
    if (cache_ != nullptr) {
      if (auto kept = cache_->FindChunk(entry.hash)) return kept;
    }
    Result<std::string> bytes = reader_.IndexChunk(stated_.first, static_cast<std::uint32_t>(i));
    if (!bytes.ok()) return bytes.status();
    Result<Chunk> parsed = Chunk::Parse(*bytes, entry, directory.blocks.size());
    if (!parsed.ok()) return parsed.status();
    auto chunk = std::make_shared<const Chunk>(*std::move(parsed));
    if (cache_ != nullptr) cache_->Keep(entry.hash, chunk);
    return chunk;
  }

  const storage::Reader& reader_;
  const evidence::IndexBody& stated_;
  IndexCache* const cache_;
};

struct Question {
  IndexQuery query;
  bool uses_fields = false;
};

void Ask(const storage::Reader& reader, const Question& question, IndexCache* cache,
         const std::vector<PlannedBlock>& blocks, Part& part) {
  const Segment segment(reader, *part.segment, cache);
  Result<std::shared_ptr<const Directory>> directory = segment.LoadDirectory();
  if (!directory.ok()) {
    part.status = directory.status();
    return;
  }
  const ChunkSource chunks = [&](std::size_t i, std::string_view text) {
    return segment.LoadChunk(**directory, i, text);
  };
  Result<BlockSet> found = Lookup(question.query, question.uses_fields, **directory, chunks);
  if (!found.ok()) {
    part.status = found.status();
    return;
  }
  // Both ascend.  A block that the directory does not know is visited.
  const std::vector<std::uint64_t>& known = (*directory)->blocks;
  std::size_t ordinal = 0;
  for (std::size_t i = part.begin; i < part.end; ++i) {
    while (ordinal < known.size() && known[ordinal] < blocks[i].index) ++ordinal;
    const bool is_known = ordinal < known.size() && known[ordinal] == blocks[i].index;
    part.visit.push_back(!is_known || (*found)[ordinal]);
  }
}

// Asks all segments, on a few threads where there are many.
void AskAll(const storage::Reader& reader, const Question& question, IndexCache* cache,
            const std::stop_token& stop, const std::vector<PlannedBlock>& blocks,
            std::vector<Part>& parts) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < parts.size() && !stop.stop_requested(); i = next++)
      Ask(reader, question, cache, blocks, parts[i]);
  };
  std::vector<std::jthread> others;
  constexpr std::size_t kPartsWorthAThread = 4;
  for (unsigned i = 1; i < kScanThreads && parts.size() >= kPartsWorthAThread; ++i)
    others.emplace_back(work);
  work();
}

void NoteUnusable(const std::vector<Part>& parts, Completeness& completeness) {
  for (const Part& part : parts) {
    if (part.status.ok()) continue;
    completeness.unusable_segments.push_back(part.segment->first);
    completeness.notes.push_back("the index of blocks " + std::to_string(part.segment->first) +
                                 " to " + std::to_string(part.segment->end - 1) +
                                 " was not used: " + part.status.message());
  }
}

}  // namespace

void PruneByIndex(const storage::Reader& reader, const Expression& expression,
                  const StatedSegments& stated, IndexCache* cache, const std::stop_token& stop,
                  Plan& plan) {
  Question question;
  question.query = IndexQueryFor(expression, &question.uses_fields);
  if (question.query.kind == IndexQuery::Kind::kAny) return;
  std::vector<Part> parts = PartsOf(plan.blocks, stated);
  AskAll(reader, question, cache, stop, plan.blocks, parts);
  NoteUnusable(parts, plan.completeness);
  std::vector<PlannedBlock> kept;
  std::size_t next = 0;
  for (const Part& part : parts) {
    kept.insert(kept.end(), plan.blocks.begin() + static_cast<std::ptrdiff_t>(next),
                plan.blocks.begin() + static_cast<std::ptrdiff_t>(part.begin));
    for (std::size_t i = part.begin; i < part.end; ++i) {
      if (part.visit.empty() || part.visit[i - part.begin]) kept.push_back(plan.blocks[i]);
    }
    next = part.end;
  }
  kept.insert(kept.end(), plan.blocks.begin() + static_cast<std::ptrdiff_t>(next),
              plan.blocks.end());
  plan.completeness.blocks_pruned_by_index += plan.blocks.size() - kept.size();
  plan.blocks = std::move(kept);
}

void PruneByFilters(const Expression& expression, IndexCache& cache, Plan& plan) {
  const std::vector<Literal> required = RequiredLiterals(expression);
  if (required.empty()) return;
  plan.completeness.blocks_pruned_by_index +=
      std::erase_if(plan.blocks, [&](const PlannedBlock& block) {
        if (block.index < plan.first_unindexed) return false;
        const std::shared_ptr<const TextFilter> filter = cache.FindFilter(block.payload_hash);
        return filter != nullptr && !filter->MayHoldOneOf(required);
      });
}

}  // namespace logvault::query
