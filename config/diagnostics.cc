#include "config/diagnostics.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

namespace logvault::config {
namespace {

// The text of a line, control bytes escaped: a file name or a peer's words must not forge lines of
// ours, or drive the operator's terminal.
class EscapedText final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7f) {
        out.push_back(c);
        continue;
      }
      for (const char escaped : {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]})
        out.push_back(escaped);
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedText>();
  }
};

// stderr, with a bound on how much goes there.
class LimitedStderr final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (message.time - window_ >= std::chrono::seconds(kWindowSeconds)) {
      window_ = message.time;
      lines_ = 0;
    }
    if (message.level >= spdlog::level::err) return stderr_.log(message);
    if (lines_ > kLinesPerWindow) return;
    if (lines_++ < kLinesPerWindow) return stderr_.log(message);
    const std::string text = "more than " + std::to_string(kLinesPerWindow) + " lines in " +
                             std::to_string(kWindowSeconds) +
                             " s: the rest, below error, is left out";
    stderr_.log(spdlog::details::log_msg(message.time, spdlog::source_loc(), message.logger_name,
                                         spdlog::level::warn, text));
  }
  void flush() override { stderr_.flush(); }
  void set_pattern(const std::string& pattern) override { stderr_.set_pattern(pattern); }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    stderr_.set_formatter(std::move(formatter));
  }

 private:
  spdlog::sinks::stderr_sink_mt stderr_;
  std::mutex mutex_;
  spdlog::log_clock::time_point window_;
  int lines_ = 0;  // in this window; one more than the bound once the rest is left out
};

}  // namespace

void StartDiagnostics(std::string_view program) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<EscapedText>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %n: %*");
  auto logger =
      std::make_shared<spdlog::logger>(std::string(program), std::make_shared<LimitedStderr>());
  logger->set_formatter(std::move(formatter));
  spdlog::set_default_logger(std::move(logger));

  const char* wanted = std::getenv("LOGVAULT_LOG_LEVEL");
  if (wanted == nullptr || *wanted == '\0') return;
  const spdlog::level::level_enum level = spdlog::level::from_str(wanted);
  if (level == spdlog::level::off) {  // Also from_str's answer to a word it does not know.
    spdlog::warn("LOGVAULT_LOG_LEVEL={} is none of trace debug info warning error; taking info",
                 wanted);
    return;
  }
  spdlog::set_level(level);
}

}  // namespace logvault::config
