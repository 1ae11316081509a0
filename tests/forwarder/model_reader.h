// ModelReader: a FileSource whose records, positions and own words become durable together, and which can die between.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "evidence/payload.h"
#include "forwarder/file_source.h"
#include "tests/forwarder/model_disk.h"

namespace logvault::forwarder {

class ModelReader {
 public:
  // `clock` must outlive the reader.
  ModelReader(FileSourceOptions options, FakeClock& clock)
      : options_(std::move(options)), clock_(clock) {}

  void Start() {
    source_ = std::make_unique<FileSource>(options_, clock_);
    batch_ = std::make_unique<OpenBatch>();
    std::vector<evidence::PositionEntry> position;
    for (const auto& [key, value] : position_) position.push_back({key, value});
    source_->Resume(position, !pieces_.empty());
  }
  void Die() {
    source_.reset();
    batch_.reset();
    own_.clear();
  }
  [[nodiscard]] bool runs() const { return source_ != nullptr; }

  // One look.
  void Look() {
    clock_.Advance(kNanosPerSecond / 10);
    if (!runs()) return;
    while (source_->Read(*batch_) == Source::Outcome::kFull) Commit();
    for (std::string& record : source_->TakeOwnRecords()) own_.push_back(std::move(record));
  }
  void Commit() {
    if (!runs()) return;
    for (std::string& record : source_->TakeOwnRecords()) own_.push_back(std::move(record));
    if (batch_->empty()) return SayOwn();  // Positions travel with records only.
    std::vector<evidence::PositionEntry> position = source_->TakePosition();
    auto sealed = batch_->builder().Finish(1, std::string(32, 'k'), position);
    Result<evidence::Payload> payload = evidence::Payload::Parse(sealed.frame, {});
    LV_CHECK(payload.ok());
    for (int id : PiecesIn(std::string(payload->blob()))) pieces_.push_back(id);
    raw_ += payload->blob();
    for (const evidence::PositionEntry& entry : payload->position()) {
      if (entry.value.empty()) position_.erase(entry.key);
      if (!entry.value.empty()) position_[entry.key] = entry.value;
    }
    batch_ = std::make_unique<OpenBatch>();
    SayOwn();
  }
  // What the own stream holds is sealed once a second.
  void SayOwn() {
    for (const std::string& record : own_) {
      nlohmann::json json = nlohmann::json::parse(record);
      if (json["type"] == "gap")
        gap_bytes_max_ = std::max(gap_bytes_max_, json["bytes"].get<std::uint64_t>());
      if (json["type"] == "gap") ++gaps_;
      words_ += record + "\n";
    }
    own_.clear();
  }

  const std::vector<int>& pieces() const { return pieces_; }  // received, in order
  const std::string& raw() const { return raw_; }
  const std::string& words() const { return words_; }
  std::uint64_t gaps() const { return gaps_; }
  std::uint64_t gap_bytes_max() const { return gap_bytes_max_; }  // of one gap

 private:
  const FileSourceOptions options_;
  FakeClock& clock_;
  std::unique_ptr<FileSource> source_;
  std::unique_ptr<OpenBatch> batch_;
  OwnRecords own_;
  // durable
  std::map<std::string, std::string> position_;
  std::vector<int> pieces_;
  std::string raw_;
  std::string words_;
  std::uint64_t gaps_ = 0;
  std::uint64_t gap_bytes_max_ = 0;
};

}  // namespace logvault::forwarder
