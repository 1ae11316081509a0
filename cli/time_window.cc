#include "cli/time_window.h"

#include "query/time_argument.h"

namespace logvault::cli {

Result<TimeWindow> ReadTimeWindow(const std::string& since, const std::string& until, UnixNanos now,
                                  const formats::TimeZone& zone) {
  TimeWindow window;
  auto read = [&](const std::string& text, const char* flag, std::optional<UnixNanos>& time) {
    if (text.empty()) return Status::Ok();
    Result<UnixNanos> parsed = query::ParseTimeOrAge(text, now, zone);
    if (!parsed.ok()) return parsed.status().WithContext(flag);
    time = *parsed;
    return Status::Ok();
  };
  LV_RETURN_IF_ERROR(read(since, "--since", window.since));
  LV_RETURN_IF_ERROR(read(until, "--until", window.until));
  if (window.since && window.until && *window.since >= *window.until)
    return InvalidArgument("--since is not before --until: the window is empty");
  return window;
}

}  // namespace logvault::cli
