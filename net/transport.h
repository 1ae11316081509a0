// What must be settled for the whole process before gRPC starts: TLS 1.3 only, and where gRPC's own
// log goes.
#pragma once

namespace logvault::net {

// Called from any thread with a line of gRPC's log.  Must not call gRPC.
using TransportLog = void (*)(bool is_error, const char* text);

// gRPC 1.51 has no call for the least TLS version.  Its list of cipher suites, an environment
// variable that is read once, only concerns TLS up to 1.2: with a suite in it that no certificate
// of ours can use, 1.2 finds nothing in common and 1.3 is what remains.  `log` may be null: then
// gRPC's log is dropped (failures come back as Status anyway).  The first call decides;
// ConnectIngest, ConnectQuery and StartListener make it themselves, so only a program that wants
// the log calls it, first in main, while it has one thread.
void StartTransport(TransportLog log);

}  // namespace logvault::net
