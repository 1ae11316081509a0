// Lines that resemble each other, and dictionaries that were trained on such.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "common/check.h"
#include "evidence/dictionary.h"

namespace logvault::testing {

inline std::vector<std::string> SimilarLines(std::size_t count, std::uint64_t seed) {
  static constexpr const char* kWords[] = {"session opened for user", "Accepted publickey for",
                                           "Failed password for invalid user",
                                           "Connection closed by authenticating user"};
  std::mt19937_64 random(seed);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines.push_back("Mar 14 03:14:15 web01 sshd[" + std::to_string(random() % 99'999) + "]: " +
                    kWords[random() % 4] + " u" + std::to_string(random() % 500) + " from 10.0." +
                    std::to_string(random() % 256) + "." + std::to_string(random() % 256) +
                    " port " + std::to_string(random() % 65'536) + " ssh2\n");
  }
  return lines;
}

// Another one for each seed.
inline std::string TrainedDictionary(std::uint64_t seed = 1) {
  std::vector<std::string> samples;
  for (const std::string& line : SimilarLines(4000, seed)) {
    if (samples.empty() || samples.back().size() > 2000) samples.emplace_back();
    samples.back() += line;
  }
  Result<std::string> trained = evidence::TrainDictionary(samples, 4096);
  LV_CHECK(trained.ok());
  return *std::move(trained);
}

}  // namespace logvault::testing
