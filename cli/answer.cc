#include "cli/answer.h"

#include <algorithm>

#include "cli/output_stream.h"

namespace logvault::cli {
namespace {

using config::ExitCode;

constexpr std::size_t kNamedUnreadableMax = 50;

std::string Describe(const query::Unreadable& unreadable) {
  std::string text = "unreadable: block " + std::to_string(unreadable.block);
  if (!unreadable.host.empty()) {
    text += " (" + unreadable.host + "/" + unreadable.source + " " +
            std::to_string(unreadable.first_seq) + ".." + std::to_string(unreadable.last_seq) + ")";
  }
  text += ": " + unreadable.reason;
  return text + (unreadable.integrity ? " [INTEGRITY]" : "");
}

std::string Counted(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

bool Incomplete(const Answer& answer) {
  return answer.interrupted || !answer.lost.ok() || !answer.completeness.unreadable.empty() ||
         !answer.problems.empty();
}

// "12 pruned (4 by header, 8 by index)".
std::string Pruned(const query::Completeness& completeness) {
  const std::uint64_t by_index = completeness.blocks_pruned_by_index;
  std::string text = std::to_string(completeness.blocks_pruned + by_index) + " pruned";
  if (by_index > 0) {
    text += " (" + std::to_string(completeness.blocks_pruned) + " by header, " +
            std::to_string(by_index) + " by index)";
  }
  return text;
}

// "5 counted by header, ", where there are any.
std::string Counted(const query::Completeness& completeness) {
  if (completeness.blocks_counted == 0) return {};
  return std::to_string(completeness.blocks_counted) + " counted by header, ";
}

// What became of the blocks in scope, as far as it was told.
std::string Blocks(const Answer& answer) {
  const query::Completeness& completeness = answer.completeness;
  if (answer.cut_short && completeness.blocks_in_scope == 0)
    return "; how many blocks were searched was not told yet";
  std::string text = "; blocks: " + std::to_string(completeness.blocks_in_scope) + " in scope, " +
                     Pruned(completeness) + ", " + Counted(completeness) +
                     std::to_string(completeness.blocks_scanned) + " scanned" +
                     (answer.cut_short ? " when it was last told" : "") + ", " +
                     std::to_string(completeness.unreadable.size()) + " unreadable";
  if (completeness.blocks_deleted > 0) {
    text +=
        ", " + std::to_string(completeness.blocks_deleted) + " deleted under the retention policy";
  }
  return text;
}

}  // namespace

std::string CompletenessLine(const Answer& answer) {
  const query::Completeness& completeness = answer.completeness;
  std::string line = Incomplete(answer)           ? "INCOMPLETE: "
                     : answer.reader_left         ? "stopped, the reader left: "
                     : completeness.limit_reached ? "limit reached, there may be more: "
                                                  : "complete: ";
  if (completeness.rows) line += Counted(*completeness.rows, "row") + " of ";
  line += Counted(completeness.matches, "record");
  line += Blocks(answer);
  line += "; tree size " + std::to_string(answer.tree_size);
  if (answer.interrupted) line += "; interrupted";
  if (!answer.lost.ok()) line += "; lost: " + answer.lost.message();
  if (completeness.limit_reached && Incomplete(answer)) line += "; limit reached";
  return line;
}

void TellCompleteness(const Answer& answer) {
  const query::Completeness& completeness = answer.completeness;
  for (const std::string& note : completeness.notes) Tell("note: " + note);
  const std::size_t named = std::min(completeness.unreadable.size(), kNamedUnreadableMax);
  for (std::size_t i = 0; i < named; ++i) Tell(Describe(completeness.unreadable[i]));
  if (named < completeness.unreadable.size()) {
    Tell("unreadable: " + std::to_string(completeness.unreadable.size() - named) +
         " blocks more; `logvault verify` names all");
  }
  Tell(CompletenessLine(answer));
}

ExitCode ExitCodeOf(const Answer& answer) {
  const query::Completeness& completeness = answer.completeness;
  // `stats count()` gives a row of no records too.
  const bool nothing = completeness.matches == 0 || completeness.rows == 0u;
  ExitCode code = nothing ? ExitCode::kNoMatch : ExitCode::kOk;
  for (const query::Unreadable& unreadable : completeness.unreadable) {
    code = config::Worse(code, unreadable.integrity ? ExitCode::kIntegrity : ExitCode::kIncomplete);
  }
  if (!answer.problems.empty()) code = config::Worse(code, ExitCode::kIntegrity);
  if (answer.interrupted) code = config::Worse(code, ExitCode::kInterrupted);
  if (!answer.lost.ok()) {
    const bool integrity = config::ExitCodeFor(answer.lost) == ExitCode::kIntegrity;
    code = config::Worse(code, integrity ? ExitCode::kIntegrity : ExitCode::kIncomplete);
  }
  return code;
}

}  // namespace logvault::cli
