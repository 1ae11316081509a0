// Fuzzes every parser of fixed structures: whatever is accepted must be written back to the same bytes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "evidence/access.h"
#include "evidence/batch.h"
#include "evidence/block.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "evidence/dictionary.h"
#include "evidence/directive.h"
#include "evidence/export_lines.h"
#include "evidence/governance.h"
#include "evidence/note.h"
#include "evidence/record_proof.h"
#include "evidence/tlog_proof.h"

using namespace logvault::evidence;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  if (auto v = BlockHeader::Parse(input); v.ok()) require(v->Serialize() == input);
  if (auto v = GenesisBody::Parse(input); v.ok()) require(v->Serialize() == input);
  if (auto v = StreamBody::Parse(input); v.ok()) require(v->Serialize() == input);
  if (auto v = KeyBody::Parse(input); v.ok()) require(v->Serialize() == input);
  if (auto v = Directive::Parse(input); v.ok()) require(v->Serialize() == input);
  if (auto v = Dictionary::Parse(input); v.ok()) require((*v)->bytes() == input);
  // Members may stand in another order: what is read must be the same once more.
  if (auto v = AccessBody::Parse(input); v.ok()) require(AccessBody::Parse(v->Serialize()).ok());
  if (auto v = AccessTextBody::Parse(input); v.ok()) {
    require(*AccessTextBody::Parse(v->Serialize()) == *v);
  }
  if (auto v = AccessEndBody::Parse(input); v.ok()) {
    require(*AccessEndBody::Parse(v->Serialize()) == *v);
  }
  if (auto v = Statement::Parse(input); v.ok()) require(*Statement::Parse(v->Serialize()) == *v);
  if (auto v = RetentionBody::Parse(input); v.ok()) {
    require(*RetentionBody::Parse(v->Serialize()) == *v);
  }
  if (auto v = RetentionDoneBody::Parse(input); v.ok()) {
    require(*RetentionDoneBody::Parse(v->Serialize()) == *v);
  }
  if (auto v = VerifierKey::Parse(input); v.ok()) require(v->ToString() != "");
  if (auto v = Checkpoint::Parse(input); v.ok()) require(input.starts_with(v->ToString()));
  static_cast<void>(BatchHeader::Parse(input));
  static const VerifierKey kKey = VerifierKey::For("fuzz", std::string(32, 'k'));
  static_cast<void>(OpenNote(input, kKey));
  if (auto v = TlogProof::Parse(input); v.ok()) require(v->Serialize() == input);
  if (auto v = RecordProof::Parse(input); v.ok()) {
    require(v->Serialize() == input);
    static_cast<void>(CheckRecordProof(*v, kKey));
  }
  // The extra line's bytes without their base64, which a fuzzer does not guess.
  if (auto v = RecordProof::Parse(TlogProof{std::string(input), 0, {}, ""}.Serialize()); v.ok()) {
    require(v->Serialize() == TlogProof({std::string(input), 0, {}, ""}).Serialize());
    require(!CheckRecordProof(*v, kKey).ok());
  }
  if (auto v = ParseExportLine(input); v.ok()) require(Serialize(*v) == input);
  std::string_view rest = input;
  if (auto v = RecordLine::Parse(rest); v.ok()) {
    require(v->Serialize() + std::string(rest) == input);
  }
  if (auto v = FromBase64(input); v.ok()) require(ToBase64(*v) == input);
  return 0;
}
