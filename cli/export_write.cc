#include "cli/export_write.h"

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cli/export_report.h"
#include "cli/export_text.h"
#include "config/small_file.h"
#include "evidence/export_audit.h"
#include "evidence/merkle.h"
#include "evidence/payload.h"
#include "pki/certificate.h"
#include "pki/vault_files.h"

namespace logvault::cli {
namespace {

using evidence::BatchHeader;
using evidence::Hash;
using evidence::Payload;

// Calls `take` with the fewest nodes that cover leaves [begin, end): each 2^k leaves that begin at a multiple of 2^k.
template <typename Take>
Status ForEachNode(std::uint64_t begin, std::uint64_t end, Take take) {
  while (begin < end) {
    std::uint64_t count = std::bit_floor(end - begin);
    if (begin != 0) count = std::min(count, begin & (~begin + 1));
    LV_RETURN_IF_ERROR(take(begin, count));
    begin += count;
  }
  return Status::Ok();
}

bool Contains(const std::vector<FoundAt>& found, std::uint64_t block, std::uint64_t seq) {
  return std::binary_search(found.begin(), found.end(), FoundAt{block, seq});
}

class Writer {
 public:
  Writer(ExportSource& source, const ExportPlan& plan, const std::string& path)
      : source_(source),
        plan_(plan),
        path_(path),
        audit_(source.key(), source.checkpoint(), pki::CheckCertificateOf,
               [this](const evidence::Finding& finding) {
                 if (!problem_.ok()) return;
                 problem_ =
                     Integrity("block " + std::to_string(finding.block) + ": " + finding.reason);
               }) {}

  Status Write() {
    LV_RETURN_IF_ERROR(Create(blocks_));
    LV_RETURN_IF_ERROR(Create(records_));
    LV_RETURN_IF_ERROR(source_.ForEachPayload(
        plan_.blocks.front(), plan_.blocks.back() + 1, plan_.payloads_of,
        [this](std::uint64_t index, std::string_view bytes, std::string_view frame) {
          return TakeBlock(index, bytes, frame);
        }));
    LV_RETURN_IF_ERROR(Prune(plan_.leaves.size()));
    audit_.Finish();
    return problem_;
  }

  Result<ExportManifest> Assemble(ExportManifest manifest, const Signer& investigator,
                                  ExportFile& file) {
    LV_RETURN_IF_ERROR(CheckSigner(investigator, manifest.made_at));
    Complete(manifest);
    const std::vector<std::pair<std::string, std::string>> texts = {
        {"README.txt", std::string(ExportReadme())},
        {"report.html", report_.Page(manifest)},
        {"checkpoint", source_.note()},
        {"ca.pem", audit_.genesis()->ca_pem},
        {"certificates.pem", CertificatesPem(audit_.keys())}};
    for (const auto& [name, text] : texts)
      manifest.files.push_back({name, text.size(), evidence::Sha256(text).Hex()});
    std::vector<std::pair<std::string, PartFile*>> parts = {{"blocks.jsonl", blocks_.get()},
                                                            {"records.jsonl", records_.get()}};
    for (const auto& [name, raw] : raw_) parts.emplace_back("raw/" + name, raw.get());
    for (const auto& [name, part] : parts) {
      Result<ExportedFile> finished = part->Finish(name);
      if (!finished.ok()) return finished.status();
      manifest.files.push_back(*std::move(finished));
    }
    const std::string json = manifest.ToJson();
    LV_RETURN_IF_ERROR(file.Add("manifest.json", json));
    LV_RETURN_IF_ERROR(file.Add("manifest.sig", investigator.key.Sign(json)));
    LV_RETURN_IF_ERROR(
        file.Add("investigator.pem", CertificatePem(investigator.certificate.ToDer())));
    for (const auto& [name, text] : texts) LV_RETURN_IF_ERROR(file.Add(name, text));
    for (const auto& [name, part] : parts) LV_RETURN_IF_ERROR(file.Add(name, *part));
    LV_RETURN_IF_ERROR(file.Finish());
    return manifest;
  }

 private:
  // As whoever checks the export will: the mistake is the caller's, and nothing was altered.
  [[nodiscard]] Status CheckSigner(const Signer& investigator, UnixNanos made_at) const {
    Status good = investigator.certificate.VerifyIssuedBy(audit_.genesis()->ca_pem, made_at);
    Result<pki::Identity> identity = investigator.certificate.identity();
    if (good.ok()) good = identity.status();
    if (good.ok() && identity->role != pki::Role::kInvestigator &&
        identity->role != pki::Role::kAdmin)
      good = PermissionDenied("it is " + identity->ToString() + "'s");
    if (good.ok()) return good;
    return PermissionDenied("your cert.pem cannot sign an export of this vault: " + good.message());
  }

  Status Create(std::unique_ptr<PartFile>& part) {
    Result<std::unique_ptr<PartFile>> created = PartFile::Create(path_);
    if (!created.ok()) return created.status();
    part = *std::move(created);
    return Status::Ok();
  }

  Status Emit(const evidence::ExportLine& line) {
    const std::string text = evidence::Serialize(line);
    LV_RETURN_IF_ERROR(audit_.AddLine(text).status());
    LV_RETURN_IF_ERROR(blocks_->Add(text));
    return blocks_->Add("\n");
  }

  // Blocks from next_ up to `end` stay in the vault.
  Status Prune(std::uint64_t end) {
    LV_RETURN_IF_ERROR(ForEachNode(next_, end, [this](std::uint64_t begin, std::uint64_t count) {
      return Emit(evidence::PrunedLine{
          begin, count, evidence::RootOf(std::span(plan_.leaves).subspan(begin, count))});
    }));
    next_ = end;
    return Status::Ok();
  }

