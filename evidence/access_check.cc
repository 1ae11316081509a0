#include "evidence/access_check.h"

#include <utility>

namespace logvault::evidence {

void AccessCheck::Add(std::uint64_t index, const BlockHeader& block,
                      std::vector<std::string>& reasons) {
  const bool text = block.kind == BlockKind::kAccess && IsAccessText(block.body);
  const bool call = block.kind == BlockKind::kAccess && !text;
  if (in_text_ && block.kind != BlockKind::kAccess) {
    reasons.emplace_back("the pieces of a query's text before it belong to no call");
  }
  Status status;
  if (text) status = AddText(block.body);
  if (call) status = AddAccess(index, block.body);
  if (block.kind == BlockKind::kAccessEnd) status = AddEnd(block.body);
  if (!status.ok()) reasons.push_back(status.message());
  if (text) return;
  in_text_ = text_unknown_ = false;
  text_ = {};
}

void AccessCheck::AddUnknown() {
  blind_ = text_unknown_ = true;
  in_text_ = false;
  text_ = {};
}

Status AccessCheck::AddText(std::string_view body) {
  Result<AccessTextBody> piece = AccessTextBody::Parse(body);
  if (!piece.ok()) return piece.status();
  const bool first = !std::exchange(in_text_, true);
  if (text_unknown_) return Status::Ok();
  if (first) text_.query_hash = piece->query_hash;
  if (piece->query_hash != text_.query_hash || piece->offset != text_.text.size()) {
    return Corruption("ACCESS: a piece of a query's text that does not follow on the one before");
  }
  if (text_.text.size() + piece->text.size() > kQueryTextMax) {
    return Corruption("ACCESS: the text of a query is longer than any may be");
  }
  text_.text += piece->text;
  return Status::Ok();
}

Status AccessCheck::AddAccess(std::uint64_t index, std::string_view bytes) {
  open_.insert(index);  // whatever is wrong with it, its end is no second mistake
  Result<AccessBody> body = AccessBody::Parse(bytes);
  if (!body.ok()) return body.status();
  if (body->tree_size > index) {
    return Corruption("ACCESS: it is about more blocks than there were");
  }
  if (body->query.has_value()) {
    if (!in_text_) return Status::Ok();
    return Corruption("ACCESS: its query stands in it, and pieces of a text before it");
  }
  if (text_unknown_) return Status::Ok();
  if (!in_text_ || text_.text.size() != body->query_bytes ||
      Sha256(text_.text) != body->query_hash) {
    return Corruption("ACCESS: the blocks before it do not hold the query whose hash it names");
  }
  return Status::Ok();
}

Status AccessCheck::AddEnd(std::string_view bytes) {
  Result<AccessEndBody> body = AccessEndBody::Parse(bytes);
  if (!body.ok()) return body.status();
  if (open_.erase(body->access) > 0 || blind_) return Status::Ok();
  return Corruption("ACCESS_END: block " + std::to_string(body->access) +
                    ", which it names, is no ACCESS block before it, or has its end already");
}

}  // namespace logvault::evidence
