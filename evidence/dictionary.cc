#include "evidence/dictionary.h"

#include <zdict.h>
#include <zstd.h>

#include <utility>

#include "common/check.h"
#include "evidence/block.h"
#include "evidence/directive.h"

namespace logvault::evidence {
namespace {

// A small batch costs microseconds at any level; this one is 3 % smaller than level 1 (docs/adr/0017).
constexpr int kLevel = 3;

std::shared_ptr<ZSTD_CDict> Prepare(const std::string& bytes) {
  return {ZSTD_createCDict(bytes.data(), bytes.size(), kLevel), ZSTD_freeCDict};
}

}  // namespace

Result<std::shared_ptr<const Dictionary>> Dictionary::Parse(std::string_view bytes) {
  if (bytes.size() > kMaxDictionarySize)
    return InvalidArgument("a dictionary of more than " + std::to_string(kMaxDictionarySize) +
                           " bytes");
  std::shared_ptr<Dictionary> dictionary(new Dictionary);
  dictionary->id_ = ZDICT_getDictID(bytes.data(), bytes.size());
  dictionary->bytes_ = bytes;
  dictionary->hash_ = Sha256(bytes);
  dictionary->decompressing_.reset(ZSTD_createDDict(bytes.data(), bytes.size()), ZSTD_freeDDict);
  // Either reads the tables in it, and gives nothing where they are damaged.
  if (dictionary->id_ == 0 || dictionary->decompressing_ == nullptr ||
      Prepare(dictionary->bytes_) == nullptr)
    return InvalidArgument("not a dictionary as `zstd --train` makes it");
  return std::shared_ptr<const Dictionary>(std::move(dictionary));
}

const ZSTD_CDict_s& Dictionary::for_compression() const {
  std::call_once(once_, [this] { compressing_ = Prepare(bytes_); });
  LV_CHECK(compressing_ != nullptr);  // Parse has tried
  return *compressing_;
}

Result<std::string> TrainDictionary(const std::vector<std::string>& samples, std::size_t max_size) {
  std::string all;
  std::vector<std::size_t> sizes;
  for (const std::string& sample : samples) {
    all += sample;
    sizes.push_back(sample.size());
  }
  std::string dictionary(max_size, '\0');
  const std::size_t size = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), all.data(),
                                                 sizes.data(), static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(size) != 0)
    return FailedPrecondition(std::string("too little to learn from (zstd: ") +
                              ZDICT_getErrorName(size) + ")");
  dictionary.resize(size);
  return dictionary;
}

Result<OrderedDictionary> DictionaryIn(const BlockHeader& block) {
  if (block.kind != BlockKind::kConfig) return InvalidArgument("no CONFIG block");
  Result<Directive> directive = Directive::Parse(block.body);
  if (!directive.ok()) return directive.status();
  Result<Statement> statement = Statement::Parse(directive->statement);
  if (!statement.ok()) return statement.status();
  if (statement->type != DirectiveType::kDictionary)
    return InvalidArgument("it orders no dictionary");
  Result<std::shared_ptr<const Dictionary>> dictionary =
      Dictionary::Parse(statement->dictionary.bytes);
  if (!dictionary.ok()) return dictionary.status();
  return OrderedDictionary{std::move(statement->dictionary.format), *std::move(dictionary)};
}

void Dictionaries::Add(std::shared_ptr<const Dictionary> dictionary, std::uint64_t block) {
  const std::uint32_t id = dictionary->id();
  by_id_.try_emplace(id, Known{std::move(dictionary), block});
}

void Dictionaries::Learn(const BlockHeader& block) {
  if (size() >= kMaxDictionaries) return;
  Result<OrderedDictionary> ordered = DictionaryIn(block);
  if (ordered.ok()) Add(std::move(ordered->dictionary), block.index);
}

const Dictionary* Dictionaries::Find(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.dictionary.get();
}

bool Dictionaries::HasBefore(std::uint32_t id, std::uint64_t block) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() && found->second.block < block;
}

std::uint32_t DictionaryOf(std::string_view frame) {
  return ZSTD_getDictID_fromFrame(frame.data(), frame.size());
}

}  // namespace logvault::evidence
