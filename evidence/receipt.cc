#include "evidence/receipt.h"

#include <nlohmann/json.hpp>

#include "evidence/json_body.h"

namespace logvault::evidence {
namespace {

constexpr std::string_view kMagic = "logvault/receipt/v1\n";
constexpr std::string_view kBeforeSignature = "\n\n\xE2\x80\x94 ";
constexpr std::size_t kUnreadableMax = 1000;  // named; a note is small

std::string StatementOf(const SearchReceipt& receipt) {
  BodyJson body;
  body["type"] = "receipt";
  body["tree_size"] = receipt.tree_size;
  body["root"] = receipt.root.Hex();
  body["access"] = receipt.access;
  body["answered_at"] = receipt.answered_at;
  body["query_sha256"] = Sha256(receipt.query).Hex();
  body["blocks_in_scope"] = receipt.in_scope;
  body["blocks_pruned_by_header"] = receipt.pruned_by_header;
  body["blocks_pruned_by_index"] = receipt.pruned_by_index;
  body["blocks_counted"] = receipt.counted;
  body["blocks_scanned"] = receipt.scanned;
  body["blocks_deleted"] = receipt.deleted;
  body["blocks_unreadable"] = receipt.unreadable.size();
  body["unreadable"] = BodyJson::array();
  for (std::size_t i = 0; i < receipt.unreadable.size() && i < kUnreadableMax; ++i)
    body["unreadable"].push_back(BodyJson{{"block", receipt.unreadable[i]}});
  body["limit_reached"] = static_cast<std::uint64_t>(receipt.limit_reached ? 1 : 0);
  body["matches"] = receipt.matches;
  body["result_sha256"] = receipt.result.Hex();
  return DumpBody(body);
}

Result<SearchReceipt> ParseStatement(std::string_view line, std::string_view query) {
  BodyMembers members(line, "receipt");
  SearchReceipt receipt;
  receipt.tree_size = members.Number("tree_size");
  receipt.root = members.HashOf("root");
  receipt.access = members.Number("access");
  receipt.answered_at = members.Time("answered_at");
  if (members.HashOf("query_sha256") != Sha256(query)) members.Fail("query_sha256");
  receipt.query = query;
  receipt.in_scope = members.Number("blocks_in_scope");
  receipt.pruned_by_header = members.Number("blocks_pruned_by_header");
  receipt.pruned_by_index = members.Number("blocks_pruned_by_index");
  receipt.counted = members.Number("blocks_counted");
  receipt.scanned = members.Number("blocks_scanned");
  receipt.deleted = members.Number("blocks_deleted");
  for (BodyMembers& block : members.List("unreadable"))
    receipt.unreadable.push_back(block.Number("block"));
  receipt.limit_reached = members.Number("limit_reached") != 0;
  receipt.matches = members.Number("matches");
  receipt.result = members.HashOf("result_sha256");
  if (!members.ok()) return members.status("receipt");
  return receipt;
}

}  // namespace

std::string SearchReceipt::Sign(const SigningKey& key) const {
  const std::string text = std::string(kMagic) + origin + "\n" + StatementOf(*this) + "\n";
  return SignNote(text, origin, key) + "\n" + query + "\n";
}

Result<SearchReceipt> SearchReceipt::Open(std::string_view file, const VerifierKey& key) {
  if (!file.starts_with(kMagic)) return InvalidArgument("no receipt of this version");
  const Status altered = Integrity("the receipt was altered or is not signed by the vault's key");
  const std::size_t signature = file.find(kBeforeSignature);
  const std::size_t end = signature == std::string_view::npos
                              ? signature
                              : file.find('\n', signature + kBeforeSignature.size());
  if (end == std::string_view::npos) return altered;
  const std::string_view query = file.substr(end + 1);
  if (query.size() < 2 || query.front() != '\n' || query.back() != '\n') return altered;
  Result<std::string> text = OpenNote(file.substr(0, end + 1), key);
  if (!text.ok()) return altered;
  const std::string head = std::string(kMagic) + key.name + "\n";
  if (!text->starts_with(head)) return altered;
  Result<SearchReceipt> receipt = ParseStatement(std::string_view(*text).substr(head.size()),
                                                 query.substr(1, query.size() - 2));
  if (!receipt.ok()) return altered;
  receipt->origin = key.name;
  return receipt;
}

}  // namespace logvault::evidence
