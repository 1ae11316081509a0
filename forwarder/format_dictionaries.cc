#include "forwarder/format_dictionaries.h"

#include <memory>
#include <utility>
#include <vector>

#include "evidence/block.h"
#include "evidence/merkle.h"

namespace logvault::forwarder {
namespace {

std::string NameOf(const v1::FormatDictionary& handed) {
  return "the dictionary for format " + handed.format();
}

Result<std::shared_ptr<const evidence::Dictionary>> DictionaryHanded(
    const v1::FormatDictionary& handed) {
  Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(handed.block());
  if (!block.ok()) return block.status();
  Result<evidence::OrderedDictionary> ordered = evidence::DictionaryIn(*block);
  if (!ordered.ok()) return ordered.status();
  if (ordered->format != handed.format() || ordered->dictionary->hash().view() != handed.hash())
    return Corruption("its block orders something else");
  return std::move(ordered->dictionary);
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
    if (handed.hash().size() != evidence::kHashSize)
      return Integrity(NameOf(handed) + ": its hash is none");
    if (handed.block().empty()) continue;
    Status good = DictionaryHanded(handed).status();
    if (good.ok()) good = CheckInTree(handed, checkpoint);
    if (!good.ok()) return Integrity(NameOf(handed) + ": " + good.message());
  }
  return Status::Ok();
}

Result<FormatDictionaries> FormatDictionaries::Load(Spool& spool) {
  FormatDictionaries loaded;
  Result<std::vector<std::shared_ptr<const evidence::Dictionary>>> kept = spool.Dictionaries();
  if (!kept.ok()) return kept.status();
  for (std::shared_ptr<const evidence::Dictionary>& dictionary : *kept)
    loaded.all_.emplace(dictionary->hash(), std::move(dictionary));
  Result<std::map<std::string, evidence::Hash>> in_force = spool.DictionariesInForce();
  if (!in_force.ok()) return in_force.status();
  loaded.in_force_.insert(in_force->begin(), in_force->end());
  return loaded;
}

Status FormatDictionaries::Take(const v1::SessionOpened& opened, Spool& spool) {
  std::map<std::string, evidence::Hash> in_force;
  std::vector<std::shared_ptr<const evidence::Dictionary>> fresh;
  for (const v1::FormatDictionary& handed : opened.dictionaries()) {
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(handed.hash());
    if (!hash.ok()) return hash.status().WithContext(NameOf(handed));
    in_force[handed.format()] = *hash;
    // No vault has more; they are not counted against the spool's bounds.
    if (handed.block().empty() || all_.size() + fresh.size() >= evidence::kMaxDictionaries)
      continue;
    Result<std::shared_ptr<const evidence::Dictionary>> dictionary = DictionaryHanded(handed);
    if (!dictionary.ok()) return dictionary.status().WithContext(NameOf(handed));
    fresh.push_back(*std::move(dictionary));
  }
  LV_RETURN_IF_ERROR(spool.KeepDictionaries(fresh, in_force));
  for (std::shared_ptr<const evidence::Dictionary>& dictionary : fresh)
    all_.try_emplace(dictionary->hash(), std::move(dictionary));
  in_force_ = {in_force.begin(), in_force.end()};
  return Status::Ok();
}

Result<evidence::Payload> FormatDictionaries::Open(const evidence::BatchHeader& header,
                                                   std::string_view frame) const {
  const std::uint32_t named = evidence::DictionaryOf(frame);
  if (named == 0 || evidence::Sha256(frame) != header.payload_hash)
    return evidence::OpenPayload(header, frame, {});
  for (const auto& [hash, dictionary] : all_) {
    if (dictionary->id() != named) continue;
    evidence::Dictionaries candidate;
    candidate.Add(dictionary, 0);
    Result<evidence::Payload> payload = evidence::OpenPayload(header, frame, candidate);
    if (payload.ok()) return payload;
  }
  return NotFound("dictionary " + std::to_string(named) + " is not in the spool");
}

const evidence::Dictionary* FormatDictionaries::For(std::string_view format) const {
  const auto found = in_force_.find(format);
  if (found == in_force_.end()) return nullptr;
  const auto kept = all_.find(found->second);
  return kept == all_.end() ? nullptr : kept->second.get();
}

}  // namespace logvault::forwarder
