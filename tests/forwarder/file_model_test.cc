// A model of what a reader of files can lose, against random histories of writing, rotation, truncation and death.
//
// Every piece that was ever written arrives exactly once, unless the last place where it stood was destroyed before it
// was durable; then a gap record follows, and no gap record claims more bytes than are missing.  A file of which nothing
// became durable before it was destroyed leaves no trace behind a reader that was not there, or died: only that loss may
// stay untold.  Histories that destroy leave compression (z) out: a copy that was compressed, and an original that is gone,
// look like one file that was renamed and compressed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/forwarder/model_reader.h"
#include "tests/support/seeds.h"

namespace logvault::forwarder {
namespace {

struct Setting {
  const char* name;
  const char* pattern;  // of the source
  const char* live;
  std::string (*rotated)(int number);  // nullptr: a numbered chain
  bool keeps_offset = false;           // a writer without O_APPEND
  bool watch = true;
  bool destroys = true;      // truncates and deletes too
  bool links = false;        // the pattern is a symbolic link that moves on
  const char* without = "";  // p: unterminated lines, z: compression, s: late writers, r: death
};

std::string Dated(int number) { return "app.log-" + std::to_string(20260000 + number); }
std::string Numbered(int number) { return "app-" + std::to_string(10000 + number) + ".log"; }

class History {
 public:
  History(const Setting& setting, std::uint32_t seed)
      : setting_(setting),
        random_(seed),
        disk_(clock_, setting.keeps_offset),
        reader_(Options(), clock_) {
    if (setting_.links) disk_.Point(setting_.pattern, Live());
    disk_.Open(Live());
    reader_.Start();
    Write(1);  // A reader that never read anything knows no file.
    Look(3);
    Commit();
  }

  void Act() {
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2:
        return Write(1 + Random(8));
      case 3:
        if (!Does('p')) return Write(1);
        Say("part");
        disk_.Write(false);
        return Cover();
      case 4:
      case 5:
        return Look(1 + Random(20));
      case 6:
        return Rotate();
      case 7:
        return setting_.destroys ? CopyTruncate() : Rotate();
      case 8:
        return setting_.destroys ? Destroy() : Write(1);
      case 9:
        return Restart();
      case 10:
        return Compress();
      case 11:
        Say("commit");
        return Commit();
    }
  }

  void Check() {
    if (!reader_.runs()) reader_.Start();
    Write(1);  // An unterminated line waits for its end.
    Look(250);
    const std::string story = "seed's history: " + story_ + "\nown words:\n" + reader_.words();
    std::map<int, int> times;
    for (int id : reader_.pieces()) ++times[id];
    std::uint64_t missing_bytes = 0;
    for (int id : disk_.written()) {
      EXPECT_LE(times[id], 1) << "piece " << id << " came twice\n" << story;
      if (times[id] > 0) continue;
      missing_bytes += kPieceSize;
      auto destroyed = destroyed_.find(id);
      ASSERT_NE(destroyed, destroyed_.end()) << "piece " << id << " is lost\n" << story;
      if (untold_.contains(id)) continue;
      EXPECT_GT(reader_.gaps(), destroyed->second) << "silently lost: " << id << "\n" << story;
    }
    EXPECT_LE(reader_.gap_bytes_max(), missing_bytes) << story;
    if (!setting_.destroys) {
      EXPECT_EQ(reader_.gaps(), 0u) << story;
    }
    lost_ = missing_bytes / kPieceSize;
  }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t written() const { return disk_.written().size(); }

