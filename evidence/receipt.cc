#include "evidence/receipt.h"

#include <algorithm>
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
  if (receipt.rows) body["rows"] = *receipt.rows;
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
  if (members.Has("rows")) receipt.rows = members.Number("rows");
  receipt.result = members.HashOf("result_sha256");
  if (!members.ok()) return members.status("receipt");
  return receipt;
}

// Behind the last signature line; npos where there is none.
std::size_t EndOfNote(std::string_view file) {
  std::size_t end = file.find(kBeforeSignature);
  if (end == std::string_view::npos) return end;
  end += 2;
  while (file.substr(end).starts_with(kBeforeSignature.substr(2))) {
    const std::size_t line_end = file.find('\n', end);
    if (line_end == std::string_view::npos) return line_end;
    end = line_end + 1;
  }
  return end;
}

Result<SearchReceipt> OpenWith(std::string_view note, std::string_view query,
                               const VerifierKey& key) {
  Result<std::string> text = OpenNote(note, key);
  if (!text.ok()) return text.status();
  const std::string head = std::string(kMagic) + key.name + "\n";
  if (!text->starts_with(head)) return Corruption("it is of another vault");
  Result<SearchReceipt> receipt =
      ParseStatement(std::string_view(*text).substr(head.size()), query);
  if (receipt.ok()) receipt->origin = key.name;
  return receipt;
}

}  // namespace

std::string SearchReceipt::Sign(const std::vector<const SigningKey*>& keys) const {
  const std::string text = std::string(kMagic) + origin + "\n" + StatementOf(*this) + "\n";
  std::string note = SignNote(text, origin, *keys.front());
  for (std::size_t i = 1; i < keys.size(); ++i) note = AddSignature(note, origin, *keys[i]);
  return note + "\n" + query + "\n";
}

Result<SearchReceipt> SearchReceipt::Open(std::string_view file, const VerifierKey& key) {
  if (!file.starts_with(kMagic)) return InvalidArgument("no receipt of this version");
  const std::size_t end = EndOfNote(file);
  const std::string_view query = file.substr(std::min(end, file.size()));
  if (query.size() >= 2 && query.front() == '\n' && query.back() == '\n') {
    const std::string_view text = query.substr(1, query.size() - 2);
    Result<SearchReceipt> receipt = OpenWith(file.substr(0, end), text, key);
    if (receipt.ok()) return receipt;
    for (const VerifierKey::Earlier& earlier : key.earlier) {
      receipt = OpenWith(file.substr(0, end), text, VerifierKey::For(key.name, earlier.public_key));
      if (receipt.ok() && receipt->tree_size <= earlier.last_size) return receipt;
    }
  }
  return Integrity("the receipt was altered or is not signed by the vault's key");
}

}  // namespace logvault::evidence
