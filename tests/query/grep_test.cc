// Against other programs: what `grep -a -i -F -c` counts in the sample logs, Search counts in a vault of them; and
// random boolean expressions over the same lines against an evaluator that does it the obvious way.
#include <cstdio>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "formats/framer.h"
#include "tests/query/search_fixture.h"
#include "tests/support/shared_data.h"

namespace logvault::query {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFileBytesMax = 1 << 20;
constexpr std::size_t kFilesMax = 60;
constexpr std::size_t kBatchRecords = 700;
constexpr int kGeneratedFiles = 4;

struct Sample {
  fs::path path;
  std::string bytes;
  std::string source;
  std::vector<std::string> lines;
};

class GrepTest : public SearchTest {
 protected:
  void SetUp() override {
    SearchTest::SetUp();
    for (int i = 0; i < kGeneratedFiles; ++i) LoadGenerated(i);
    std::optional<fs::path> logs = testing::SharedData("logs");
    if (!logs) return;
    std::vector<fs::path> paths;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(*logs)) {
      if (entry.is_regular_file() && entry.file_size() > 0 && entry.file_size() <= kFileBytesMax) {
        paths.push_back(entry.path());
      }
    }
    std::sort(paths.begin(), paths.end());
    std::shuffle(paths.begin(), paths.end(), random_);
    if (paths.size() > kFilesMax) paths.resize(kFilesMax);
    for (const fs::path& path : paths) Load(path);
    std::cout << samples_.size() << " files, " << kGeneratedFiles << " of them generated, seed "
              << seed_ << "\n";
  }

  // Lines of what logs rarely hold and searches go wrong on: quotes, backslashes, `%`, `_`, NUL, bytes past ASCII, letters that
  // differ from others by the bit that tells cases apart, long runs, empty lines, a last line without an end.
  void LoadGenerated(int number) {
    static constexpr std::string_view kBytes = "aAzZ@`[{bB19 \t\"\\%_*?.:=|/\xc3\xa4\xff\x80\r\x1d";
    std::string bytes;
    for (int line = 0; line < 1500; ++line) {
      for (std::size_t n = random_() % 40; n > 0; --n) bytes += kBytes[random_() % kBytes.size()];
      if (random_() % 8 == 0) bytes += '\0';
      if (random_() % 50 == 0) bytes.append(300, kBytes[random_() % 8]);
      if (line + 1 < 1500 || number % 2 == 0) bytes += '\n';
    }
    const fs::path path = folder_.path() / ("generated" + std::to_string(number));
    std::ofstream(path, std::ios::binary) << bytes;
    Load(path);
  }

  void Load(const fs::path& path) {
    Sample sample;
    sample.path = path;
    sample.source = "f" + std::to_string(samples_.size());
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    sample.bytes = text.str();
    std::vector<formats::Cut> cuts;
    bool continues = false;
    formats::CutRecords(formats::Format::kPlain, formats::Encoding::kBytes, sample.bytes,
                        formats::End::kFinal, evidence::kMaxRecordSize, &continues, cuts);
    std::vector<Record> records;
    std::size_t at = 0;
    for (const formats::Cut& cut : cuts) {
      sample.lines.push_back(sample.bytes.substr(at, cut.length));
      records.push_back({sample.lines.back()});
      at += cut.length;
      if (records.size() == kBatchRecords) {
        Commit("h", sample.source, records);
        records.clear();
      }
    }
    if (!records.empty()) Commit("h", sample.source, records);
    samples_.push_back(std::move(sample));
  }

  // A piece of a line, letters in changed case now and then; sometimes one that is nowhere.
  std::string RandomPiece(const Sample& sample) {
    const std::string& line = sample.lines[random_() % sample.lines.size()];
    const std::size_t begin = random_() % line.size();
    std::string piece = line.substr(begin, 1 + random_() % 20);
    piece = piece.substr(0, piece.find('\n'));
    std::erase(piece, '\0');  // grep cannot be asked for one
    for (char& c : piece) {
      const bool letter = FoldAscii(c) >= 'a' && FoldAscii(c) <= 'z';
      if (letter && random_() % 3 == 0) c = static_cast<char>(c ^ 0x20);
    }
    if (random_() % 20 == 0) piece += "\\q\"%_";
    return piece;
  }

