#include "cli/export_check.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/export_report.h"
#include "cli/export_text.h"
#include "cli/tar.h"
#include "evidence/export_audit.h"
#include "evidence/hash.h"
#include "evidence/keys.h"
#include "pki/certificate.h"

namespace logvault::cli {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::uint64_t kMaxTextSize = 64 * 1024 * 1024;  // of a file that is held as a whole
// The members of every export, in their order; what follows is raw/.
constexpr std::string_view kMembers[] = {
    "manifest.json", "manifest.sig", "investigator.pem", "README.txt",   "report.html",
    "checkpoint",    "ca.pem",       "certificates.pem", "blocks.jsonl", "records.jsonl"};
constexpr std::size_t kUnlistedMembers = 3;  // those that the manifest cannot state
constexpr std::string_view kRaw = "raw/";
constexpr std::string_view kFirstNames[] = {"manifest.json", "manifest.sig", "investigator.pem",
                                            "report.html"};

// Whether the file was an export once: a first member or a manifest of one.
bool LooksLikeExport(const InputFile& file) {
  Result<std::string> start = file.Read(0, std::min<std::uint64_t>(file.size(), 4096));
  if (!start.ok()) return false;
  for (std::string_view name : kFirstNames) {
    if (start->starts_with(std::string(name) + '\0')) return true;
  }
  return start->find("\"logvault/export/v1\"") != std::string::npos;
}

// One member, from its front to its end.
class Cursor {
 public:
  Cursor(const InputFile& file, const TarMember& member)
      : file_(file), next_(member.offset), end_(member.offset + member.size) {}

  [[nodiscard]] bool AtEnd() const { return at_ == buffer_.size() && next_ == end_; }

  // The next line without its '\n'; nullopt where there is none, or none of an export's length.
  std::optional<std::string> Line() {
    std::string line;
    while (line.size() <= evidence::kMaxExportLineSize) {
      if (at_ == buffer_.size() && !Fill(kReadSize)) return std::nullopt;
      const std::size_t end = buffer_.find('\n', at_);
      line.append(buffer_, at_, std::min(end, buffer_.size()) - at_);
      at_ = end == buffer_.npos ? buffer_.size() : end + 1;
      if (end != buffer_.npos) return line;
    }
    return std::nullopt;
  }

  std::optional<std::string> Bytes(std::uint64_t size) {
    if (size > end_ - next_ + (buffer_.size() - at_)) return std::nullopt;
    std::string bytes;
    while (bytes.size() < size) {
      if (at_ == buffer_.size() && !Fill(kReadSize)) return std::nullopt;
      const std::size_t part = std::min<std::size_t>(size - bytes.size(), buffer_.size() - at_);
      bytes.append(buffer_, at_, part);
      at_ += part;
    }
    return bytes;
  }
  // How much was taken.
  [[nodiscard]] std::uint64_t offset(const TarMember& member) const {
    return next_ - member.offset - (buffer_.size() - at_);
  }

 private:
  bool Fill(std::uint64_t size) {
    Result<std::string> bytes = file_.Read(next_, std::min(size, end_ - next_));
    if (!bytes.ok() || bytes->empty()) return false;
    buffer_ = *std::move(bytes);
    at_ = 0;
    next_ += buffer_.size();
    return true;
  }

  const InputFile& file_;
  std::uint64_t next_;
  const std::uint64_t end_;
  std::string buffer_;
  std::size_t at_ = 0;
};

class Checker {
 public:
  Checker(const InputFile& file, const evidence::VerifierKey& key, const OnBadFile& on_bad)
      : file_(file), key_(key), on_bad_(on_bad) {}

  ExportVerdict Check() {
    Result<std::vector<TarMember>> members = ListTar(file_);
    if (!members.ok()) {
      Bad("(the tar itself)", members.status().message());
      return std::move(verdict_);
    }
    members_ = *std::move(members);
    CheckMembers();
    CheckManifest();
    CheckFiles();
    CheckEvidence();
    return std::move(verdict_);
  }

