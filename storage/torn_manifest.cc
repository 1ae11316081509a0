#include "storage/torn_manifest.h"

#include <rocksdb/env.h>

#include <string_view>
#include <vector>

#include "storage/tables.h"

namespace logvault::storage {
namespace {

struct Manifest {
  std::string name;
  std::string good;  // its bytes without the zeros at the end
};

Result<Manifest> ReadManifest(rocksdb::Env& env, const std::string& dir) {
  Manifest manifest;
  LV_RETURN_IF_ERROR(FromRocks(rocksdb::ReadFileToString(&env, dir + "/CURRENT", &manifest.name)));
  while (manifest.name.ends_with('\n')) manifest.name.pop_back();
  LV_RETURN_IF_ERROR(
      FromRocks(rocksdb::ReadFileToString(&env, dir + "/" + manifest.name, &manifest.good)));
  const std::size_t size = manifest.good.size();
  manifest.good.resize(manifest.good.find_last_not_of('\0') + 1);
  if (manifest.good.size() == size) return NotFound(manifest.name + " does not end in zeros");
  return manifest;
}

}  // namespace

Status CopyWithoutTornEnd(rocksdb::Env& env, const std::string& dir, const std::string& copy) {
  Result<Manifest> manifest = ReadManifest(env, dir);
  if (!manifest.ok()) return NotFound(manifest.status().message());
  if (env.FileExists(copy).ok()) return AlreadyExists(copy + " is in the way: remove it");
  std::vector<std::string> files;
  LV_RETURN_IF_ERROR(FromRocks(env.GetChildren(dir, &files)));
  LV_RETURN_IF_ERROR(FromRocks(env.CreateDir(copy)));
  for (const std::string& file : files) {
    if (!file.ends_with(".sst") && !file.ends_with(".log") && file != "CURRENT") continue;
    LV_RETURN_IF_ERROR(FromRocks(env.LinkFile(dir + "/" + file, copy + "/" + file)));
  }
  return FromRocks(rocksdb::WriteStringToFile(&env, manifest->good, copy + "/" + manifest->name));
}

void RemoveCopy(rocksdb::Env& env, const std::string& copy) {
  std::vector<std::string> files;
  if (!env.GetChildren(copy, &files).ok()) return;
  for (const std::string& file : files) {
    if (file != "." && file != "..") static_cast<void>(env.DeleteFile(copy + "/" + file));
  }
  static_cast<void>(env.DeleteDir(copy));
}

Status CutTornEnd(rocksdb::Env& env, const std::string& dir) {
  Result<Manifest> manifest = ReadManifest(env, dir);
  if (!manifest.ok()) return manifest.status();
  const std::string next = dir + "/" + manifest->name + ".next";
  LV_RETURN_IF_ERROR(
      FromRocks(rocksdb::WriteStringToFile(&env, manifest->good, next, /*should_sync=*/true)));
  return FromRocks(env.RenameFile(next, dir + "/" + manifest->name));
}

}  // namespace logvault::storage
