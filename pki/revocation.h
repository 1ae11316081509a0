// Revocation: the CRL of the CA, checked by our own code (gRPC's check fails open; see docs/adr).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace logvault::pki {

// A CRL whose signature was verified.
struct RevocationList {
  std::uint64_t number = 0;
  UnixNanos this_update = 0;
  UnixNanos next_update = 0;
  std::set<std::string> revoked_serials;  // lower-case hex, as Certificate::serial_hex

  bool operator==(const RevocationList&) const = default;

  // kInvalidArgument for what is not a list, not signed by this CA, or means more than we know.
  static Result<RevocationList> Parse(std::string_view crl_pem, std::string_view ca_pem);
};

// A CRL file that may change while we run.  Keeps the last good list; never goes back to a lower
// number. Safe from several threads.
class RevocationFile {
 public:
  // Fails where the file is missing or wrong: there is no start without a good list.
  static Result<std::unique_ptr<RevocationFile>> Open(std::string crl_path, std::string ca_path,
                                                      const Clock& clock);

  // Reads the file again if it changed; call it at least every 5 s.  Returns why a new file was not
  // taken; the last good list stays in force.
  Status Refresh() LV_EXCLUDES(mutex_);

  [[nodiscard]] bool IsRevoked(const std::string& serial_hex) const LV_EXCLUDES(mutex_);
  // Past its next update: ingest goes on with the last good list and alarms, queries are refused.
  [[nodiscard]] bool IsExpired() const LV_EXCLUDES(mutex_);
  [[nodiscard]] UnixNanos next_update() const LV_EXCLUDES(mutex_);

 private:
  RevocationFile(std::string crl_path, std::string ca_path, const Clock& clock);

  const std::string crl_path_;
  const std::string ca_path_;
  const Clock& clock_;
  mutable Mutex mutex_;
  RevocationList list_ LV_GUARDED_BY(mutex_);
  std::optional<std::string> file_bytes_ LV_GUARDED_BY(mutex_);  // nothing before the first list
};

}  // namespace logvault::pki
