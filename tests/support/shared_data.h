// Where the sample data that lies beside the project is, when it is there.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

namespace logvault::testing {

// The folder `relative` of the sample data: $LOGVAULT_SHARED, else ../shared beside the project.  Says so on
// stdout where it is not there; tests then check what they can without it.
inline std::optional<std::filesystem::path> SharedData(const std::string& relative) {
  const char* given = std::getenv("LOGVAULT_SHARED");
  std::filesystem::path root = given != nullptr ? given : "../shared";
  std::filesystem::path path = root / "data" / relative;
  if (std::filesystem::exists(path)) return path;
  std::cout << "sample data not there, those cases are left out: " << relative << "\n";
  return std::nullopt;
}

}  // namespace logvault::testing
