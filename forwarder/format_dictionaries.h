// FormatDictionaries: what the small batches of each format are compressed with, as the vault handed it out.  Kept in the
// spool, so that a host that starts without its vault seals as before, and can read what waits.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/checkpoint.h"
#include "evidence/dictionary.h"
#include "forwarder/spool.h"
#include "proto/logvault.pb.h"

namespace logvault::forwarder {

// What `opened` hands out must stand in the tree of `checkpoint`, which was verified; else kIntegrity.  The administrator's
// signature under it is judged by whoever verifies the vault.
Status CheckDictionaries(const v1::SessionOpened& opened, const evidence::Checkpoint& checkpoint);

// Not for several threads.
class FormatDictionaries {
 public:
  static Result<FormatDictionaries> Load(Spool& spool);

  // From here on what `opened`, which was checked, says is in force.  Kept in the spool before it is used.
  Status Take(const v1::SessionOpened& opened, Spool& spool);

  // nullptr where there is none; stays valid until the next Take.
  [[nodiscard]] const evidence::Dictionary* For(std::string_view format) const;
  // All that were ever handed out.
  [[nodiscard]] const evidence::Dictionaries& all() const { return all_; }

 private:
  evidence::Dictionaries all_;
  std::map<std::string, std::uint32_t, std::less<>> in_force_;
};

}  // namespace logvault::forwarder
