// Status and Result: how every function of logvault reports failure.
//
// Errors are ordinary return values (no exceptions cross our code).  The codes are those of gRPC that
// we use, so that net/ maps them one to one; `kCorruption` is gRPC's DATA_LOSS.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "common/check.h"

namespace logvault {

enum class StatusCode {
  kOk,
  kCancelled,        // the caller went away or asked to stop
  kInvalidArgument,  // their input is wrong, whatever our state
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,    // known, but not allowed
  kUnauthenticated,     // not known
  kResourceExhausted,   // a stated limit is reached; later it may work
  kFailedPrecondition,  // our state does not allow it; a person must act
  kAborted,             // lost a race or a session; start over
  kOutOfRange,
  kDeadlineExceeded,
  kUnavailable,  // try again
  kCorruption,   // bytes are not what they must be: evidence of damage or tampering
  kIntegrity,    // a signed statement contradicts another: a fork or a rollback
  kInternal,     // our mistake
};

std::string_view ToString(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return {}; }

  [[nodiscard]] bool ok() const { return code_ == StatusCode::kOk; }
  [[nodiscard]] StatusCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  // "CORRUPTION: block 7: ..." or "OK".
  [[nodiscard]] std::string ToString() const;

  // The same failure with `context` and ": " before its message; OK stays OK.
  [[nodiscard]] Status WithContext(std::string_view context) const;

  bool operator==(const Status&) const = default;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

std::ostream& operator<<(std::ostream& out, const Status& status);

Status Cancelled(std::string message);
Status InvalidArgument(std::string message);
Status NotFound(std::string message);
Status AlreadyExists(std::string message);
Status PermissionDenied(std::string message);
Status Unauthenticated(std::string message);
Status ResourceExhausted(std::string message);
Status FailedPrecondition(std::string message);
Status Aborted(std::string message);
Status OutOfRange(std::string message);
Status DeadlineExceeded(std::string message);
Status Unavailable(std::string message);
Status Corruption(std::string message);
Status Integrity(std::string message);
Status Internal(std::string message);

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    LV_CHECK(!status_.ok());
  }

  [[nodiscard]] bool ok() const { return value_.has_value(); }
  [[nodiscard]] const Status& status() const { return status_; }

  T& operator*() & {
    LV_CHECK(ok());
    return *value_;
  }
  const T& operator*() const& {
    LV_CHECK(ok());
    return *value_;
  }
  T&& operator*() && {
    LV_CHECK(ok());
    return *std::move(value_);
  }
  T* operator->() {
    LV_CHECK(ok());
    return &*value_;
  }
  const T* operator->() const {
    LV_CHECK(ok());
    return &*value_;
  }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace logvault

// Returns the Status of `expression` from the enclosing function unless it is OK.
#define LV_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                  \
    if (::logvault::Status lv_status = (expression); !lv_status.ok()) return lv_status; \
  } while (false)
