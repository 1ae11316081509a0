#include "query/index_lookup.h"

#include <algorithm>
#include <string>

#include "query/fragment_set.h"
#include "query/literal.h"

namespace logvault::query {
namespace {

using Kind = IndexQuery::Kind;

bool IsFull(const BlockSet& set) { return std::find(set.begin(), set.end(), false) == set.end(); }
bool IsEmpty(const BlockSet& set) { return std::find(set.begin(), set.end(), true) == set.end(); }

// The first characters that the tokens of every address inside have in common.
std::string CommonPrefix(const Network& network) {
  Network first = network;
  const auto whole = static_cast<std::size_t>(network.prefix_length);
  if (network.v6) return AddressToken(first).substr(0, 1 + whole / 4);
  std::string prefix;
  for (std::size_t octet = 0; octet < whole / 8; ++octet) {
    prefix += std::to_string(network.bytes[octet]);
    if (octet < 3) prefix += ".";
  }
  return prefix;
}

std::optional<Network> AddressOf(std::string_view token) {
  if (!token.starts_with(':')) return Network::ParseAddress(token);
  Network address;
  address.v6 = true;
  address.prefix_length = 128;
  if (token.size() != 1 + 2 * address.bytes.size()) return std::nullopt;
  Result<evidence::Hash> bytes =
      evidence::Hash::FromHex(std::string(token.substr(1)) + std::string(token.substr(1)));
  if (!bytes.ok()) return std::nullopt;
  std::copy_n(bytes->bytes.begin(), address.bytes.size(), address.bytes.begin());
  return address;
}

class Searcher {
 public:
  Searcher(const Directory& directory, const ChunkSource& chunks)
      : directory_(directory), chunks_(chunks) {}

  Result<BlockSet> Find(const IndexQuery& query) {
    switch (query.kind) {
      case Kind::kAny:
        return BlockSet(directory_.blocks.size(), true);
      case Kind::kAnd:
        return FindAll(query.children);
      case Kind::kOr:
        return FindOneOf(query.children);
      case Kind::kFragment:
        return FindFragment(query.fragment);
      case Kind::kFragments:
        return FindFragments(FragmentSet(query.fragments));
      case Kind::kTokens:
        return FindTokens(query.tokens);
      case Kind::kNetwork:
        return FindWithPrefix(CommonPrefix(query.network), [&query](std::string_view token) {
          const std::optional<Network> address = AddressOf(token);
          return address && query.network.Contains(*address);
        });
    }
    return Internal("an index query of no kind");
  }

 private:
  [[nodiscard]] BlockSet Nothing() const { return BlockSet(directory_.blocks.size(), false); }

  Result<BlockSet> FindAll(const std::vector<IndexQuery>& parts) {
    BlockSet all(directory_.blocks.size(), true);
    for (const IndexQuery& part : parts) {
      Result<BlockSet> found = Find(part);
      if (!found.ok()) return found;
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = all[i] && (*found)[i];
      if (IsEmpty(all)) break;
    }
    return all;
  }

  Result<BlockSet> FindOneOf(const std::vector<IndexQuery>& parts) {
    BlockSet any = Nothing();
    for (const IndexQuery& part : parts) {
      Result<BlockSet> found = Find(part);
      if (!found.ok()) return found;
      for (std::size_t i = 0; i < any.size(); ++i) any[i] = any[i] || (*found)[i];
      if (IsFull(any)) break;
    }
    return any;
  }

  Result<BlockSet> FindFragment(const Fragment& fragment) {
    if (fragment.open_left) return FindInside(fragment);
    if (fragment.open_right)
      return FindWithPrefix(fragment.text, [](std::string_view) { return true; });
    return FindTokens({fragment.text});
  }

  // The chunk that holds `token` if any does, or the one where it would stand.
  [[nodiscard]] std::size_t ChunkFor(std::string_view token) const {
    const auto behind =
        std::upper_bound(directory_.chunks.begin(), directory_.chunks.end(), token,
                         [](std::string_view a, const ChunkEntry& b) { return a < b.first_token; });
    const auto place = static_cast<std::size_t>(behind - directory_.chunks.begin());
    return place == 0 ? 0 : place - 1;
  }

