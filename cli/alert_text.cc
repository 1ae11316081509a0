#include "cli/alert_text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/clock.h"
#include "config/units.h"
#include "formats/time_zone.h"

namespace logvault::cli {
namespace {

using Json = nlohmann::json;

// A member as it is read by a person; "?" where it is not there.
std::string Of(const Json& body, const char* member) {
  const auto found = body.find(member);
  if (found == body.end()) return "?";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string TimeOf(const Json& body, const char* member) {
  const auto found = body.find(member);
  if (found == body.end() || !found->is_number_integer()) return "?";
  return formats::FormatUtc(found->get<UnixNanos>());
}

std::string DurationOf(const Json& body, const char* member) {
  const auto found = body.find(member);
  if (found == body.end() || !found->is_number_integer()) return "?";
  return config::FormatDuration(found->get<std::int64_t>());
}

std::string StreamOf(const Json& body) { return Of(body, "host") + "/" + Of(body, "source"); }
std::string NumbersOf(const Json& body) {
  return Of(body, "first_seq") + ".." + Of(body, "last_seq");
}

std::string Gap(const Json& body) {
  return "records " + NumbersOf(body) + " of " + StreamOf(body) +
         " never came: what followed on them is block " + Of(body, "block");
}

std::string Unclean(const Json& body) {
  return Of(body, "host") + " began anew without a stop record: what it had sealed after seal " +
         Of(body, "last_seal") + " of epoch " + Of(body, "previous_epoch") +
         " may be missing or replaced";
}

std::string Seen(const Json& body) {
  return StreamOf(body) + " " + NumbersOf(body) + " says that it saw a checkpoint of size " +
         Of(body, "seen_size") +
         (Of(body, "ahead") == "true" ? ", which the vault had not reached"
                                      : " with another root than this history's") +
         ": compare the note that the host keeps";
}

std::string Clone(const Json& body) {
  return "a second session of " + Of(body, "host") + ", from " + Of(body, "address") +
         ", was refused while the first one, from " + Of(body, "first_address") +
         ", was alive: its credential may have been copied";
}

std::string ForeignStream(const Json& body) {
  return Of(body, "host") + " sent records as " + Of(body, "stream_host") + "/" +
         Of(body, "source") + ": refused";
}

std::string ClockOff(const Json& body) {
  if (body.contains("host"))
    return "the clock of " + Of(body, "host") + " is ahead by " + DurationOf(body, "ahead_ns");
  return "the vault's own clock stepped to " + TimeOf(body, "clock") + "; the block before is of " +
         TimeOf(body, "last_commit_time");
}

std::string Quota(const Json& body) {
  return Of(body, "host") + " has used its " + Of(body, "bytes_per_day") + " bytes of the day";
}

std::string CrlExpired(const Json& /*body*/) {
  return "the revocation list is past its next update";
}

std::string LogDamaged(const Json& body) {
  return "the vault was opened at the last good point of a damaged log, with " + Of(body, "size") +
         " blocks: " + Of(body, "reason");
}

std::string Conflict(const Json& body) {
  if (body.contains("epoch"))
    return Of(body, "host") + " registered epoch " + Of(body, "epoch") +
           " again, with another key: refused";
  return "other records came under the numbers " + NumbersOf(body) + " of " + StreamOf(body) +
         ", which are taken: refused";
}

// The hosts of a SILENCE body, each with its time.
std::string ListOf(const Json& body, const char* time) {
  std::string list;
  for (const Json& host : body["hosts"]) {
    list += (list.empty() ? "" : ", ") + Of(host, "host") + " (" + TimeOf(host, time) + ")";
  }
  return list;
}

std::string Silent(const Json& body) {
  return "silent, with the time when each was last heard: " + ListOf(body, "last_seen");
}

std::string Returned(const Json& body) {
  return "heard again after a silence: " + ListOf(body, "returned_at");
}

struct Words {
  std::string_view type;
  std::string (*write)(const Json& body);
};

constexpr std::array<Words, 12> kWords = {{
    {"gap", Gap},
    {"unclean", Unclean},
    {"seen", Seen},
    {"clone", Clone},
    {"foreign_stream", ForeignStream},
    {"clock", ClockOff},
    {"quota", Quota},
    {"crl_expired", CrlExpired},
    {"log_damaged", LogDamaged},
    {"conflict", Conflict},
    {"silent", Silent},
    {"returned", Returned},
}};

std::vector<std::string> HostsOf(const Json& body) {
  if (body.contains("host")) return {Of(body, "host")};
  std::vector<std::string> hosts;
  for (const Json& host : body["hosts"]) hosts.push_back(Of(host, "host"));
  return hosts;
}

bool IsListOfObjects(const Json& list) {
  return list.is_array() &&
         std::all_of(list.begin(), list.end(), [](const Json& item) { return item.is_object(); });
}

}  // namespace

AlertText TextOf(const evidence::BlockHeader& alert) {
  AlertText text;
  text.words = alert.body;
  Json body = Json::parse(alert.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object() || !body.contains("type") || !body["type"].is_string()) return text;
  if (!body.contains("hosts")) body["hosts"] = Json::array();
  if (!IsListOfObjects(body["hosts"])) return text;
  text.type = body["type"].get<std::string>();
  text.hosts = HostsOf(body);
  for (const Words& words : kWords) {
    if (words.type == text.type) text.words = words.write(body);
  }
  return text;
}

}  // namespace logvault::cli
