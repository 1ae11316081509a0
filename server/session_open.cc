#include "server/session_open.h"

#include <spdlog/spdlog.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/name.h"
#include "evidence/batch.h"
#include "evidence/bodies.h"
#include "evidence/checkpoint.h"
#include "formats/format.h"
#include "server/proofs.h"
#include "server/refusal.h"

namespace logvault::server {
namespace {

using StreamsBySource = std::map<std::string, storage::StreamHead>;

Status CheckDescriptor(const v1::StreamDescriptor& stream) {
  if (!config::IsValidName(stream.source())) {
    return InvalidArgument("\"" + stream.source() + "\" is not a source name");
  }
  if (!formats::FormatByName(stream.format()).has_value()) {
    return InvalidArgument("source " + stream.source() + ": unknown format \"" + stream.format() +
                           "\"");
  }
  if (stream.descriptor_json().size() > kMaxDescriptorBytes ||
      !nlohmann::json::accept(stream.descriptor_json())) {
    return InvalidArgument("source " + stream.source() +
                           ": its description is not JSON of at most " +
                           std::to_string(kMaxDescriptorBytes) + " bytes");
  }
  return Status::Ok();
}

Status CheckDescriptors(const v1::OpenRequest& request, const StreamsBySource& known) {
  std::set<std::string> sources;
  for (const auto& [source, head] : known) sources.insert(source);
  for (const v1::StreamDescriptor& stream : request.streams()) {
    LV_RETURN_IF_ERROR(CheckDescriptor(stream));
    sources.insert(stream.source());
  }
  if (sources.size() > kMaxStreamsPerHost) {
    return ResourceExhausted("a host may have at most " + std::to_string(kMaxStreamsPerHost) +
                             " streams");
  }
  return Status::Ok();
}

Result<StreamsBySource> StreamsOf(const storage::Reader& reader, const std::string& host) {
  Result<std::vector<storage::StreamHead>> all = reader.Streams();
  if (!all.ok()) return OurFault(all.status());
  StreamsBySource own;
  for (storage::StreamHead& stream : *all) {
    if (stream.host == host) own.emplace(stream.source, std::move(stream));
  }
  return own;
}

Status AppendStreamBlocks(IngestContext& ingest, const std::string& host,
                          const v1::OpenRequest& request, const StreamsBySource& known) {
  std::vector<storage::Entry> entries;
  std::set<std::string> described;
  for (const v1::StreamDescriptor& stream : request.streams()) {
    if (!described.insert(stream.source()).second) {
      return InvalidArgument("source " + stream.source() + " is described twice");
    }
    const auto before = known.find(stream.source());
    if (before != known.end() && before->second.format == stream.format() &&
        before->second.descriptor == stream.descriptor_json()) {
      continue;
    }
    storage::Entry entry;
    entry.kind = evidence::BlockKind::kStream;
    entry.body =
        evidence::StreamBody{host, stream.source(), stream.format(), stream.descriptor_json()}
            .Serialize();
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return Status::Ok();
  return ingest.committer.SubmitAndWait(std::move(entries)).status();
}

// What our own key signed must be a prefix of what we hold.  If not, we are an old copy, or there
// are two of us: nothing may be appended, because every later checkpoint would fork history.
Status CheckAgainstHistory(IngestContext& ingest, const evidence::Checkpoint& shown,
                           const storage::Head& head) {
  if (shown.size > head.size) {
    return Integrity("this vault ends at block " + std::to_string(head.size) +
                     ", a checkpoint it signed at " + std::to_string(shown.size) +
                     ": it is an old copy");
  }
  Result<evidence::Hash> root = evidence::RootAt(shown.size, ingest.reader().Nodes());
  if (!root.ok()) return OurFault(root.status());
  if (*root != shown.root) {
    return Integrity("this vault's first " + std::to_string(shown.size) +
                     " blocks are not those of a checkpoint it signed: history was forked");
  }
  return Status::Ok();
}

// The size of the checkpoint the host kept; 0 for none.
Result<std::uint64_t> CheckHaveNote(IngestContext& ingest, const std::string& host,
                                    const std::string& note, const storage::Head& head) {
  if (note.empty()) return std::uint64_t{0};
  Result<evidence::Checkpoint> shown =
      evidence::OpenCheckpoint(note, ingest.vault.governance()->key());
  if (!shown.ok()) {
    return FailedPrecondition("the checkpoint shown is not one of vault " + ingest.vault.origin() +
                              ": " + shown.status().message());
  }
  const Status agreed = CheckAgainstHistory(ingest, *shown, head);
  if (agreed.code() == StatusCode::kIntegrity && ingest.vault.governance()->WasLost(shown->size)) {
    return Integrity(agreed.message() +
                     "; an administrator has accepted that: give their directive to "
                     "`logvault-forwarder trust`");
  }
  if (agreed.code() == StatusCode::kIntegrity) {
    spdlog::critical("ingest stops: {}; the checkpoint was shown by {}:\n{}", agreed.message(),
                     host, note);
    ingest.halt.Set(agreed);
  }
  if (!agreed.ok()) return agreed;
  return shown->size;
}

Status AddStreams(const storage::Reader& reader, const std::string& host,
                  const StreamsBySource& streams, v1::SessionOpened& opened) {
  for (const auto& [source, head] : streams) {
    v1::StreamState& state = *opened.add_streams();
    state.set_source(source);
    state.set_last_seq(head.last_seq);
    state.set_head_hash(std::string(head.head_hash.view()));
    Result<std::vector<evidence::PositionEntry>> position =
        reader.Position(evidence::StreamId(host, source));
    if (!position.ok()) return OurFault(position.status());
    for (evidence::PositionEntry& entry : *position) {
      v1::PositionEntry& added = *state.add_position();
      added.set_key(std::move(entry.key));
      added.set_value(std::move(entry.value));
    }
  }
  return Status::Ok();
}

// What the host's formats have in force, once each; the block itself where the host lacks it.
Status AddDictionaries(const IngestContext& ingest, const evidence::Governance& governance,
                       const StreamsBySource& streams, const v1::OpenRequest& request,
                       const storage::Head& head, v1::SessionOpened& opened) {
  std::set<std::string_view> formats;
  for (const auto& [source, stream] : streams) formats.insert(stream.format);
  const std::set<std::string> had(request.have_dictionaries().begin(),
                                  request.have_dictionaries().end());
  for (const std::string_view format : formats) {
    const auto in_force = governance.formats().find(format);
    if (in_force == governance.formats().end() || in_force->second.id == 0) continue;
    v1::FormatDictionary& added = *opened.add_dictionaries();
    added.set_format(std::string(format));
    added.set_hash(
        std::string(governance.dictionaries()->Find(in_force->second.id)->hash().view()));
    if (had.contains(added.hash())) continue;
    Result<std::string> block = ingest.reader().BlockBytes(in_force->second.block);
    if (!block.ok()) return OurFault(block.status());
    added.set_block(*std::move(block));
    LV_RETURN_IF_ERROR(
        AddInclusion(ingest.reader(), in_force->second.block, head, *added.mutable_inclusion()));
  }
  return Status::Ok();
}

}  // namespace

Result<v1::SessionOpened> OpenSession(IngestContext& ingest, const std::string& host,
                                      const v1::OpenRequest& request,
                                      const std::string& session_id) {
  LV_RETURN_IF_ERROR(ingest.halt.status());
  const storage::Reader& reader = ingest.reader();
  Result<std::uint64_t> have_size =
      CheckHaveNote(ingest, host, request.have_note(), ingest.vault.head());
  if (!have_size.ok()) return have_size.status();

  Result<StreamsBySource> known = StreamsOf(reader, host);
  if (!known.ok()) return known.status();
  LV_RETURN_IF_ERROR(CheckDescriptors(request, *known));
  LV_RETURN_IF_ERROR(AppendStreamBlocks(ingest, host, request, *known));

  v1::SessionOpened opened;
  opened.set_session(session_id);
  Result<StreamsBySource> streams = StreamsOf(reader, host);
  if (!streams.ok()) return streams.status();
  LV_RETURN_IF_ERROR(AddStreams(reader, host, *streams, opened));
  Result<std::optional<storage::EpochRecord>> newest = reader.NewestEpoch(host);
  if (!newest.ok()) return OurFault(newest.status());
  opened.set_newest_epoch(newest->has_value() ? (*newest)->epoch : 0);

  const std::shared_ptr<const evidence::Governance> governance = ingest.vault.governance();
  const storage::Head head = ingest.vault.head();  // not older than what is in force
  opened.set_checkpoint(head.note);
  LV_RETURN_IF_ERROR(AddConsistency(reader, *have_size, head, *opened.mutable_consistency()));
  LV_RETURN_IF_ERROR(AddDictionaries(ingest, *governance, *streams, request, head, opened));
  opened.set_flush_interval_ms(ingest.FlushIntervalMs());
  return opened;
}

}  // namespace logvault::server
