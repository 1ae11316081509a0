#include "cli/pager.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

extern char** environ;

namespace logvault::cli {
namespace {

constexpr const char* kDefaultPager = "less";
// Leave when it fits on a screen, show colours, keep what was shown.
constexpr const char* kLessOptions = "LESS=FRX";
constexpr int kCannotRun = 126;  // of sh: 126 cannot be executed, 127 is not there

bool IsInPath(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string file = std::string(rest.substr(0, colon)) + "/" + program;
    if (access(file.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return false;
}

std::vector<char*> PagerEnvironment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  if (std::getenv("LESS") == nullptr) variables.push_back(const_cast<char*>(kLessOptions));
  variables.push_back(nullptr);
  return variables;
}

// Signals as a shell would start it: this program blocks SIGINT and ignores SIGPIPE.
void RestoreSignals(posix_spawnattr_t& attributes) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

}  // namespace

std::string PagerCommand() {
  const char* wanted = std::getenv("PAGER");
  if (wanted == nullptr) return IsInPath(kDefaultPager) ? kDefaultPager : std::string();
  return std::string_view(wanted) == "cat" ? std::string() : std::string(wanted);
}

Result<std::unique_ptr<Pager>> Pager::Start(const std::string& command) {
  std::array<int, 2> pipe_fds{};
  if (pipe2(pipe_fds.data(), O_CLOEXEC) != 0)
    return Internal(std::string("no pipe to the pager: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[0], STDIN_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  RestoreSignals(attributes);
  std::string shell = "sh", flag = "-c", line = command;
  std::array<char*, 4> words = {shell.data(), flag.data(), line.data(), nullptr};
  std::vector<char*> variables = PagerEnvironment();
  pid_t pid = 0;
  const int failed =
      posix_spawn(&pid, "/bin/sh", &actions, &attributes, words.data(), variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_fds[0]);
  if (failed == 0) return std::unique_ptr<Pager>(new Pager(pid, pipe_fds[1]));
  close(pipe_fds[1]);
  return Internal("cannot run the pager `" + command + "`: " + std::strerror(failed));
}

bool Pager::Wait() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  if (pid_ == 0) return ran_;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  ran_ = !WIFEXITED(status) || WEXITSTATUS(status) < kCannotRun;
  return ran_;
}

}  // namespace logvault::cli
