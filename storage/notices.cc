#include "storage/notices.h"

#include <nlohmann/json.hpp>

#include "common/bytes.h"

namespace logvault::storage {
namespace {

// Names come from peers: bytes that are no UTF-8 are shown as U+FFFD.
std::string Dump(const nlohmann::ordered_json& body) {
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string GapNotice(std::string_view host, std::string_view source, std::uint64_t first_seq,
                      std::uint64_t last_seq, std::uint64_t block) {
  return Dump({{"type", "gap"},
               {"host", host},
               {"source", source},
               {"first_seq", first_seq},
               {"last_seq", last_seq},
               {"block", block}});
}

std::string ConflictNotice(std::string_view host, std::string_view source,
                           const evidence::BatchHeader& refused, std::string_view header_bytes) {
  return Dump({{"type", "conflict"},
               {"host", host},
               {"source", source},
               {"first_seq", refused.first_seq},
               {"last_seq", refused.last_seq()},
               {"header", ToHex(header_bytes)}});
}

std::string EpochConflictNotice(std::string_view host, std::uint64_t epoch,
                                std::string_view key_body) {
  return Dump({{"type", "conflict"}, {"host", host}, {"epoch", epoch}, {"key", ToHex(key_body)}});
}

std::string ClockNotice(UnixNanos now, UnixNanos last_commit_time) {
  return Dump({{"type", "clock"}, {"clock", now}, {"last_commit_time", last_commit_time}});
}

std::string LogDamagedNotice(std::string_view reason, std::uint64_t size) {
  return Dump({{"type", "log_damaged"}, {"reason", reason}, {"size", size}});
}

}  // namespace logvault::storage
