// The program against a collector in this process that holds one host's records.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/cli/program.h"
#include "tests/server/server_lab.h"

namespace logvault::cli {

namespace fs = std::filesystem;

class RemoteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    lab_.Start();
    geo01_ = lab_.Host("geo01");
    Reconnect();
    Append(geo01_->Registration());
    Add({"alpha one\n", "beta two\n"});
    Add({"alpha three\n"});
    alice_ = lab_.pki.Issue(pki::Role::kInvestigator, "alice");
  }

  void Reconnect() {
    ingest_ = lab_.Connect(*geo01_);
    v1::OpenRequest request;
    v1::StreamDescriptor& stream = *request.add_streams();
    stream.set_source("app");
    stream.set_format("plain");
    stream.set_descriptor_json("{}");
    Result<v1::SessionOpened> opened = ingest_->Open(request);
    ASSERT_TRUE(opened.ok()) << opened.status();
    session_ = opened->session();
  }
  void Append(const v1::AppendItem& item) {
    v1::AppendRequest request;
    request.set_session(session_);
    *request.add_items() = item;
    Result<v1::AppendResponse> response = ingest_->Append(request);
    ASSERT_TRUE(response.ok()) << response.status();
    ASSERT_EQ(response->receipts(0).outcome(), v1::ItemReceipt::COMMITTED)
        << response->receipts(0).reason();
  }
  void Add(const std::vector<std::string>& lines) {
    Append(geo01_->Seal(geo01_->DraftBatch("app", next_seq_, lines, lab_.clock.Now())));
    next_seq_ += lines.size();
  }

  void StopCollector() {
    ingest_->Close();
    ingest_.reset();
    lab_.Stop();
  }
  // Keeps a copy of the vault as it is now, and goes on.
  void CopyVault() {
    StopCollector();
    fs::copy(Vault(), Copy(), fs::copy_options::recursive);
    fs::copy(lab_.config.anchor, Copy().string() + ".anchor");
    lab_.Start();
    Reconnect();
  }
  // Starts the collector on the copy, its anchor set back with it: root can do that.
  void PutCopyBack() {
    StopCollector();
    fs::remove_all(Vault());
    fs::rename(Copy(), Vault());
    fs::rename(Copy().string() + ".anchor", lab_.config.anchor);
    lab_.Start();
  }
  fs::path Copy() const { return lab_.pki.dir() + "/copy"; }
  fs::path Vault() const { return lab_.config.vault_dir; }

  Ran Run(const std::vector<std::string>& arguments) { return RunAs(alice_, arguments); }
  Ran RunAs(const std::string& credentials, const std::vector<std::string>& arguments) {
    return Program(arguments, EnvironmentAs(credentials)).Finish();
  }
  std::map<std::string, std::string> EnvironmentAs(const std::string& credentials) const {
    return {{"LOGVAULT_VAULT", address_.empty() ? lab_.collector->query_address() : address_},
            {"LOGVAULT_CREDENTIALS", credentials},
            {"XDG_STATE_HOME", lab_.pki.dir() + "/state"}};
  }

  server::ServerLab lab_;
  std::unique_ptr<server::TestHost> geo01_;
  std::unique_ptr<net::IngestClient> ingest_;
  std::string session_;
  std::uint64_t next_seq_ = 1;
  std::string alice_;
  std::string address_;  // empty: the lab's
};

}  // namespace logvault::cli
