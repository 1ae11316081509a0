// The name of a Linux system call.
#pragma once

#include <string_view>

namespace logvault::formats {

// `arch` and `number` as auditd writes them: "c000003e", "59" is "execve".  x86_64, i386 and aarch64; empty for others.
std::string_view SyscallName(std::string_view arch, std::string_view number);

}  // namespace logvault::formats
