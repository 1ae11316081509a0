#include "server/ingest_context.h"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

namespace logvault::server {

std::uint32_t IngestContext::FlushIntervalMs() const {
  return committer.queued_bytes() > storage::kDefaultQueueBytes / 2 ? kFlushMaxMs
                                                                    : pace.interval_ms();
}

void IngestContext::Raise(storage::Entry alert) const {
  spdlog::warn("alert: {}", alert.body);
  std::vector<storage::Entry> entries;
  entries.push_back(std::move(alert));
  const Status queued =
      committer.Submit(std::move(entries), [](const Result<storage::Commit>& commit) {
        if (!commit.ok())
          spdlog::error("an alert was not recorded: {}", commit.status().ToString());
      });
  if (!queued.ok()) spdlog::error("an alert was not recorded: {}", queued.ToString());
}

}  // namespace logvault::server
