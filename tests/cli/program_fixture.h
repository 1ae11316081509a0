// The logvault program, run on a vault that the test made.
#pragma once

#include <fstream>

#include "tests/cli/program.h"
#include "tests/query/search_fixture.h"

namespace logvault::cli {

class ProgramTest : public query::SearchTest {
 protected:
  Ran Run(const std::vector<std::string>& arguments,
          std::map<std::string, std::string> environment = {}) {
    environment["HOME"] = (folder_.path() / "home").string();
    return Program(arguments, environment).Finish();
  }

  // The same on the vault's folder, which is closed for it.
  Ran RunOffline(const std::vector<std::string>& arguments) {
    return StartOffline(arguments)->Finish();
  }
  std::unique_ptr<Program> StartOffline(std::vector<std::string> arguments) {
    vault_.reset();
    arguments.insert(arguments.begin(), {"--offline", options_.dir});
    return std::make_unique<Program>(arguments, std::map<std::string, std::string>{
                                                    {"HOME", (folder_.path() / "home").string()}});
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
};

}  // namespace logvault::cli