  Result<BlockSet> FindTokens(const std::vector<std::string>& tokens) {
    BlockSet set = Nothing();
    std::shared_ptr<const Chunk> chunk;
    std::size_t opened = 0;
    for (const std::string& token : tokens) {
      if (directory_.chunks.empty()) break;
      const std::size_t wanted = ChunkFor(token);
      if (chunk == nullptr || wanted != opened) {
        Result<std::shared_ptr<const Chunk>> loaded = chunks_(wanted, {});
        if (!loaded.ok()) return loaded.status();
        chunk = *std::move(loaded);
        opened = wanted;
      }
      const std::size_t at = chunk->LowerBound(token);
      if (at < chunk->token_count() && chunk->token(at) == token) chunk->MarkBlocks(at, set);
    }
    return set;
  }

  template <typename Wanted>
  Result<BlockSet> FindWithPrefix(const std::string& prefix, const Wanted& wanted) {
    BlockSet set = Nothing();
    for (std::size_t i = ChunkFor(prefix); i < directory_.chunks.size(); ++i) {
      const std::string& first = directory_.chunks[i].first_token;
      if (first > prefix && !first.starts_with(prefix)) break;
      Result<std::shared_ptr<const Chunk>> chunk = chunks_(i, {});
      if (!chunk.ok()) return chunk.status();
      for (std::size_t at = (*chunk)->LowerBound(prefix); at < (*chunk)->token_count(); ++at) {
        const std::string_view token = (*chunk)->token(at);
        if (!token.starts_with(prefix)) return set;
        if (wanted(token)) (*chunk)->MarkBlocks(at, set);
      }
      if (IsFull(set)) break;
    }
    return set;
  }

  Result<BlockSet> FindFragments(const FragmentSet& fragments) {
    BlockSet set = Nothing();
    for (std::size_t i = 0; i < directory_.chunks.size() && !IsFull(set); ++i) {
      Result<std::shared_ptr<const Chunk>> chunk = chunks_(i, {});
      if (!chunk.ok()) return chunk.status();
      const std::string_view text = (*chunk)->text();
      for (std::size_t hit = fragments.Find(text); hit != std::string_view::npos;) {
        (*chunk)->MarkBlocks((*chunk)->TokenAt(hit), set);
        hit = fragments.Find(text, std::min(text.find('\0', hit), text.size()));
      }
    }
    return set;
  }

  // Tokens in which the fragment does not stand at the front: all that may hold it are looked through.
  Result<BlockSet> FindInside(const Fragment& fragment) {
    BlockSet set = Nothing();
    const Literal literal(fragment.text);
    for (std::size_t i = 0; i < directory_.chunks.size() && !IsFull(set); ++i) {
      Result<std::shared_ptr<const Chunk>> chunk = chunks_(i, fragment.text);
      if (!chunk.ok()) return chunk.status();
      if (*chunk == nullptr) continue;
      const std::string_view text = (*chunk)->text();
      for (std::size_t hit = literal.Find(text); hit != std::string_view::npos;) {
        const std::size_t end = hit + fragment.text.size();
        std::size_t next = hit + 1;
        if (fragment.open_right || text[end] == '\0') {
          const std::size_t token = (*chunk)->TokenAt(hit);
          (*chunk)->MarkBlocks(token, set);
          next = text.find('\0', hit);
          if (IsFull(set)) break;
        }
        hit = literal.Find(text, next);
      }
    }
    return set;
  }

  const Directory& directory_;
  const ChunkSource& chunks_;
};

}  // namespace

Result<BlockSet> Lookup(const IndexQuery& query, bool uses_fields, const Directory& directory,
                        const ChunkSource& chunks) {
  Result<BlockSet> found = Searcher(directory, chunks).Find(query);
  if (!found.ok()) return found;
  for (const std::uint16_t ordinal : directory.always) (*found)[ordinal] = true;
  if (!uses_fields) return found;
  for (const std::uint16_t ordinal : directory.unsure) (*found)[ordinal] = true;
  return found;
}

}  // namespace logvault::query
