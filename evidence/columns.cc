#include "evidence/columns.h"

#include <array>
#include <utility>

namespace logvault::evidence {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// How a time is written: by its index here.  0 is no time.
struct Unit {
  std::int64_t nanos;  // of the fraction's last digit
  std::size_t bytes;   // of the fraction
};
constexpr std::array<Unit, 5> kUnits = {{
    {0, 0},                // none
    {kNanosPerSecond, 0},  // seconds
    {1'000'000, 2},        // milliseconds
    {1'000, 3},            // microseconds
    {1, 4},                // nanoseconds
}};

// False where the time is beyond a UnixNanos.  REQUIRES: 0 <= nanos < kNanosPerSecond.
bool Join(std::int64_t second, std::int64_t nanos, UnixNanos* time) {
  // Towards 0, so that the first second that a UnixNanos reaches is one although its beginning is not.
  if (second < 0) {
    ++second;
    nanos -= kNanosPerSecond;
  }
  return !__builtin_mul_overflow(second, kNanosPerSecond, time) &&
         !__builtin_add_overflow(*time, nanos, time) && *time != kNoTime;
}

std::size_t UnitOf(std::int64_t nanos) {
  std::size_t unit = 1;
  while (nanos % kUnits[unit].nanos != 0) ++unit;
  return unit;
}

}  // namespace

void RunWriter::Flush() {
  if (count_ == 0) return;
  ByteWriter writer(bytes_);
  writer.Varint(value_);
  writer.Varint(count_ - 1);
  count_ = 0;
}

void RunWriter::Write(ByteWriter& out) {
  Flush();
  out.Bytes(bytes_);
  bytes_.clear();
}

void RunReader::Begin(ByteReader& in) {
  value_ = in.Varint();
  left_ = in.Varint();
  if (left_ == UINT64_MAX) in.Fail();
  ++left_;
}

void TimeWriter::Add(UnixNanos time) {
  if (time == kNoTime) {
    units_.push_back(0);
    return;
  }
  std::int64_t second = time / kNanosPerSecond, nanos = time % kNanosPerSecond;
  if (nanos < 0) {
    --second;
    nanos += kNanosPerSecond;
  }
  const std::size_t unit = UnitOf(nanos);
  units_.push_back(static_cast<char>(unit));
  ByteWriter(seconds_).SignedVarint(second - std::exchange(second_before_, second));
  const auto fraction = static_cast<std::uint64_t>(nanos / kUnits[unit].nanos);
  for (std::size_t i = kUnits[unit].bytes; i-- > 0;)
    fractions_.push_back(static_cast<char>(fraction >> (8 * i)));
}

void TimeWriter::Write(ByteWriter& out) {
  for (std::string* column : {&units_, &seconds_, &fractions_}) {
    out.Bytes(*column);
    column->clear();
  }
  second_before_ = 0;
}

std::vector<UnixNanos> ReadTimes(ByteReader& in, std::size_t count) {
  const std::string_view units = in.Bytes(count);
  std::vector<std::int64_t> seconds(units.size());
  std::int64_t second = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i] == 0) continue;
    if (__builtin_add_overflow(second, in.SignedVarint(), &second)) in.Fail();
    seconds[i] = second;
  }
  std::vector<UnixNanos> times(units.size(), kNoTime);
  for (std::size_t i = 0; i < units.size() && in.ok(); ++i) {
    const auto unit = static_cast<std::uint8_t>(units[i]);
    if (unit == 0) continue;
    if (unit >= kUnits.size()) {
      in.Fail();
      break;
    }
    std::int64_t nanos = 0;
    for (const char byte : in.Bytes(kUnits[unit].bytes))
      nanos = nanos << 8 | static_cast<std::uint8_t>(byte);
    nanos *= kUnits[unit].nanos;
    if (nanos >= kNanosPerSecond || !Join(seconds[i], nanos, &times[i])) in.Fail();
  }
  return times;
}

RecordEnd RecordEnd::Of(std::string_view record) {
  if (!record.ends_with('\n')) return {0, static_cast<std::uint32_t>(record.size())};
  RecordEnd end;
  for (std::size_t at = 0; at != record.size(); ++end.lines) at = record.find('\n', at) + 1;
  return end;
}

RecordEnd RecordEnd::Read(ByteReader& in) {
  const std::uint64_t lines = in.Varint();
  const std::uint64_t size = lines == 0 ? in.Varint() : 0;
  if (lines > UINT32_MAX || size > UINT32_MAX) in.Fail();
  return {static_cast<std::uint32_t>(lines), static_cast<std::uint32_t>(size)};
}

void RecordEnd::Write(ByteWriter& out) const {
  out.Varint(lines);
  if (lines == 0) out.Varint(size);
}

std::size_t RecordEnd::Find(std::string_view rest) const {
  if (lines == 0) return size <= rest.size() ? size : kNone;
  std::size_t end = 0;
  for (std::uint32_t line = 0; line < lines; ++line) {
    const std::size_t lf = rest.find('\n', end);
    if (lf == kNone) return kNone;
    end = lf + 1;
  }
  return end;
}

}  // namespace logvault::evidence
