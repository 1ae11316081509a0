#include "server/row_sender.h"

#include "formats/format.h"
#include "net/access.h"
#include "query/messages.h"

namespace logvault::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRowsEventBytes = 128 * 1024;
constexpr std::chrono::milliseconds kRowsWaitMax{100};  // first rows are seen early
constexpr std::chrono::milliseconds kProgressInterval{250};
constexpr std::size_t kRowOverheadBytes = 64;  // about, beside the record

}  // namespace

bool RowSender::Add(const query::Row& row) {
  v1::Rows& rows = *event_.mutable_rows();
  v1::Row& added = *rows.add_rows();
  added.set_stream(IdOf(row, rows));
  query::FillRow(row, added);
  bytes_ += row.bytes.size() + row.origin.size() + kRowOverheadBytes;
  return Due() ? Flush() : true;
}

bool RowSender::AddTableRow(const query::TableRow& row) {
  bytes_ += kRowOverheadBytes + query::FillTableRow(row, *event_.mutable_table()->add_rows());
  return Due() ? Flush() : true;
}

bool RowSender::Flush() {
  last_sent_ = SteadyClock::now();
  if (bytes_ == 0) return true;
  bytes_ = 0;
  for (const v1::Row& row : event_.rows().rows()) {
    access_.AddRow(net::ResultRow(names_[row.stream()], row));
  }
  for (const v1::TableRow& row : event_.table().rows()) access_.AddRow(net::ResultRow(row));
  return stream_.Send(std::exchange(event_, {}));
}

bool RowSender::Progress(const query::SearchProgress& progress) {
  if (SteadyClock::now() - last_progress_ < kProgressInterval) return true;
  last_progress_ = SteadyClock::now();
  if (!Flush()) return false;
  v1::SearchEvent event;
  event.mutable_progress()->set_blocks_done(progress.blocks_done);
  event.mutable_progress()->set_blocks_in_scope(progress.blocks_in_scope);
  event.mutable_progress()->set_blocks_pruned(progress.blocks_pruned);
  event.mutable_progress()->set_matches(progress.matches);
  return stream_.Send(std::move(event));
}

bool RowSender::Due() const {
  return bytes_ >= kRowsEventBytes || SteadyClock::now() - last_sent_ >= kRowsWaitMax;
}

void FillUnreadable(const query::Unreadable& unreadable, v1::UnreadableBlock& block) {
  block.set_block(unreadable.block);
  block.set_host(unreadable.host);
  block.set_source(unreadable.source);
  block.set_first_seq(unreadable.first_seq);
  block.set_last_seq(unreadable.last_seq);
  block.set_reason(unreadable.reason);
  block.set_integrity(unreadable.integrity);
}

// Streams are named once in an answer, then by number.
std::uint32_t RowSender::IdOf(const query::Row& row, v1::Rows& rows) {
  const auto [known, is_new] = ids_.try_emplace({std::string(row.host), std::string(row.source)},
                                                static_cast<std::uint32_t>(ids_.size()));
  if (is_new) {
    v1::StreamName& name = *rows.add_streams();
    name.set_id(known->second);
    name.set_host(std::string(row.host));
    name.set_source(std::string(row.source));
    name.set_format(std::string(formats::NameOf(row.format)));
    names_.push_back(name);
  }
  return known->second;
}

}  // namespace logvault::server