  Status TakeBlock(std::uint64_t index, std::string_view bytes, std::string_view frame) {
    if (!std::binary_search(plan_.blocks.begin(), plan_.blocks.end(), index)) return Status::Ok();
    if (evidence::LeafHash(bytes) != plan_.leaves.at(index))
      return Integrity("block " + std::to_string(index) + " changed while it was exported");
    LV_RETURN_IF_ERROR(Prune(index));
    next_ = index + 1;
    LV_RETURN_IF_ERROR(Emit(evidence::BlockLine{index, std::string(bytes), !frame.empty()}));
    return frame.empty() ? problem_ : TakeContents(index, bytes, frame);
  }

  Status TakeContents(std::uint64_t index, std::string_view bytes, std::string_view frame) {
    const std::string context = "block " + std::to_string(index);
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (!block.ok()) return block.status().WithContext(context);
    Result<BatchHeader> batch = BatchHeader::Parse(block->body);
    if (!batch.ok()) return batch.status().WithContext(context);
    Result<Payload> payload = evidence::OpenPayload(*batch, frame, plan_.dictionaries);
    if (!payload.ok()) return payload.status().WithContext(context);
    if (!problem_.ok()) return problem_;
    const std::vector<Hash> leaves = evidence::RecordLeaves(*payload, batch->first_seq);
    const std::string salts = evidence::RecordSalts(payload->batch_key(), payload->record_count());

    for (std::uint32_t i = 0; i < payload->record_count();) {
      const std::uint64_t seq = batch->first_seq + i;
      const bool redacted = Contains(plan_.redacted, index, seq);
      if (redacted) {
        LV_RETURN_IF_ERROR(Emit(evidence::RedactedLine{seq, leaves[i++]}));
        continue;
      }
      const bool shown = Contains(plan_.matches, index, seq);
      std::uint32_t end = i + 1;
      while (end < leaves.size() && IsShown(index, batch->first_seq + end) == shown &&
             !Contains(plan_.redacted, index, batch->first_seq + end))
        ++end;
      LV_RETURN_IF_ERROR(shown ? Show(*payload, *batch, index, leaves, salts, i, end)
                               : Withhold(*batch, leaves, i, end));
      i = end;
    }
    return problem_;
  }

  [[nodiscard]] bool IsShown(std::uint64_t block, std::uint64_t seq) const {
    return Contains(plan_.matches, block, seq) && !Contains(plan_.redacted, block, seq);
  }

  Status Withhold(const BatchHeader& batch, const std::vector<Hash>& leaves, std::uint32_t begin,
                  std::uint32_t end) {
    return ForEachNode(begin, end, [&](std::uint64_t first, std::uint64_t count) {
      return Emit(
          evidence::WithheldLine{batch.first_seq + first, count,
                                 evidence::RootOf(std::span(leaves).subspan(first, count))});
    });
  }

  Status Show(const Payload& payload, const BatchHeader& batch, std::uint64_t block,
              const std::vector<Hash>& leaves, const std::string& salts, std::uint32_t begin,
              std::uint32_t end) {
    LV_RETURN_IF_ERROR(Emit(evidence::ShownLine{batch.first_seq + begin, end - begin}));
    const evidence::ExportedStream& stream = audit_.streams().at(batch.stream_id);
    std::unique_ptr<PartFile>& raw = raw_[stream.host + "/" + stream.source];
    if (!raw) {
      if (raw_.size() > kMaxExportedStreams)
        return InvalidArgument("more than " + std::to_string(kMaxExportedStreams) +
                               " streams have matches: narrow the question");
      LV_RETURN_IF_ERROR(Create(raw));
    }
    for (std::uint32_t i = begin; i < end; ++i) {
      const evidence::RecordView record = payload.record(i);
      const evidence::RecordLine line = {
          stream.host,         stream.source,
          batch.first_seq + i, block,
          record.event_time,   record.read_time,
          record.flags,        salts.substr(i * evidence::kSaltSize, evidence::kSaltSize),
          leaves[i],           raw->size(),
          record.bytes.size(), std::string(record.origin)};
      LV_RETURN_IF_ERROR(raw->Add(record.bytes));
      LV_RETURN_IF_ERROR(records_->Add(RecordJson(line, record.bytes) + "\n"));
      report_.Add(line, record.bytes);
      audit_.AddRecord(line, record.bytes);
    }
    return Status::Ok();
  }

  void Complete(ExportManifest& manifest) const {
    manifest.texts = kTextsVersion;
    manifest.origin = source_.checkpoint().origin;
    manifest.tree_size = source_.checkpoint().size;
    manifest.root = source_.checkpoint().root.Hex();
    manifest.access_blocks = audit_.access_blocks();
    manifest.streams = evidence::SortedStreams(audit_.streams());
    for (const evidence::ExportedStream& stream : manifest.streams) {
      manifest.shown += stream.shown;
      manifest.redacted += stream.redacted;
    }
  }

  ExportSource& source_;
  const ExportPlan& plan_;
  const std::string path_;
  Status problem_;  // the first thing that would not stand
  evidence::ExportAudit audit_;
  ExportReport report_;
  std::unique_ptr<PartFile> blocks_, records_;
  std::map<std::string, std::unique_ptr<PartFile>> raw_;  // by HOST/SOURCE
  std::uint64_t next_ = 0;                                // block
};

}  // namespace

Result<ExportManifest> WriteExport(ExportSource& source, const ExportPlan& plan,
                                   ExportManifest manifest, const Signer& investigator,
                                   const std::string& path, ExportFile& file) {
  Writer writer(source, plan, path);
  LV_RETURN_IF_ERROR(writer.Write());
  return writer.Assemble(std::move(manifest), investigator, file);
}

}  // namespace logvault::cli
