#include "server/refusal.h"

namespace logvault::server {

bool WillStayWrong(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
    case StatusCode::kOutOfRange:
    case StatusCode::kCorruption:
    case StatusCode::kIntegrity:
      return true;
    case StatusCode::kOk:
    case StatusCode::kCancelled:
    case StatusCode::kAlreadyExists:
    case StatusCode::kResourceExhausted:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kUnavailable:
    case StatusCode::kInternal:
      return false;
  }  // No default: the compiler names any code added and not judged.
  return false;
}

Status OurFault(const Status& status) {
  return Unavailable("the vault could not be read: " + status.message());
}

}  // namespace logvault::server