 private:
  // A raw file, read once along with records.jsonl.
  struct Raw {
    const TarMember* member;
    Cursor cursor;
  };

  void Bad(std::string_view file, std::string reason) {
    evidence::Finding finding;
    finding.reason = std::move(reason);
    Bad(file, finding);
  }
  void Bad(std::string_view file, const evidence::Finding& finding) {
    ++verdict_.bad;
    on_bad_(file, finding);
  }

  [[nodiscard]] const TarMember* Find(std::string_view name) const {
    for (const TarMember& member : members_) {
      if (member.name == name) return &member;
    }
    return nullptr;
  }

  // A small member as a whole; where it is not there it is named, and empty.
  std::string Text(std::string_view name) {
    const TarMember* member = Find(name);
    if (member == nullptr) {
      Bad(name, "is not there");
      return {};
    }
    if (member->size > kMaxTextSize) {
      Bad(name, "is longer than such a file can be");
      return {};
    }
    Result<std::string> text = file_.Read(member->offset, member->size);
    if (!text.ok()) Bad(name, text.status().message());
    return text.ok() ? *std::move(text) : std::string();
  }

  // Each member is one that an export has, once and in its place: a second one of the same name, or one that no step
  // looks at, would be unpacked as evidence.  Which raw files there may be follows from the blocks.
  void CheckMembers() {
    std::size_t place = 0;
    std::string_view before;
    for (const TarMember& member : members_) {
      const bool fixed = place < std::size(kMembers);
      const bool good = fixed ? member.name == kMembers[place]
                              : member.name.starts_with(kRaw) && member.name > before;
      if (!good) return Bad(member.name, "is no member of an export, or not in its place");
      if (!fixed) before = member.name;
      ++place;
    }
    if (place < std::size(kMembers)) Bad(kMembers[place], "is not there");
  }

  void CheckManifest() {
    manifest_text_ = Text("manifest.json");
    Result<ExportManifest> manifest = ExportManifest::Parse(manifest_text_);
    if (!manifest.ok()) return Bad("manifest.json", manifest.status().message());
    verdict_.manifest = *std::move(manifest);
    has_manifest_ = true;
  }

  // The members are the manifest's files, in its order, each with its hash.
  void CheckFiles() {
    if (!has_manifest_) return;
    std::vector<std::string> expected(kMembers, kMembers + kUnlistedMembers);
    for (const ExportedFile& file : verdict_.manifest.files) expected.push_back(file.name);
    const bool in_order = std::equal(
        members_.begin(), members_.end(), expected.begin(), expected.end(),
        [](const TarMember& member, const std::string& name) { return member.name == name; });
    if (!in_order) NameStrangers(expected);
    for (const ExportedFile& file : verdict_.manifest.files) {
      const TarMember* member = Find(file.name);
      if (member == nullptr) continue;  // named
      if (member->size != file.size || HashOf(*member) != file.sha256)
        Bad(file.name, "its bytes are not those that the manifest names");
    }
  }

  void NameStrangers(const std::vector<std::string>& expected) {
    for (const TarMember& member : members_) {
      if (std::find(expected.begin(), expected.end(), member.name) == expected.end())
        Bad(member.name, "the manifest does not name it");
    }
    for (const std::string& name : expected) {
      if (Find(name) == nullptr) Bad(name, "the manifest names it, and it is not there");
    }
    Bad("(the tar itself)", "its files are not the manifest's, each once and in its order");
  }

  [[nodiscard]] std::string HashOf(const TarMember& member) const {
    evidence::Sha256Stream hash;
    for (std::uint64_t done = 0; done < member.size;) {
      Result<std::string> part =
          file_.Read(member.offset + done, std::min<std::uint64_t>(kReadSize, member.size - done));
      if (!part.ok()) return {};
      hash.Add(*part);
      done += part->size();
    }
    return hash.Finish().Hex();
  }

