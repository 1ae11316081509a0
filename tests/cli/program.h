// The logvault program as a child process: what it is given, what it answered.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace logvault::cli {

struct Ran {
  int code = -1;  // 1000 and the signal where one ended it
  std::string out;
  std::string err;
};

class Program {
 public:
  // Starts `logvault` with `arguments` and an environment of PATH and `environment` only.
  Program(const std::vector<std::string>& arguments,
          const std::map<std::string, std::string>& environment) {
    std::vector<std::string> words = {LOGVAULT_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = {"PATH=/usr/bin:/bin"};
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    std::array<int, 2> out{}, err{};
    EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    EXPECT_EQ(posix_spawn(&pid_, LOGVAULT_PROGRAM, &actions, nullptr, Pointers(words).data(),
                          Pointers(variables).data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    fds_ = {{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Returns once the program has written something to standard output, which is not read yet.
  void AwaitOutput() { EXPECT_EQ(poll(fds_.data(), 1, -1), 1); }
  void Signal(int number) { kill(pid_, number); }

  Ran Finish() {
    Ran ran;
    std::array<std::string*, 2> texts = {&ran.out, &ran.err};
    while (fds_[0].fd >= 0 || fds_[1].fd >= 0) {
      if (poll(fds_.data(), fds_.size(), -1) < 0) continue;
      for (std::size_t i = 0; i < fds_.size(); ++i) {
        if (fds_[i].revents != 0) ReadSome(fds_[i], *texts[i]);
      }
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    return ran;
  }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  static void ReadSome(pollfd& fd, std::string& text) {
    std::array<char, 4096> buffer;
    const ssize_t got = read(fd.fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
      return;
    }
    close(fd.fd);
    fd.fd = -1;
  }

  pid_t pid_ = 0;
  std::array<pollfd, 2> fds_{};  // standard output, standard error
};

}  // namespace logvault::cli
