// The pipes that look at one row at a time: fields, where, uniq, limit.
#include <unordered_set>

#include "query/stage.h"

namespace logvault::query {
namespace {

std::vector<FieldReader> ReadersOf(const Pipe& pipe) {
  std::vector<FieldReader> readers;
  for (const std::string& name : pipe.names) readers.emplace_back(pipe, name);
  return readers;
}

class FieldsStage final : public Stage {
 public:
  FieldsStage(const Pipe& pipe, Stage& next) : next_(next), fields_(ReadersOf(pipe)) {}

  Status Take(const Tuple& tuple) override {
    TableRow row;
    row.reserve(fields_.size());
    for (const FieldReader& field : fields_) row.push_back(field.Read(tuple));
    return next_.Take({nullptr, &row});
  }
  Status Finish() override { return next_.Finish(); }
  [[nodiscard]] bool Full() const override { return next_.Full(); }

 private:
  Stage& next_;
  const std::vector<FieldReader> fields_;
};

class WhereStage final : public Stage {
 public:
  WhereStage(const Pipe& pipe, Stage& next)
      : next_(next), where_(pipe.where), columns_(pipe.input_columns) {}

  Status Take(const Tuple& tuple) override {
    const bool fits = tuple.subject != nullptr ? Matches(where_, *tuple.subject)
                                               : Matches(where_, columns_, *tuple.row);
    return fits ? next_.Take(tuple) : Status::Ok();
  }
  Status Finish() override { return next_.Finish(); }
  [[nodiscard]] bool Full() const override { return next_.Full(); }

 private:
  Stage& next_;
  const Expression where_;
  const std::vector<std::string> columns_;
};

class UniqStage final : public Stage {
 public:
  UniqStage(const Pipe& pipe, Stage& next, PipeMemory& memory)
      : next_(next), memory_(memory), fields_(ReadersOf(pipe)) {}

  Status Take(const Tuple& tuple) override {
    return ForEachCombination(fields_, tuple, [this](const TableRow& row) {
      std::string key = KeyOf(row);
      const std::size_t bytes = key.size() + kEntryBytes;
      if (!seen_.insert(std::move(key)).second) return Status::Ok();
      LV_RETURN_IF_ERROR(memory_.Take(bytes, "uniq"));
      return next_.Take({nullptr, &row});
    });
  }
  Status Finish() override { return next_.Finish(); }
  [[nodiscard]] bool Full() const override { return next_.Full(); }

 private:
  static constexpr std::size_t kEntryBytes = 80;

  Stage& next_;
  PipeMemory& memory_;
  const std::vector<FieldReader> fields_;
  std::unordered_set<std::string> seen_;
};

class LimitStage final : public Stage {
 public:
  LimitStage(std::uint64_t count, Stage& next, bool* cut) : next_(next), left_(count), cut_(cut) {}

  Status Take(const Tuple& tuple) override {
    if (left_ == 0) {
      full_ = *cut_ = true;
      return Status::Ok();
    }
    --left_;
    return next_.Take(tuple);
  }
  Status Finish() override { return next_.Finish(); }
  [[nodiscard]] bool Full() const override { return full_ || next_.Full(); }

 private:
  Stage& next_;
  std::uint64_t left_;
  bool full_ = false;
  bool* const cut_;
};

}  // namespace

std::unique_ptr<Stage> MakeFields(const Pipe& pipe, Stage& next) {
  return std::make_unique<FieldsStage>(pipe, next);
}
std::unique_ptr<Stage> MakeWhere(const Pipe& pipe, Stage& next) {
  return std::make_unique<WhereStage>(pipe, next);
}
std::unique_ptr<Stage> MakeUniq(const Pipe& pipe, Stage& next, PipeMemory& memory) {
  return std::make_unique<UniqStage>(pipe, next, memory);
}
std::unique_ptr<Stage> MakeLimit(std::uint64_t count, Stage& next, bool* cut) {
  return std::make_unique<LimitStage>(count, next, cut);
}

}  // namespace logvault::query
