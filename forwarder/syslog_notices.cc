#include "forwarder/syslog_notices.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::forwarder {

namespace {

// Reasons hold what OpenSSL says of a peer's bytes; there are not many, and no sender may make more.
constexpr std::size_t kMaxReasons = 16;

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

bool SyslogNotices::CountClosed(const std::string& reason, const std::string& address) {
  MutexLock lock(mutex_);
  const bool known = closed_.contains(reason) || closed_.size() < kMaxReasons;
  Closed& closed = closed_[known ? reason : "connections closed for other reasons"];
  if (closed.connections++ > 0) return false;
  closed.address = address;
  return true;
}

void SyslogNotices::CountKernelDrops(std::uint32_t datagrams) {
  MutexLock lock(mutex_);
  kernel_drops_ += datagrams;
  kernel_drops_ever_ += datagrams;
}

void SyslogNotices::CountCut(std::size_t bytes) {
  MutexLock lock(mutex_);
  cut_bytes_ += bytes;
}

void SyslogNotices::CountOverRate(const std::string& sender, std::size_t bytes) {
  MutexLock lock(mutex_);
  const bool named = over_rate_.contains(sender) || over_rate_.size() < kMaxNamedSenders;
  Dropped& dropped = over_rate_[named ? sender : std::string()];
  ++dropped.messages;
  dropped.bytes += bytes;
  ++over_rate_ever_;
}

OwnRecords SyslogNotices::Take(const std::string& source) {
  MutexLock lock(mutex_);
  OwnRecords records = SayOverRate(source);
  if (const std::uint64_t drops = std::exchange(kernel_drops_, 0); drops > 0) {
    records.push_back(
        Dump({{"type", "gap"},
              {"source", source},
              {"records", drops},
              {"exact", true},
              {"reason", "datagrams dropped by the kernel: the receive buffer was full"}}));
  }
  if (const std::uint64_t bytes = std::exchange(cut_bytes_, 0); bytes > 0) {
    records.push_back(Dump({{"type", "gap"},
                            {"source", source},
                            {"bytes", bytes},
                            {"exact", true},
                            {"reason", "datagrams cut: longer than 256 KiB"}}));
  }
  for (const auto& [reason, closed] : std::exchange(closed_, {})) {
    records.push_back(Dump({{"type", "warning"},
                            {"source", source},
                            {"connections", closed.connections},
                            {"address", closed.address},
                            {"reason", reason}}));
  }
  return records;
}

OwnRecords SyslogNotices::SayOverRate(const std::string& source) {
  OwnRecords records;
  for (const auto& [sender, dropped] : std::exchange(over_rate_, {})) {
    nlohmann::json gap = {{"type", "gap"},
                          {"source", source},
                          {"records", dropped.messages},
                          {"bytes", dropped.bytes},
                          {"exact", true},
                          {"reason", "messages dropped: sent faster than sender_rate allows"}};
    if (sender.empty())
      gap["reason"] = "messages of more senders dropped: sent faster than sender_rate allows";
    else
      gap["sender"] = sender;
    records.push_back(Dump(gap));
  }
  return records;
}

std::uint64_t SyslogNotices::over_rate() const {
  MutexLock lock(mutex_);
  return over_rate_ever_;
}

std::uint64_t SyslogNotices::kernel_drops() const {
  MutexLock lock(mutex_);
  return kernel_drops_ever_;
}

}  // namespace logvault::forwarder
