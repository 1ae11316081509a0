// The columns of a payload that are more than a list of varints: runs, times, and where records end.  Byte layout:
// docs/FORMAT.md, section "Payload"; this file and that section change together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/clock.h"

namespace logvault::evidence {

// A column of few distinct values: each as (value, how many times more it repeats).
class RunWriter {
 public:
  void Add(std::uint64_t value) {
    if (count_ == 0 || value != value_) {
      Flush();
      value_ = value;
    }
    ++count_;
  }
  // Writes the column and begins anew.
  void Write(ByteWriter& out);

 private:
  void Flush();

  std::string bytes_;
  std::uint64_t value_ = 0;
  std::uint64_t count_ = 0;
};

class RunReader {
 public:
  std::uint64_t Next(ByteReader& in) {
    if (left_ == 0) Begin(in);
    --left_;
    return value_;
  }
  // Every run was used up by the rows.
  [[nodiscard]] bool Exhausted() const { return left_ == 0; }

 private:
  void Begin(ByteReader& in);

  std::uint64_t value_ = 0;
  std::uint64_t left_ = 0;
};

// Times as the logs write them, each in the coarsest unit that holds it: what their text varies in is all that is stored.
class TimeWriter {
 public:
  // kNoTime is one too.
  void Add(UnixNanos time);
  // Writes the column and begins anew.
  void Write(ByteWriter& out);

 private:
  std::string units_, seconds_, fractions_;
  std::int64_t second_before_ = 0;
};

// Fails the reader where the column is not one of `count` times.
std::vector<UnixNanos> ReadTimes(ByteReader& in, std::size_t count);

// Where a record ends: behind the LF of its last line, so that nothing need be stored but the number of lines, nearly
// always 1; or, where it ends otherwise, after `size` bytes.
struct RecordEnd {
  std::uint32_t lines = 0;  // 0: by size
  std::uint32_t size = 0;

  static RecordEnd Of(std::string_view record);
  // Fails the reader where a number is beyond 32 bits.
  static RecordEnd Read(ByteReader& in);
  void Write(ByteWriter& out) const;

  // The size of the record that `rest` begins with; npos where `rest` does not hold its end.
  [[nodiscard]] std::size_t Find(std::string_view rest) const;
};

}  // namespace logvault::evidence
