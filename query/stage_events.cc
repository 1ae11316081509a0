// events: records that tell of one event, seen as one.
//
// Audit records belong together by (time, serial) within a stream.  They may stand apart, other events between them: an event
// is closed once a record so many numbers behind its last one comes.  SQL Server's "Error: 18456, ..." belongs with the record
// right behind it of the same time and process.  Every other record is an event of its own.
#include <deque>
#include <optional>

#include "common/check.h"
#include "formats/event_fields.h"
#include "query/held_tuple.h"

namespace logvault::query {
namespace {

constexpr std::uint64_t kEventSpan = 1000;        // numbers of the stream
constexpr std::size_t kRecordsOfEventMax = 4096;  // further ones begin another event

struct Event {
  HeldTuple first;
  std::string key;  // empty: nothing else belongs to it
  std::vector<std::string> texts;
  std::uint64_t last_seq = 0;
  std::size_t bytes = 0;
};

// What records of one event have in common; empty for a record that stands alone.  `neighbours`: only the next record can
// belong to it.
std::string KeyOfEvent(Subject& subject, bool* neighbours) {
  const Row& row = subject.row();
  *neighbours = row.format == formats::Format::kSqlserver;
  const std::string_view part = formats::ValueOf(
      subject.fields(), row.format == formats::Format::kAuditd ? "serial" : "sql.process");
  const bool joins = row.format == formats::Format::kAuditd || *neighbours;
  if (!joins || part.empty()) return {};
  return std::to_string(row.time()) + ' ' + std::string(part);
}

class EventsStage final : public Stage {
 public:
  EventsStage(Stage& next, PipeMemory& memory) : next_(next), memory_(memory) {}

  Status Take(const Tuple& tuple) override {
    Subject& subject = *tuple.subject;
    const Row& row = subject.row();
    const std::string stream = std::string(row.host) + '\n' + std::string(row.source);
    if (stream != stream_) LV_RETURN_IF_ERROR(CloseAll());
    stream_ = stream;
    LV_RETURN_IF_ERROR(CloseBefore(row.seq));
    bool neighbours = false;
    std::string key = KeyOfEvent(subject, &neighbours);
    if (Event* event = Find(key, neighbours, row.seq)) return Join(*event, subject);
    // Of SQL Server's records only an error's first one waits for another.
    if (neighbours && formats::ValueOf(subject.fields(), "sql.error").empty()) key.clear();
    return Open(std::move(key), tuple);
  }

  Status Finish() override {
    LV_RETURN_IF_ERROR(CloseAll());
    return next_.Finish();
  }
  [[nodiscard]] bool Full() const override { return next_.Full(); }

 private:
  Event* Find(const std::string& key, bool neighbours, std::uint64_t seq) {
    if (key.empty()) return nullptr;
    for (auto event = open_.rbegin(); event != open_.rend(); ++event) {
      if (event->key != key || event->texts.size() >= kRecordsOfEventMax) continue;
      if (!neighbours || (event->last_seq + 1 == seq && event->texts.size() == 1)) return &*event;
    }
    return nullptr;
  }

  Status Open(std::string key, const Tuple& tuple) {
    Event event{
        HeldTuple(tuple), std::move(key), {tuple.subject->text()}, tuple.subject->row().seq, 0};
    event.bytes = event.first.bytes() + event.texts[0].size();
    LV_RETURN_IF_ERROR(memory_.Take(event.bytes, "events"));
    open_.push_back(std::move(event));
    return Status::Ok();
  }

  Status Join(Event& event, Subject& subject) {
    const std::string& text = subject.text();
    LV_RETURN_IF_ERROR(memory_.Take(text.size() + sizeof(std::string), "events"));
    event.bytes += text.size() + sizeof(std::string);
    event.texts.push_back(text);
    event.last_seq = subject.row().seq;
    return Status::Ok();
  }

  // In the order of their first records.
  Status CloseBefore(std::uint64_t seq) {
    while (!open_.empty() &&
           (open_.front().key.empty() || open_.front().last_seq + kEventSpan < seq)) {
      LV_RETURN_IF_ERROR(CloseFirst());
    }
    return Status::Ok();
  }
  Status CloseAll() {
    while (!open_.empty()) LV_RETURN_IF_ERROR(CloseFirst());
    return Status::Ok();
  }

  Status CloseFirst() {
    const Event event = std::move(open_.front());
    open_.pop_front();
    memory_.Return(event.bytes);
    if (next_.Full()) return Status::Ok();
    const Subject* first = event.first.tuple().subject;
    LV_CHECK(first != nullptr);  // Open was given one
    const Row& row = first->row();
    std::string text;
    for (const std::string& part : event.texts) text += (text.empty() ? "" : "\n") + part;
    Subject joined(row, std::move(text),
                   row.format == formats::Format::kAuditd
                       ? formats::ParseAuditEvent(event.texts)
                       : formats::JoinFields(row.format, event.texts));
    return next_.Take({&joined, nullptr});
  }

  Stage& next_;
  PipeMemory& memory_;
  std::string stream_;
  std::deque<Event> open_;
};

}  // namespace

std::unique_ptr<Stage> MakeEvents(Stage& next, PipeMemory& memory) {
  return std::make_unique<EventsStage>(next, memory);
}

}  // namespace logvault::query
