// ModelDisk: a folder of log files with a writer, and for every piece of text ever written where it still stands.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/check.h"
#include "common/clock.h"
#include "tests/forwarder/test_host.h"

namespace logvault::forwarder {

// A piece is unique text of kPieceSize bytes, so that nothing is too short to be known by its content.
inline constexpr std::size_t kPieceSize = 300;

inline std::string PieceText(int id, bool line_end) {
  std::string text = "[" + std::to_string(id) + ":";
  text.resize(kPieceSize - 2, static_cast<char>('a' + id % 26));
  return text + "]" + (line_end ? "\n" : "+");
}
// The ids of the pieces in `bytes`, in order.
inline std::vector<int> PiecesIn(const std::string& bytes) {
  std::vector<int> ids;
  for (std::size_t at = bytes.find('['); at != std::string::npos; at = bytes.find('[', at + 1))
    ids.push_back(std::stoi(bytes.substr(at + 1)));
  return ids;
}

class ModelDisk {
 public:
  // `clock` must outlive the disk; files get its time.
  ModelDisk(FakeClock& clock, bool keeps_offset) : clock_(clock), keeps_offset_(keeps_offset) {}
  ~ModelDisk() { CloseWriter(); }
  ModelDisk(const ModelDisk&) = delete;
  ModelDisk& operator=(const ModelDisk&) = delete;

  std::string Path(const std::string& name) const { return folder_ / name; }
  bool Exists(const std::string& name) const { return files_.contains(name); }
  const std::vector<int>& Pieces(const std::string& name) const { return *files_.at(name); }
  const std::set<int>& written() const { return written_; }

  // The writer opens `name` anew, creating it where it is not there.
  void Open(const std::string& name) {
    CloseWriter();
    if (!Exists(name)) files_[name] = std::make_shared<std::vector<int>>();
    writer_pieces_ = files_[name];
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (keeps_offset_ ? 0 : O_APPEND);
    writer_ = ::open(Path(name).c_str(), flags, 0600);
    LV_CHECK(writer_ >= 0);
    ::lseek(writer_, 0, SEEK_END);
    Stamp();
  }
  void Write(bool line_end) {
    int id = ++last_id_;
    std::string text = PieceText(id, line_end);
    LV_CHECK(::write(writer_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    writer_pieces_->push_back(id);
    written_.insert(id);
    Stamp();
  }
  bool WritesTo(const std::string& name) const { return files_.at(name) == writer_pieces_; }

  void Rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(Path(from), Path(to));
    files_[to] = files_[from];
    files_.erase(from);
  }
  // All of the following return the pieces that stand nowhere any more.
  std::vector<int> Remove(const std::string& name) {
    std::filesystem::remove(Path(name));
    std::shared_ptr<std::vector<int>> pieces = files_[name];
    files_.erase(name);
    return GoneOf(*pieces);
  }
  void Copy(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(Path(from), Path(to));
    files_[to] = std::make_shared<std::vector<int>>(*files_[from]);
    StampPath(Path(to));
  }
  std::vector<int> Truncate(const std::string& name) {
    LV_CHECK(::truncate(Path(name).c_str(), 0) == 0);
    std::vector<int> pieces = std::exchange(*files_[name], {});
    StampPath(Path(name));
    return GoneOf(pieces);
  }
  // Keeps the file's time, as gzip does.
  void Compress(const std::string& name) {
    struct stat facts {};
    LV_CHECK(::stat(Path(name).c_str(), &facts) == 0);
    std::ifstream file(Path(name), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    gzFile out = ::gzopen(Path(name + ".gz").c_str(), "wb1");
    LV_CHECK(::gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size())) ==
             static_cast<int>(bytes.size()));
    ::gzclose(out);
    const timespec times[2] = {facts.st_atim, facts.st_mtim};
    ::utimensat(AT_FDCWD, Path(name + ".gz").c_str(), times, 0);
    files_[name + ".gz"] = files_[name];
    std::filesystem::remove(Path(name));
    files_.erase(name);
  }
  void Point(const std::string& link, const std::string& target) {
    std::filesystem::remove(Path("new-link"));
    std::filesystem::create_symlink(Path(target), Path("new-link"));
    std::filesystem::rename(Path("new-link"), Path(link));
  }

 private:
  std::vector<int> GoneOf(const std::vector<int>& pieces) const {
    std::vector<int> gone;
    for (int id : pieces) {
      bool stands = std::any_of(files_.begin(), files_.end(), [id](const auto& file) {
        return std::find(file.second->begin(), file.second->end(), id) != file.second->end();
      });
      if (!stands) gone.push_back(id);
    }
    return gone;
  }
  timespec Now() const { return {clock_.Now() / kNanosPerSecond, clock_.Now() % kNanosPerSecond}; }
  void Stamp() {
    clock_.Advance(1'000'000);
    const timespec times[2] = {Now(), Now()};
    ::futimens(writer_, times);
  }
  void StampPath(const std::string& path) {
    clock_.Advance(1'000'000);
    const timespec times[2] = {Now(), Now()};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  }
  void CloseWriter() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }

  FakeClock& clock_;
  const bool keeps_offset_;
  TestFolder folder_;
  std::map<std::string, std::shared_ptr<std::vector<int>>> files_;
  int writer_ = -1;
  std::shared_ptr<std::vector<int>> writer_pieces_;
  std::set<int> written_;
  int last_id_ = 0;
};

}  // namespace logvault::forwarder