  static std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    for (char c : text) quoted += (c == '"' || c == '\\') ? std::string{'\\', c} : std::string{c};
    return quoted + '"';
  }

  std::uint64_t GrepCount(const std::string& piece, const fs::path& file) {
    const fs::path pattern = folder_.path() / "pattern";
    std::ofstream(pattern, std::ios::binary) << piece << '\n';
    const std::string command =
        "LC_ALL=C grep -a -i -F -c -f '" + pattern.string() + "' -- '" + file.string() + "'";
    std::FILE* pipe = popen(command.c_str(), "r");
    unsigned long long count = 0;
    EXPECT_EQ(std::fscanf(pipe, "%llu", &count), 1) << command;
    pclose(pipe);
    return count;
  }

  const std::uint64_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
  std::vector<Sample> samples_;
};

TEST_F(GrepTest, CountsWhatGrepCounts) {
  for (int round = 0; round < 2000 && !samples_.empty(); ++round) {
    const Sample& sample = samples_[random_() % samples_.size()];
    const std::string piece = RandomPiece(sample);
    if (piece.empty()) continue;
    Request request = Ask(Quoted(piece));
    request.scope.source_glob = sample.source;
    request.count_only = true;
    ASSERT_EQ(Search(request).completeness.matches, GrepCount(piece, sample.path))
        << Quoted(piece) << " in " << sample.path;
  }
}

// With NUL bytes in them, which grep cannot be asked for.
TEST_F(GrepTest, CountsPiecesWithNuls) {
  for (int round = 0; round < 300; ++round) {
    const Sample& sample = samples_[random_() % kGeneratedFiles];
    const std::string& line = sample.lines[random_() % sample.lines.size()];
    const std::size_t nul = line.find('\0');
    if (nul == std::string::npos) continue;
    const std::string piece =
        line.substr(nul - std::min<std::size_t>(nul, random_() % 4), 1 + random_() % 6);
    std::uint64_t expected = 0;
    for (const std::string& other : sample.lines) {
      if (FoldAscii(other).find(FoldAscii(piece)) != std::string::npos) ++expected;
    }
    Request request = Ask(Quoted(piece));
    request.scope.source_glob = sample.source;
    request.count_only = true;
    ASSERT_EQ(Search(request).completeness.matches, expected) << Quoted(piece);
  }
}

TEST_F(GrepTest, RawIsTheFile) {
  for (const Sample& sample : samples_) {
    Request request = Ask("", Request::Order::kStream);
    request.scope.source_glob = sample.source;
    std::string raw;
    for (const std::string& bytes : Search(request).bytes) raw += bytes;
    ASSERT_TRUE(raw == sample.bytes) << sample.path;
  }
}

TEST_F(GrepTest, RandomBooleanExpressionsFindTheRightLines) {
  struct Term {
    std::string text;
    std::string folded;
  };
  for (int round = 0; round < 150 && !samples_.empty(); ++round) {
    const Sample& sample = samples_[random_() % samples_.size()];
    std::vector<Term> terms;
    while (terms.size() < 3) {
      const std::string piece = RandomPiece(sample).substr(0, 3);
      if (!piece.empty()) terms.push_back({Quoted(piece), FoldAscii(piece)});
    }
    const bool not_b = random_() % 2 == 0;
    const bool tight_or = random_() % 2 == 0;
    const std::string b = (not_b ? "not " : "") + terms[1].text;
    const std::string text = tight_or ? terms[0].text + " and (" + b + " or " + terms[2].text + ")"
                                      : terms[0].text + " " + b + " or " + terms[2].text;
    std::vector<std::string> expected;
    for (const std::string& line : sample.lines) {
      const std::string folded = FoldAscii(line);
      auto holds = [&](int i) {
        return folded.find(terms[static_cast<std::size_t>(i)].folded) != std::string::npos;
      };
      const bool second = holds(1) != not_b;
      if (tight_or ? holds(0) && (second || holds(2)) : (holds(0) && second) || holds(2))
        expected.push_back(line);
    }
    Request request = Ask(text, Request::Order::kStream);
    request.scope.source_glob = sample.source;
    ASSERT_EQ(Search(request).bytes, expected) << text << " in " << sample.path;
  }
}

}  // namespace
}  // namespace logvault::query
