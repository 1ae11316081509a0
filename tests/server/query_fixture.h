// A vault with one host's records and an investigator who asks.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/server/server_lab.h"

namespace logvault::server {

class QueryTest : public testing::Test {
 protected:
  void SetUp() override {
    lab.Start();
    geo01 = lab.Host("geo01");
    ingest = lab.Connect(*geo01);
    v1::OpenRequest request;
    v1::StreamDescriptor& stream = *request.add_streams();
    stream.set_source("syslog");
    stream.set_format("plain");
    stream.set_descriptor_json("{}");
    Result<v1::SessionOpened> opened = ingest->Open(request);
    ASSERT_TRUE(opened.ok()) << opened.status();
    session = opened->session();
    Append(geo01->Registration());
    Add({"alpha one\n", "beta two\n"});
    Add({"alpha three\n"});
    client = lab.ConnectAsInvestigator();
  }

  void Append(const v1::AppendItem& item) {
    v1::AppendRequest request;
    request.set_session(session);
    *request.add_items() = item;
    Result<v1::AppendResponse> response = ingest->Append(request);
    ASSERT_TRUE(response.ok()) << response.status();
    ASSERT_EQ(response->receipts(0).outcome(), v1::ItemReceipt::COMMITTED)
        << response->receipts(0).reason();
  }
  void Add(const std::vector<std::string>& lines) {
    Append(geo01->Seal(geo01->DraftBatch("syslog", next_seq, lines, lab.clock.Now())));
    next_seq += lines.size();
  }

  struct Answer {
    Status status;
    std::vector<std::string> rows;
    v1::SearchStarted started;
    v1::SearchDone done;
  };
  Answer Search(const v1::SearchRequest& request) {
    Answer answer;
    answer.status = client->Search(request, [&](const v1::SearchEvent& event) {
      if (event.has_started()) answer.started = event.started();
      for (const v1::Row& row : event.rows().rows()) answer.rows.push_back(row.bytes());
      if (event.has_done()) answer.done = event.done();
      return true;
    });
    return answer;
  }
  Answer Search(const std::string& expression) {
    v1::SearchRequest request;
    request.set_expression(expression);
    return Search(request);
  }

  ServerLab lab;
  std::unique_ptr<TestHost> geo01;
  std::unique_ptr<net::IngestClient> ingest;
  std::unique_ptr<net::QueryClient> client;
  std::string session;
  std::uint64_t next_seq = 1;
};

}  // namespace logvault::server
