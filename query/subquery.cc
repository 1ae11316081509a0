#include "query/subquery.h"

#include <set>

#include "query/evaluate.h"

namespace logvault::query {
namespace {

bool HasSubquery(const Node& node) {
  if (node.subquery != nullptr) return true;
  for (const Node& child : node.children) {
    if (HasSubquery(child)) return true;
  }
  return false;
}

// The distinct values that one subquery gives.
class Values {
 public:
  bool Add(std::string_view value) {
    if (value.size() + bytes_ > kSubqueryBytesMax || values_.size() >= kSubqueryValuesMax) {
      status_ = InvalidArgument("a subquery gives more than " + std::to_string(kSubqueryValuesMax) +
                                " values or " + std::to_string(kSubqueryBytesMax >> 20) +
                                " MiB; narrow it");
      return false;
    }
    if (values_.emplace(value).second) bytes_ += value.size();
    return true;
  }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const std::set<std::string>& values() const { return values_; }

 private:
  std::set<std::string> values_;
  std::size_t bytes_ = 0;
  Status status_;
};

class Resolver {
 public:
  Resolver(const storage::Reader& reader, const Request& request, Completeness& completeness,
           const std::stop_token& stop, IndexCache* cache)
      : reader_(reader),
        request_(request),
        completeness_(completeness),
        stop_(stop),
        cache_(cache) {}

  Status Resolve(Node& node) {
    for (Node& child : node.children) LV_RETURN_IF_ERROR(Resolve(child));
    if (node.subquery == nullptr) return Status::Ok();
    Values values;
    LV_RETURN_IF_ERROR(AskFor(node, values));
    for (const std::string& value : values.values()) {
      // Addresses compare as such; everything else is the value itself, `*` and `?` too.
      node.patterns.push_back(Pattern::Of(value, !Network::ParseAddress(value)));
    }
    return node.SetMembers() ? Status::Ok()
                             : Internal("values that are no wildcards were taken for some");
  }

 private:
  Status AskFor(const Node& node, Values& values) {
    Request inner = request_;
    inner.expression = node.subquery->expression;
    inner.pipeline = node.subquery->pipeline;
    inner.limit.reset();
    inner.count_only = false;
    inner.order = Request::Order::kStream;
    AskObserver observer;
    observer.search.on_row = [&](const Row& row) {
      Subject subject(row);
      bool room = true;
      ForEachValue(subject, node.field,
                   [&](std::string_view value) { room = room && values.Add(value); });
      return room;
    };
    observer.on_table_row = [&](const TableRow& row) {
      bool room = true;
      ForEachText(row.at(0), [&](std::string_view value) { room = room && values.Add(value); });
      return room;
    };
    Result<Completeness> answered = Ask(reader_, inner, observer, stop_, cache_);
    if (!answered.ok()) return answered.status();
    LV_RETURN_IF_ERROR(values.status());
    completeness_.unreadable.insert(completeness_.unreadable.end(), answered->unreadable.begin(),
                                    answered->unreadable.end());
    completeness_.notes.push_back(
        "the subquery of " + node.field + " gave " + std::to_string(values.values().size()) +
        " values from " + std::to_string(answered->matches) +
        " records; blocks: " + std::to_string(answered->blocks_scanned) + " scanned, " +
        std::to_string(answered->blocks_pruned) + " pruned");
    return Status::Ok();
  }

  const storage::Reader& reader_;
  const Request& request_;
  Completeness& completeness_;
  const std::stop_token& stop_;
  IndexCache* const cache_;
};

}  // namespace

Result<Request> WithoutSubqueries(const storage::Reader& reader, const Request& request,
                                  Completeness& completeness, const std::stop_token& stop,
                                  IndexCache* cache) {
  Request resolved = request;
  const Node* root = request.expression.root();
  if (root == nullptr || !HasSubquery(*root)) return resolved;
  Node copy = *root;
  LV_RETURN_IF_ERROR(Resolver(reader, request, completeness, stop, cache).Resolve(copy));
  resolved.expression = Expression(std::move(copy), request.expression.text());
  return resolved;
}

}  // namespace logvault::query
