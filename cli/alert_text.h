// What the vault raised, in words for a person: the JSON bodies of ALERT, SILENCE and CONFLICT blocks (docs/FORMAT.md).
#pragma once

#include <string>
#include <vector>

#include "evidence/block.h"

namespace logvault::cli {

struct AlertText {
  std::string type;  // the body's `type`; empty where the body is none of the documented form
  std::vector<std::string> hosts;  // that it is about; none: the vault itself
  std::string words;               // one sentence, not escaped
};

// Of a type that this version does not know the words are the body.  Pure.
AlertText TextOf(const evidence::BlockHeader& alert);

}  // namespace logvault::cli
