#include "server/alerts.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace logvault::server {
namespace {

using Json = nlohmann::ordered_json;

// A peer's address or a stored name may hold any bytes: what is not UTF-8 is replaced, never thrown
// on.
storage::Entry EntryOf(evidence::BlockKind kind, const Json& body) {
  storage::Entry entry;
  entry.kind = kind;
  entry.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return entry;
}

storage::Entry Alert(const Json& body) { return EntryOf(evidence::BlockKind::kAlert, body); }

Json ListOf(const std::vector<SilenceWatch::HostSilence>& hosts, const char* time_name) {
  Json list = Json::array();
  for (const SilenceWatch::HostSilence& silence : hosts) {
    list.push_back({{"host", silence.host}, {time_name, silence.last_seen}});
  }
  return list;
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

storage::Entry SilenceBegan(const std::vector<SilenceWatch::HostSilence>& hosts) {
  return EntryOf(evidence::BlockKind::kSilence,
                 {{"type", "silent"}, {"hosts", ListOf(hosts, "last_seen")}});
}

storage::Entry SilenceEnded(const std::vector<SilenceWatch::HostSilence>& hosts) {
  return EntryOf(evidence::BlockKind::kSilence,
                 {{"type", "returned"}, {"hosts", ListOf(hosts, "returned_at")}});
}

}  // namespace logvault::server