  void CheckEvidence() {
    const std::string note = Text("checkpoint");
    Result<evidence::Checkpoint> checkpoint = evidence::OpenCheckpoint(note, key_);
    if (!checkpoint.ok()) return Bad("checkpoint", checkpoint.status().message());
    evidence::ExportAudit audit(
        key_, *checkpoint, pki::CheckCertificateOf, [this](const evidence::Finding& finding) {
          Bad(finding.last_seq > 0 && finding.first_seq == finding.last_seq ? "records.jsonl, raw/"
                                                                            : "blocks.jsonl",
              finding);
        });
    ReadLines(audit);
    CheckDerived(audit);
    if (!has_manifest_) return;
    CheckStatements(audit, *checkpoint);
    CheckSignature(audit);
  }

  // All of blocks.jsonl, records.jsonl and raw/, side by side.
  void ReadLines(evidence::ExportAudit& audit) {
    const TarMember* blocks = Find("blocks.jsonl");
    const TarMember* records = Find("records.jsonl");
    if (blocks == nullptr || records == nullptr)
      return Bad("blocks.jsonl, records.jsonl", "not both are there");
    for (const TarMember& member : members_) {
      if (member.name.starts_with(kRaw))
        raw_.try_emplace(member.name, Raw{&member, Cursor(file_, member)});
    }
    Cursor block_lines(file_, *blocks);
    Cursor record_lines(file_, *records);
    for (std::uint64_t number = 1; !block_lines.AtEnd(); ++number) {
      std::optional<std::string> line = block_lines.Line();
      Result<std::uint64_t> awaited =
          line ? audit.AddLine(*line) : Corruption("no line ended by a line feed");
      if (!awaited.ok())
        return Bad("blocks.jsonl",
                   "line " + std::to_string(number) + ": " + awaited.status().message());
      for (std::uint64_t i = 0; i < *awaited; ++i) {
        if (!TakeRecord(record_lines, audit)) return;
      }
    }
    audit.Finish();
    if (!record_lines.AtEnd()) Bad("records.jsonl", "has records that no block accounts for");
    for (const auto& [name, raw] : raw_) {
      if (!raw.cursor.AtEnd() || raw.member->size == 0)
        Bad(name, "has bytes that no record accounts for");
    }
  }

  // False where the lines cannot be followed any further.
  bool TakeRecord(Cursor& lines, evidence::ExportAudit& audit) {
    ++records_;
    const std::string where = "line " + std::to_string(records_) + ": ";
    std::optional<std::string> text = lines.Line();
    if (!text) {
      Bad("records.jsonl", where + "is not there, or not ended by a line feed");
      return false;
    }
    std::string_view rest = *text;
    Result<evidence::RecordLine> record = evidence::RecordLine::Parse(rest);
    if (!record.ok()) {
      Bad("records.jsonl", where + record.status().message());
      return false;
    }
    const std::string name = std::string(kRaw) + record->host + "/" + record->source;
    const auto raw = raw_.find(name);
    std::optional<std::string> bytes;
    if (raw != raw_.end() && raw->second.cursor.offset(*raw->second.member) == record->offset)
      bytes = raw->second.cursor.Bytes(record->size);
    const evidence::Finding named{record->block, record->host, record->source,
                                  record->seq,   record->seq,  ""};
    if (!bytes) {
      evidence::Finding finding = named;
      finding.reason = where + "its bytes are not there, or not where it says";
      Bad(name, finding);
      return false;
    }
    if (RecordJson(*record, *bytes) != *text) {
      evidence::Finding finding = named;
      finding.reason = where + "its time, origin or message is not that of the record";
      Bad("records.jsonl", finding);
    }
    report_.Add(*record, *bytes);
    audit.AddRecord(*record, *bytes);
    return true;
  }

