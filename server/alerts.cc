#include "server/alerts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::server {
namespace {

using Json = nlohmann::ordered_json;

// A name has at most 63 bytes, so that a block's 60 KiB hold them.
constexpr std::size_t kHostsPerBlock = 400;

// A peer's address or a stored name may hold any bytes: what is not UTF-8 is replaced, never thrown
// on.
storage::Entry EntryOf(evidence::BlockKind kind, const Json& body) {
  storage::Entry entry;
  entry.kind = kind;
  entry.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return entry;
}

storage::Entry Alert(const Json& body) { return EntryOf(evidence::BlockKind::kAlert, body); }

void AddSilences(const char* type, const char* time_name,
                 const std::vector<SilenceWatch::HostSilence>& hosts,
                 std::vector<storage::Entry>& entries) {
  for (std::size_t first = 0; first < hosts.size(); first += kHostsPerBlock) {
    Json list = Json::array();
    for (std::size_t i = first; i < std::min(hosts.size(), first + kHostsPerBlock); ++i) {
      list.push_back({{"host", hosts[i].host}, {time_name, hosts[i].last_seen}});
    }
    entries.push_back(EntryOf(evidence::BlockKind::kSilence, {{"type", type}, {"hosts", list}}));
  }
}

}  // namespace

storage::Entry CloneAlert(const std::string& host, const std::string& address,
                          const std::string& first_address) {
  return Alert(
      {{"type", "clone"}, {"host", host}, {"address", address}, {"first_address", first_address}});
}

storage::Entry ForeignStreamAlert(const std::string& host, const std::string& owner,
                                  const std::string& owner_source) {
  return Alert({{"type", "foreign_stream"},
                {"host", host},
                {"stream_host", owner},
                {"source", owner_source}});
}

storage::Entry UncleanAlert(const std::string& host, std::uint64_t epoch,
                            std::uint64_t previous_epoch, std::uint32_t last_seal) {
  return Alert({{"type", "unclean"},
                {"host", host},
                {"epoch", epoch},
                {"previous_epoch", previous_epoch},
                {"last_seal", last_seal}});
}

storage::Entry SeenAlert(const std::string& host, const std::string& source,
                         const evidence::BatchHeader& batch, bool ahead) {
  return Alert({{"type", "seen"},
                {"host", host},
                {"source", source},
                {"first_seq", batch.first_seq},
                {"last_seq", batch.last_seq()},
                {"seen_size", batch.seen_size},
                {"seen_root", batch.seen_root.Hex()},
                {"ahead", ahead}});
}

storage::Entry ClockAlert(const std::string& host, std::int64_t ahead_ns) {
  return Alert({{"type", "clock"}, {"host", host}, {"ahead_ns", ahead_ns}});
}

storage::Entry QuotaAlert(const std::string& host, std::uint64_t bytes_per_day) {
  return Alert({{"type", "quota"}, {"host", host}, {"bytes_per_day", bytes_per_day}});
}

storage::Entry CrlExpiredAlert() { return Alert({{"type", "crl_expired"}}); }

std::vector<storage::Entry> SilenceEntries(const SilenceWatch::Changes& changes) {
  std::vector<storage::Entry> entries;
  AddSilences("returned", "returned_at", changes.returned, entries);
  AddSilences("silent", "last_seen", changes.fell_silent, entries);
  return entries;
}

}  // namespace logvault::server
