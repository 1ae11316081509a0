#include "storage/anchor.h"

#include <rocksdb/env.h>

#include <optional>
#include <utility>

#include "common/bytes.h"
#include "common/crash_point.h"
#include "evidence/hash.h"
#include "storage/tables.h"

namespace logvault::storage {
namespace {

constexpr std::string_view kMagic = "logvault/anc/v1\n";

struct Slot {
  std::uint64_t sequence = 0;
  std::string note;
};

std::string SerializeSlot(std::uint64_t sequence, std::string_view note) {
  std::string bytes;
  ByteWriter out(bytes);
  out.Bytes(kMagic);
  out.U64(sequence);
  out.String32(note);
  bytes.resize(kAnchorSlotSize - evidence::kHashSize);
  const evidence::Hash checksum = evidence::Sha256(bytes);
  out.Bytes(checksum.view());
  return bytes;
}

std::optional<Slot> ParseSlot(std::string_view bytes) {
  if (bytes.size() != kAnchorSlotSize) return std::nullopt;
  const std::string_view content = bytes.substr(0, bytes.size() - evidence::kHashSize);
  if (evidence::Sha256(content).view() != bytes.substr(content.size())) return std::nullopt;
  ByteReader in(content);
  if (in.Bytes(kMagic.size()) != kMagic) return std::nullopt;
  Slot slot;
  slot.sequence = in.U64();
  slot.note = in.String32();
  if (!in.ok()) return std::nullopt;
  return slot;
}

Result<Slot> NewestSlot(std::string_view bytes, const std::string& path) {
  std::optional<Slot> newest;
  for (std::size_t at = 0; at + kAnchorSlotSize <= bytes.size(); at += kAnchorSlotSize) {
    std::optional<Slot> slot = ParseSlot(bytes.substr(at, kAnchorSlotSize));
    if (slot && (!newest || slot->sequence > newest->sequence)) newest = std::move(slot);
  }
  if (!newest) return Corruption("anchor " + path + ": neither slot can be read");
  return *std::move(newest);
}

Status CheckNoteSize(std::string_view note) {
  if (note.size() <= kMaxAnchorNoteSize) return Status::Ok();
  return InvalidArgument("a checkpoint of " + std::to_string(note.size()) +
                         " bytes does not fit the anchor");
}

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> ReadAnchor(const std::string& path, rocksdb::Env* env) {
  if (env == nullptr) env = rocksdb::Env::Default();
  if (!env->FileExists(path).ok()) return NotFound("no anchor at " + path);
  std::string bytes;
  LV_RETURN_IF_ERROR(FromRocks(rocksdb::ReadFileToString(env, path, &bytes)));
  Result<Slot> slot = NewestSlot(bytes, path);
  if (!slot.ok()) return slot.status();
  return std::move(slot->note);
}

Status Anchor::Create(rocksdb::Env& env, const std::string& path, std::string_view note) {
  LV_RETURN_IF_ERROR(CheckNoteSize(note));
  if (env.FileExists(path).ok()) return AlreadyExists("anchor " + path + " exists");
  const std::string bytes = SerializeSlot(0, note) + SerializeSlot(1, note);
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env.NewWritableFile(path, &file, rocksdb::EnvOptions());
  if (status.ok()) status = file->Append(bytes);
  if (status.ok()) status = file->Fsync();
  if (status.ok()) status = file->Close();
  std::unique_ptr<rocksdb::Directory> directory;
  if (status.ok()) status = env.NewDirectory(DirectoryOf(path), &directory);
  if (status.ok()) status = directory->Fsync();
  return FromRocks(status).WithContext("anchor " + path);
}

Result<std::unique_ptr<Anchor>> Anchor::Open(rocksdb::Env& env, const std::string& path) {
  if (!env.FileExists(path).ok()) return NotFound("no anchor at " + path);
  std::string bytes;
  Status status = FromRocks(rocksdb::ReadFileToString(&env, path, &bytes));
  if (!status.ok()) return status.WithContext("anchor " + path);
  Result<Slot> slot = NewestSlot(bytes, path);
  if (!slot.ok()) return slot.status();
  std::unique_ptr<rocksdb::RandomRWFile> file;
  status = FromRocks(env.NewRandomRWFile(path, &file, rocksdb::EnvOptions()));
  if (!status.ok()) return status.WithContext("anchor " + path);
  return std::unique_ptr<Anchor>(new Anchor(std::move(file), slot->sequence, slot->note));
}

Anchor::Anchor(std::unique_ptr<rocksdb::RandomRWFile> file, std::uint64_t sequence,
               std::string note)
    : file_(std::move(file)), sequence_(sequence), note_(std::move(note)) {}

Anchor::~Anchor() = default;

Status Anchor::Move(std::string_view note) {
  LV_RETURN_IF_ERROR(CheckNoteSize(note));
  const std::uint64_t next = sequence_ + 1;
  rocksdb::Status status = file_->Write(next % 2 * kAnchorSlotSize, SerializeSlot(next, note));
  LV_CRASH_POINT("anchor.unsynced");
  if (status.ok()) status = file_->Sync();
  if (!status.ok()) return FromRocks(status).WithContext("anchor");
  sequence_ = next;
  note_ = note;
  return Status::Ok();
}

}  // namespace logvault::storage
