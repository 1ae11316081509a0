#include "storage/damage.h"

#include <array>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace logvault::storage {
namespace {

constexpr std::size_t kLogLineMax = 1024;
constexpr std::string_view kOldTable = ".ldb";
constexpr std::string_view kManifest = "MANIFEST-";

bool IsNameByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
}

bool AllDigits(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
  }
  return true;
}

bool IsRocksFile(std::string_view name) {
  if (name == "CURRENT") return true;
  if (name.starts_with(kManifest)) return AllDigits(name.substr(kManifest.size()));
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || !AllDigits(name.substr(0, dot))) return false;
  return name.substr(dot) == ".sst" || name.substr(dot) == ".log" || name.substr(dot) == kOldTable;
}

// A table that is not there is asked for under its old name too, and that one stands in the error.
std::string TableName(std::string_view name) {
  if (name.ends_with(kOldTable)) name.remove_suffix(kOldTable.size());
  return std::string(name).append(".sst");
}

class DroppedBytesLogger final : public rocksdb::Logger {
 public:
  explicit DroppedBytesLogger(Damage& damage) : damage_(damage) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, kLogLineMax> line{};
    std::vsnprintf(line.data(), line.size(), format, arguments);
    const std::string_view text(line.data());
    if (text.find(": dropping ") != std::string_view::npos) damage_.AddFrom(text);
  }

 private:
  Damage& damage_;
};

}  // namespace

std::set<std::string> FilesNamedIn(std::string_view text) {
  std::set<std::string> files;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = begin;
    while (end < text.size() && IsNameByte(text[end])) ++end;
    std::string_view name = text.substr(begin, end - begin);
    while (name.ends_with('.')) name.remove_suffix(1);
    if (IsRocksFile(name)) {
      files.insert(name.ends_with(kOldTable) ? TableName(name) : std::string(name));
    }
    begin = end + 1;
  }
  // Where a table is named, the MANIFEST is only where its name stood.
  if (files.size() > 1) {
    std::erase_if(files, [](const std::string& file) { return file.starts_with(kManifest); });
  }
  return files;
}

void Damage::Add(std::string file) {
  MutexLock lock(mutex_);
  files_.insert(std::move(file));
}

void Damage::AddFrom(std::string_view error) {
  for (const std::string& file : FilesNamedIn(error)) Add(file);
}

std::set<std::string> Damage::files() const {
  MutexLock lock(mutex_);
  return files_;
}

std::shared_ptr<rocksdb::Logger> WatchForDroppedBytes(Damage& damage) {
  return std::make_shared<DroppedBytesLogger>(damage);
}

}  // namespace logvault::storage