 private:
  FileSourceOptions Options() const {
    FileSourceOptions options;
    options.name = "app";
    options.path = disk_.Path(setting_.pattern);
    options.watch = setting_.watch;
    return options;
  }
  bool Does(char what) const {
    const char* without = std::getenv("LOGVAULT_MODEL_WITHOUT");
    return std::string(setting_.without).find(what) == std::string::npos &&
           (without == nullptr || std::string(without).find(what) == std::string::npos);
  }
  int Random(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  void Say(const std::string& what) { story_ += what + " "; }
  std::string Live() const {
    return setting_.links ? Numbered(rotations_) : std::string(setting_.live);
  }

  void Write(int pieces) {
    Say("write*" + std::to_string(pieces));
    for (int i = 0; i < pieces; ++i) disk_.Write(true);
    Cover();
  }
  // What a file held that was empty at the newest look, and is not any more, leaves no trace.
  void Cover() {
    untold_.merge(covered_);
    covered_.clear();
  }
  void Look(int times) {
    Say((reader_.runs() ? "look*" : "wait*") + std::to_string(times));
    for (int i = 0; i < times; ++i) {
      reader_.Look();
      NoteLook();
      if (i % 10 == 9) Commit();
    }
  }
  void NoteLook() {
    if (!reader_.runs() || !disk_.Exists(Live())) return;
    covered_.clear();
    seen_ = !disk_.Pieces(Live()).empty();
  }
  // The reader knows that the file exists.
  void LetItBeSeen() {
    if (reader_.runs()) Look(8);
  }
  bool AnythingDurableOf(const std::string& name) const {
    std::set<int> durable(reader_.pieces().begin(), reader_.pieces().end());
    const std::vector<int>& pieces = disk_.Pieces(name);
    return std::any_of(pieces.begin(), pieces.end(), [&](int id) { return durable.contains(id); });
  }
  void Note(const std::vector<int>& gone, bool known) {
    std::set<int> durable(reader_.pieces().begin(), reader_.pieces().end());
    for (int id : gone) {
      if (durable.contains(id)) continue;
      destroyed_.emplace(id, reader_.gaps());
      if (!known && reader_.runs()) fragile_.insert(id);
      if (!known && reader_.runs() && !seen_) covered_.insert(id);
      if (!known && !reader_.runs()) untold_.insert(id);
    }
  }
  // What the reader saw and said is durable now.
  void Commit() {
    reader_.Look();
    NoteLook();
    reader_.Commit();
    if (reader_.runs()) fragile_.clear();
  }

  void Shift() {
    for (int rank = 40; rank >= 1; --rank) {
      for (const char* suffix : {"", ".gz"}) {
        std::string from = std::string(setting_.live) + "." + std::to_string(rank) + suffix;
        std::string to = std::string(setting_.live) + "." + std::to_string(rank + 1) + suffix;
        if (disk_.Exists(from)) disk_.Rename(from, to);
      }
    }
  }
  std::string NextName() {
    ++rotations_;
    if (setting_.rotated != nullptr) return setting_.rotated(rotations_);
    Shift();
    return std::string(setting_.live) + ".1";
  }
  void Rotate() {
    Say("rotate");
    if (setting_.links) {
      ++rotations_;
      disk_.Open(Live());
      disk_.Point(setting_.pattern, Live());
      return;
    }
    disk_.Rename(Live(), NextName());
    if (Does('s') && Random(3) == 0) Write(1 + Random(3));  // a stale writer
    if (Random(3) == 0) Look(1 + Random(5));                // no live file for a while
    disk_.Open(Live());
  }
  void CopyTruncate() {
    if (setting_.links) return Rotate();
    LetItBeSeen();
    Say("copy");
    std::string copy = NextName();
    disk_.Copy(Live(), copy);
    if (Random(3) == 0) Look(1 + Random(4));
    if (Random(3) == 0) Write(1 + Random(3));
    Say("truncate");
    const bool known = AnythingDurableOf(Live());
    Note(disk_.Truncate(Live()), known);
  }
  void Destroy() {
    LetItBeSeen();
    if (Random(2) == 0) Write(1 + Random(4));
    const bool recreate = Random(2) == 0;
    Say(recreate ? "delete" : "empty");
    const std::string live = Live();
    const bool known = AnythingDurableOf(live);
    if (!recreate) return Note(disk_.Truncate(live), known);
    Note(disk_.Remove(live), known);
    if (Random(2) == 0) Look(1 + Random(5));
    disk_.Open(live);
  }
  void Restart() {
    if (!Does('r')) return Commit();
    Say(reader_.runs() ? "die" : "start");
    if (!reader_.runs()) return reader_.Start();
    reader_.Die();
    untold_.merge(fragile_);
    fragile_.clear();
  }
  void Compress() {
    if (!Does('z')) return Write(1);
    std::vector<std::string> names;
    for (int number = 1; number <= 40; ++number) {
      std::string name = setting_.rotated != nullptr ? setting_.rotated(number)
                         : setting_.links
                             ? Numbered(number - 1)
                             : std::string(setting_.live) + "." + std::to_string(number);
      if (disk_.Exists(name) && !disk_.WritesTo(name)) names.push_back(std::move(name));
    }
    if (names.empty()) return;
    const std::string& name =
        names[static_cast<std::size_t>(Random(static_cast<int>(names.size())))];
    Say("compress:" + name);
    disk_.Compress(name);
  }

  const Setting& setting_;
  std::mt19937 random_;
  FakeClock clock_{1'764'000'000 * kNanosPerSecond};
  ModelDisk disk_;
  ModelReader reader_;
  std::map<int, std::uint64_t> destroyed_;  // piece, and the gaps told before
  std::set<int> fragile_;  // destroyed, and only a reader that lives until it commits knows of it
  std::set<int> untold_;   // destroyed, and no reader can know
  // Destroyed, and no reader can know once its file is written to before the next look.
  std::set<int> covered_;
  bool seen_ = false;  // at the newest look the live file held something
  std::string story_;
  int rotations_ = 0;
  std::uint64_t lost_ = 0;
};

class FileModelTest : public ::testing::TestWithParam<Setting> {};

TEST_P(FileModelTest, EveryPieceArrivesOnceOrItsLossIsTold) {
  const int seeds = logvault::testing::SeedCount(60);
  std::uint64_t written = 0, lost = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(GetParam(), static_cast<std::uint32_t>(seed));
    for (int i = 0; i < 40; ++i) history.Act();
    history.Check();
    written += history.written();
    lost += history.lost();
    if (HasFailure()) break;
  }
  std::cout << "seeds 1 to " << seeds << ": " << written << " pieces, " << lost
            << " lost and told\n";
}

INSTANTIATE_TEST_SUITE_P(
    All, FileModelTest,
    ::testing::Values(
        Setting{"Chain", "app.log", "app.log", nullptr, false, true, false},
        Setting{"Polled", "app.log", "app.log", nullptr, false, false, false},
        Setting{"Numbered", "app.log", "app.log", Numbered, false, true, false},
        Setting{"Dated", "app.log", "app.log", Dated, false, true, false},
        Setting{"NumberedInGlob", "app*.log", "app.log", Numbered, false, true, false},
        Setting{"ChainInGlob", "app*", "app.log", nullptr, false, true, false},
        Setting{"DatedInGlob", "app*", "app.log", Dated, false, true, false},
        Setting{"PolledInGlob", "app*", "app.log", nullptr, false, false, false},
        Setting{"Link", "current", "", nullptr, false, true, false, true},
        Setting{"DestroyedChain", "app.log", "app.log", nullptr, false, true, true, false, "z"},
        Setting{"DestroyedPolled", "app.log", "app.log", nullptr, false, false, true, false, "z"},
        Setting{"DestroyedNumbered", "app.log", "app.log", Numbered, false, true, true, false, "z"},
        Setting{"DestroyedInGlob", "app*", "app.log", nullptr, false, true, true, false, "z"},
        Setting{"OffsetKept", "app.log", "app.log", nullptr, true, true, true, false, "z"},
        Setting{"OffsetKeptInGlob", "app*", "app.log", nullptr, true, true, true, false, "z"},
        Setting{"DestroyedLink", "current", "", nullptr, false, true, true, true, "z"}),
    [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace logvault::forwarder
