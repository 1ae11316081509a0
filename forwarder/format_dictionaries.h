// FormatDictionaries: what the small batches of each format are compressed with, as the vault handed it out.  Kept in the
// spool, so that a host that starts without its vault seals as before, and can read what waits.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"
#include "evidence/batch.h"
#include "evidence/checkpoint.h"
#include "evidence/dictionary.h"
#include "evidence/payload.h"
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

  // From here on what `opened`, which was checked, says is in force.  Kept in the spool before it is used; of one more
  // than kMaxDictionaries nothing is kept, and batches do without.
  Status Take(const v1::SessionOpened& opened, Spool& spool);

  // nullptr where there is none; stays valid until the next Take.
  [[nodiscard]] const evidence::Dictionary* For(std::string_view format) const;
  // What this host sealed, with any that was ever handed out.  kNotFound where it needs another one.
  [[nodiscard]] Result<evidence::Payload> Open(const evidence::BatchHeader& header,
                                               std::string_view frame) const;

 private:
  // By hash: a vault that was set back, or another one, may have given the same number to another one.
  std::map<evidence::Hash, std::shared_ptr<const evidence::Dictionary>> all_;
  std::map<std::string, evidence::Hash, std::less<>> in_force_;
};

}  // namespace logvault::forwarder
