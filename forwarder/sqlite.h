// The little of SQLite's C interface that the spool needs, with Status for errors and an owner for every
// handle.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace logvault::forwarder {

// One prepared statement, used and reset many times.  Bound views must live until Reset().
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept : statement_(other.statement_) {
    other.statement_ = nullptr;
  }
  Statement& operator=(Statement&& other) noexcept;

  Statement& Bind(int index, std::int64_t value);
  Statement& BindText(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);

  // True where a row is there to read, false at the end.
  Result<bool> Step();
  // Runs to the end and resets.
  Status Run();
  void Reset();

  [[nodiscard]] std::int64_t Int(int column) const;
  [[nodiscard]] std::string Text(int column) const;
  [[nodiscard]] std::string Blob(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// One connection.  Not for several threads at once.
class Database {
 public:
  static Result<Database> Open(const std::string& path);
  // Of a file that another connection may be writing to.  Leaves the file and its log as they are.
  static Result<Database> OpenReadOnly(const std::string& path);
  ~Database();
  Database(Database&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  Database& operator=(Database&&) = delete;

  Status Execute(const char* sql);
  Result<Statement> Prepare(std::string_view sql);
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] std::int64_t changes() const;

 private:
  static Result<Database> OpenWith(const std::string& path, int flags);
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_;
};

// Calls `row` for each row of `sql`.
template <typename Row>
Status ForEachRow(Database& db, std::string_view sql, Row row) {
  Result<Statement> select = db.Prepare(sql);
  if (!select.ok()) return select.status();
  for (;;) {
    Result<bool> more = select->Step();
    if (!more.ok()) return more.status();
    if (!*more) return Status::Ok();
    row(*select);
  }
}

// Rolls back unless Commit() succeeded.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& db);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  Status Commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace logvault::forwarder
