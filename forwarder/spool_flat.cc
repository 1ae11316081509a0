#include "forwarder/spool_flat.h"

#include <filesystem>
#include <fstream>

#include "forwarder/spool_tables.h"
#include "forwarder/spool_wal.h"

namespace logvault::forwarder {

namespace {

constexpr std::uint32_t kMaxPages = 1u << 28;  // 1 TiB: a page number beyond is damage
// Offsets in the first page (sqlite.org/fileformat2.html, section 1.3).
constexpr std::size_t kFormatVersions = 18, kChangeCounter = 24, kSizeValidFor = 92;

Status ReadPage(std::istream& file, std::uint64_t offset, std::string& page) {
  page.resize(kSpoolPageSize);
  file.seekg(static_cast<std::streamoff>(offset));
  if (file.read(page.data(), kSpoolPageSize)) return Status::Ok();
  return Unavailable("a page of the spool could not be read");
}

Status WritePage(std::fstream& file, std::uint32_t number, const std::string& page) {
  file.seekp(static_cast<std::streamoff>(number - 1) * kSpoolPageSize);
  if (file.write(page.data(), kSpoolPageSize).flush()) return Status::Ok();
  return ResourceExhausted("the copy of the spool could not be written");
}

Status ApplyLog(const std::string& path, std::fstream& out) {
  Result<SpoolWal> wal = ReadSpoolWal(path);
  if (!wal.ok()) return wal.status();
  std::ifstream log(path, std::ios::binary);
  std::string page;
  for (std::size_t i = 0; i < wal->usable(); ++i) {
    const std::uint32_t number = wal->frames[i].page;
    if (!wal->frames[i].present || number == 0 || number > kMaxPages) continue;
    LV_RETURN_IF_ERROR(ReadPage(log, SpoolWal::PageOffset(i), page));
    LV_RETURN_IF_ERROR(WritePage(out, number, page));
  }
  return Status::Ok();
}

void CopyFormat(const std::string& from, std::string& to) {
  for (const auto& [begin, size] : kSpoolFormat) to.replace(begin, size, from, begin, size);
}

// SQLite then takes the file's size for the database's, and looks for no log.
void MakeFirstPagePlain(std::string& page) {
  page[kFormatVersions] = page[kFormatVersions + 1] = 1;
  for (std::size_t i = 0; i < 4; ++i)
    page[kSizeValidFor + i] = static_cast<char>(~page[kChangeCounter + i]);
}

bool TablesAreThere(const std::string& path) {
  Result<Database> db = Database::OpenReadOnly(path);
  if (!db.ok()) return false;
  Result<bool> ours = HasSpoolSchema(*db);
  return ours.ok() && *ours;
}

}  // namespace

Status FlattenSpool(const std::string& path, const std::string& sample, const std::string& out) {
  std::error_code error;
  std::filesystem::copy_file(path, out, std::filesystem::copy_options::overwrite_existing, error);
  if (error) return ResourceExhausted("copying " + path + ": " + error.message());
  std::fstream file(out, std::ios::in | std::ios::out | std::ios::binary);
  if (!file) return Unavailable(out + " cannot be opened");
  LV_RETURN_IF_ERROR(ApplyLog(path + "-wal", file));
  std::ifstream empty(sample, std::ios::binary);
  std::string first, first_of_sample;
  LV_RETURN_IF_ERROR(ReadPage(empty, 0, first_of_sample));
  MakeFirstPagePlain(first_of_sample);
  if (ReadPage(file, 0, first).ok()) {
    CopyFormat(first_of_sample, first);
    MakeFirstPagePlain(first);
    LV_RETURN_IF_ERROR(WritePage(file, 1, first));
  }
  if (TablesAreThere(out)) return Status::Ok();
  file.clear();
  return WritePage(file, 1, first_of_sample);
}

}  // namespace logvault::forwarder
