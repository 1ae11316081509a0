#include "query/index_verify.h"

#include <map>
#include <optional>

#include "query/index_build.h"

namespace logvault::query {
namespace {

Result<StatedIndex> StatedBelow(const storage::Reader& reader, std::uint64_t tree_size) {
  StatedIndex stated;
  LV_RETURN_IF_ERROR(reader.ForEachBlock(0, tree_size, [&](std::uint64_t, std::string_view bytes) {
    Result<evidence::BlockHeader> block = evidence::BlockHeader::Parse(bytes);
    if (block.ok()) NoteStated(*block, stated);
    return true;
  }));
  return stated;
}

Result<bool> LostPayloadsSince(const storage::Reader& reader, const StatedSegment& stated) {
  Result<std::map<std::uint64_t, std::uint64_t>> deleted =
      reader.DeletedPayloads(stated.body.first, stated.body.end);
  if (!deleted.ok()) return deleted.status();
  for (const auto& [block, retention] : *deleted) {
    if (retention > stated.block) return true;
  }
  return false;
}

// What is wrong with the stored rows; nullopt: nothing.
std::optional<std::string> CompareRows(const storage::Reader& reader, const BuiltSegment& built) {
  const Directory& directory = built.directory;
  Result<std::string> stored = reader.IndexDirectory(directory.first);
  if (!stored.ok()) return "its directory cannot be read: " + stored.status().message();
  if (*stored != directory.Serialize()) return "its stored directory is another";
  for (std::uint32_t i = 0; i < built.chunks.size(); ++i) {
    Result<std::string> chunk = reader.IndexChunk(directory.first, i);
    if (!chunk.ok())
      return "chunk " + std::to_string(i) + " cannot be read: " + chunk.status().message();
    if (*chunk != built.chunks[i]) return "its stored chunk " + std::to_string(i) + " is another";
  }
  return std::nullopt;
}

Status Check(const storage::Reader& reader, const StatedSegment& stated,
             const std::stop_token& stop, IndexReport& report) {
  Result<BuiltSegment> built = BuildSegment(reader, stated.body.first, stated.body.end, stop);
  if (!built.ok()) return built.status();
  Result<bool> outdated = LostPayloadsSince(reader, stated);
  if (!outdated.ok()) return outdated.status();
  if (*outdated) {
    ++report.outdated;
    return Status::Ok();
  }
  std::optional<std::string> wrong = CompareRows(reader, *built);
  if (evidence::Sha256(built->directory.Serialize()) != stated.body.directory_hash)
    wrong = "the blocks give another than this block states";
  if (wrong)
    report.findings.push_back({stated.block, NameOf(stated.body) + *wrong});
  else
    ++report.segments;
  return Status::Ok();
}

}  // namespace

void NoteStated(const evidence::BlockHeader& block, StatedIndex& stated) {
  if (block.kind != evidence::BlockKind::kIndex) return;
  Result<evidence::IndexBody> body = evidence::IndexBody::Parse(block.body);
  if (body.ok() && body->end <= block.index) stated[body->first] = {block.index, *body};
}

std::string NameOf(const evidence::IndexBody& body) {
  return "the index of blocks " + std::to_string(body.first) + " to " +
         std::to_string(body.end - 1) + ": ";
}

IndexFinding NotBehindTheOneBefore(const StatedSegment& segment) {
  return {segment.block,
          NameOf(segment.body) + "it begins at another block than the one before ends"};
}

Result<IndexReport> VerifyIndex(
    const storage::Reader& reader, std::uint64_t tree_size,
    const std::function<void(std::uint64_t done, std::uint64_t segments)>& on_progress,
    const std::stop_token& stop) {
  Result<StatedIndex> stated = StatedBelow(reader, tree_size);
  if (!stated.ok()) return stated.status();
  IndexReport report;
  std::uint64_t next = 0, done = 0;
  for (const auto& [first, segment] : *stated) {
    if (first != next) report.findings.push_back(NotBehindTheOneBefore(segment));
    next = segment.body.end;
    LV_RETURN_IF_ERROR(Check(reader, segment, stop, report));
    if (on_progress) on_progress(++done, stated->size());
  }
  report.unindexed_blocks = tree_size - next;
  return report;
}

}  // namespace logvault::query
