#include "forwarder/format_dictionaries.h"

#include <memory>
#include <utility>
#include <vector>

#include "evidence/block.h"
#include "evidence/directive.h"
#include "evidence/merkle.h"

namespace logvault::forwarder {
namespace {

std::string NameOf(const v1::FormatDictionary& handed) {
  return "dictionary " + std::to_string(handed.id()) + " for format " + handed.format();
}

Result<std::shared_ptr<const evidence::Dictionary>> DictionaryIn(
    const v1::FormatDictionary& handed) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(handed.block());
  if (!block.ok()) return block.status();
  Result<evidence::Directive> directive = evidence::Directive::Parse(block->body);
  if (!directive.ok()) return directive.status();
  Result<evidence::Statement> statement = evidence::Statement::Parse(directive->statement);
  if (!statement.ok()) return statement.status();
  Result<std::shared_ptr<const evidence::Dictionary>> dictionary =
      evidence::Dictionary::Parse(statement->dictionary.bytes);
  if (!dictionary.ok()) return dictionary;
  if (statement->dictionary.format != handed.format() || (*dictionary)->id() != handed.id())
    return Corruption("its block orders something else");
  return dictionary;
}

Status CheckInTree(const v1::FormatDictionary& handed, const evidence::Checkpoint& checkpoint) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(handed.block());
  if (!block.ok()) return block.status();
  std::vector<evidence::Hash> proof;
  for (const std::string& bytes : handed.inclusion()) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(bytes);
    if (!hash.ok()) return hash.status();
    proof.push_back(*hash);
  }
  if (block->index >= checkpoint.size) return Corruption("its block lies past the checkpoint");
  return evidence::VerifyInclusion(evidence::LeafHash(handed.block()), block->index,
                                   checkpoint.size, proof, checkpoint.root);
}

}  // namespace

Status CheckDictionaries(const v1::SessionOpened& opened, const evidence::Checkpoint& checkpoint) {
  for (const v1::FormatDictionary& handed : opened.dictionaries()) {
    if (handed.block().empty()) continue;
    Status good = DictionaryIn(handed).status();
    if (good.ok()) good = CheckInTree(handed, checkpoint);
    if (!good.ok()) return Integrity(NameOf(handed) + ": " + good.message());
  }
  return Status::Ok();
}

Result<FormatDictionaries> FormatDictionaries::Load(Spool& spool) {
  FormatDictionaries loaded;
  Result<std::vector<std::string>> kept = spool.Dictionaries();
  if (!kept.ok()) return kept.status();
  for (const std::string& bytes : *kept) {
    Result<std::shared_ptr<const evidence::Dictionary>> dictionary =
        evidence::Dictionary::Parse(bytes);
    if (dictionary.ok()) loaded.all_.Add(*std::move(dictionary), 0);
  }
  Result<std::map<std::string, std::uint32_t>> in_force = spool.DictionariesInForce();
  if (!in_force.ok()) return in_force.status();
  loaded.in_force_.insert(in_force->begin(), in_force->end());
  return loaded;
}

Status FormatDictionaries::Take(const v1::SessionOpened& opened, Spool& spool) {
  std::map<std::string, std::uint32_t> in_force;
  std::vector<std::shared_ptr<const evidence::Dictionary>> fresh;
  for (const v1::FormatDictionary& handed : opened.dictionaries()) {
    in_force[handed.format()] = handed.id();
    if (handed.block().empty() || all_.Find(handed.id()) != nullptr) continue;
    Result<std::shared_ptr<const evidence::Dictionary>> dictionary = DictionaryIn(handed);
    if (!dictionary.ok()) return dictionary.status().WithContext(NameOf(handed));
    fresh.push_back(*std::move(dictionary));
  }
  LV_RETURN_IF_ERROR(spool.KeepDictionaries(fresh, in_force));
  for (std::shared_ptr<const evidence::Dictionary>& dictionary : fresh)
    all_.Add(std::move(dictionary), 0);
  in_force_ = {in_force.begin(), in_force.end()};
  return Status::Ok();
}

const evidence::Dictionary* FormatDictionaries::For(std::string_view format) const {
  const auto found = in_force_.find(format);
  return found == in_force_.end() ? nullptr : all_.Find(found->second);
}

}  // namespace logvault::forwarder
