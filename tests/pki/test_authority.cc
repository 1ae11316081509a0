#include "tests/pki/test_authority.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "config/small_file.h"

namespace logvault::pki {

void TestAuthority::SetUp() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pki_XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  root_ = pattern;
  const Status status = InitAuthority(Ca(), "lab-vault", clock_);
  ASSERT_TRUE(status.ok()) << status;
}

void TestAuthority::TearDown() { std::filesystem::remove_all(root_); }

std::string TestAuthority::Read(const std::string& name) const {
  Result<std::string> bytes = config::ReadSmallFile(Path(name));
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : "";
}

void TestAuthority::Write(const std::string& name, const std::string& bytes) const {
  const Status status = config::WriteSmallFile(Path(name), bytes, config::FileMode::kPublic);
  EXPECT_TRUE(status.ok()) << status;
}

Status TestAuthority::Issue(Role role, const std::string& name, std::optional<std::int64_t> ttl_ns,
                            std::vector<std::string> sans) {
  IssueRequest request;
  request.role = role;
  request.name = name;
  request.ttl_ns = ttl_ns;
  request.sans = std::move(sans);
  request.out_dir = Path(name);
  return IssueCertificate(Ca(), request, clock_);
}

Certificate TestAuthority::CertificateOf(const std::string& name) const {
  return *Certificate::FromPem(Read(name + "/cert.pem"));
}

TestAuthority::CommandResult TestAuthority::OpenSsl(const std::string& args) const {
  CommandResult result;
  FILE* pipe = ::popen(("cd " + root_ + " && openssl " + args + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe))
    result.output.append(buffer, size);
  const int status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

}  // namespace logvault::pki
