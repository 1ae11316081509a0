// A vault with records of our making, searched, and the answer in few words.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "query/search.h"
#include "storage/keys.h"
#include "storage/tables.h"
#include "tests/storage/vault_fixture.h"

namespace logvault::query {

// What a search gave.
struct Found {
  Status status;
  std::vector<std::string> records;  // "HOST/SOURCE/SEQ", `!` behind it where outside the window
  std::vector<std::string> bytes;
  Completeness completeness;
};

class SearchTest : public storage::VaultTest {
 protected:
  void SetUp() override { CreateVault(); }

  testing::TestHost& Host(const std::string& name) {
    auto [host, is_new] = hosts_.try_emplace(name, name);
    if (is_new) Append({host->second.Key()});
    return host->second;
  }

  struct Record {
    std::string bytes;
    UnixNanos event_time = kNoTime;
    UnixNanos read_time = kStart;
    std::uint32_t flags = 0;
    std::string origin = "/var/log/test";
  };
  // Commits the records as one block and returns its number.
  std::uint64_t Commit(const std::string& host, const std::string& source,
                       const std::vector<Record>& records, const std::string& format = "plain") {
    testing::TestHost& sender = Host(host);
    if (!known_.contains(host + "/" + source)) Append({sender.Stream(source, format)});
    known_[host + "/" + source] = true;
    std::vector<evidence::RecordView> views;
    for (const Record& record : records) {
      views.push_back(
          {record.event_time, record.read_time, record.flags, record.origin, record.bytes});
    }
    return Append({sender.Batch(source, views)}).entries.at(0).index;
  }

  static Request Ask(std::string_view expression,
                     Request::Order order = Request::Order::kOldestFirst) {
    Request request;
    Result<Expression> parsed = Expression::Parse(expression);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    if (parsed.ok()) request.expression = *std::move(parsed);
    request.order = order;
    return request;
  }

  Found Search(const Request& request, std::stop_token stop = {}) {
    Found found;
    Observer observer;
    observer.on_row = [&found](const Row& row) {
      found.records.push_back(std::string(row.host) + "/" + std::string(row.source) + "/" +
                              std::to_string(row.seq) + (row.outside_window ? "!" : ""));
      found.bytes.emplace_back(row.bytes);
      return true;
    };
    Result<Completeness> completeness = query::Search(vault_->reader(), request, observer, stop);
    if (completeness.ok())
      found.completeness = *std::move(completeness);
    else
      found.status = completeness.status();
    return found;
  }
  Found Search(std::string_view expression, Request::Order order = Request::Order::kOldestFirst) {
    return Search(Ask(expression, order));
  }

  // Closes the vault, lets `edit` change its tables behind its back, and opens it again.
  void Tamper(const std::function<void(storage::Tables&)>& edit) {
    vault_.reset();
    storage::TablesOptions options;
    options.dir = options_.dir;
    Result<std::shared_ptr<storage::Tables>> tables = storage::Tables::Open(options);
    ASSERT_TRUE(tables.ok()) << tables.status();
    edit(**tables);
    tables->reset();
    Reopen();
  }
  static void DropPayload(storage::Tables& tables, std::uint64_t block) {
    for (auto* family : tables.PayloadFamilies())
      tables.db().Delete({}, family, storage::NumberKey(block));
  }
  static void ReplacePayload(storage::Tables& tables, std::uint64_t block,
                             const std::string& frame) {
    tables.db().Put({}, tables.PayloadFamilies().at(0), storage::NumberKey(block), frame);
  }

 private:
  std::map<std::string, testing::TestHost> hosts_;
  std::map<std::string, bool> known_;
};

}  // namespace logvault::query