  // What follows from the evidence and is there for people.
  void CheckDerived(const evidence::ExportAudit& audit) {
    auto compare = [this](std::string_view name, std::string_view expected) {
      if (Text(name) != expected) Bad(name, "is not what follows from the evidence");
    };
    if (audit.genesis()) compare("ca.pem", audit.genesis()->ca_pem);
    compare("certificates.pem", CertificatesPem(audit.keys()));
    if (!has_manifest_) return;
    // Signed by the investigator, but what a newer program would write there is not known here: never passed over.
    verdict_.texts_unknown = verdict_.manifest.texts > kTextsVersion;
    if (verdict_.texts_unknown) return;
    if (!IsExportReadme(Text("README.txt"), verdict_.manifest.texts))
      Bad("README.txt", "is not the one of every export of its version");
    compare("report.html", report_.Page(verdict_.manifest));
  }

  void CheckStatements(const evidence::ExportAudit& audit, const evidence::Checkpoint& checkpoint) {
    const ExportManifest& manifest = verdict_.manifest;
    auto require = [this](bool holds, const std::string& what) {
      if (!holds) Bad("manifest.json", what + " is not what the evidence has");
    };
    require(manifest.origin == checkpoint.origin && manifest.tree_size == checkpoint.size &&
                manifest.root == checkpoint.root.Hex(),
            "origin, tree_size or root");
    require(manifest.streams == evidence::SortedStreams(audit.streams()), "streams");
    require(manifest.access_blocks == audit.access_blocks(), "access_blocks");
    std::uint64_t shown = 0, redacted = 0;
    for (const auto& [id, stream] : audit.streams()) {
      shown += stream.shown;
      redacted += stream.redacted;
    }
    require(manifest.shown == shown && manifest.redacted == redacted, "shown or redacted");
    require(!manifest.offline || manifest.access_blocks.empty(), "offline");
  }

  void CheckSignature(const evidence::ExportAudit& audit) {
    if (!audit.genesis()) return;  // named
    const std::string pem = Text("investigator.pem");
    Result<pki::Certificate> certificate = pki::Certificate::FromPem(pem);
    if (!certificate.ok() || CertificatePem(certificate->ToDer()) != pem)
      return Bad("investigator.pem", "not a certificate as it must be spelt");
    const ExportManifest& manifest = verdict_.manifest;
    if (Status issued = certificate->VerifyIssuedBy(audit.genesis()->ca_pem, manifest.made_at);
        !issued.ok())
      return Bad("investigator.pem", issued.message());
    Result<pki::Identity> identity = certificate->identity();
    if (!identity.ok()) return Bad("investigator.pem", identity.status().message());
    if (identity->role != pki::Role::kInvestigator && identity->role != pki::Role::kAdmin)
      return Bad("investigator.pem", "is not an investigator's: " + identity->ToString());
    if (identity->ToString() != manifest.investigator ||
        certificate->fingerprint_hex() != manifest.certificate_sha256)
      Bad("investigator.pem", "is not of the investigator whom the manifest names");
    Result<std::string> key = certificate->ed25519_public_key();
    if (!key.ok()) return Bad("investigator.pem", key.status().message());
    if (!evidence::VerifyEd25519(*key, manifest_text_, Text("manifest.sig")).ok())
      Bad("manifest.sig", "does not sign manifest.json with the investigator's key");
  }

  const InputFile& file_;
  const evidence::VerifierKey& key_;
  const OnBadFile& on_bad_;
  std::vector<TarMember> members_;
  ExportVerdict verdict_;
  std::string manifest_text_;
  bool has_manifest_ = false;
  std::map<std::string, Raw> raw_;
  std::uint64_t records_ = 0;
  ExportReport report_;
};

}  // namespace

Result<ExportVerdict> CheckExport(const std::string& path, const evidence::VerifierKey& key,
                                  const OnBadFile& on_bad) {
  Result<InputFile> file = InputFile::Open(path);
  if (!file.ok()) return file.status();
  if (!LooksLikeExport(*file)) return InvalidArgument(path + " is not an export");
  return Checker(*file, key, on_bad).Check();
}

}  // namespace logvault::cli
