// SyslogListener: the thread that owns a syslog source's sockets and takes in what senders send.
//
// No sender waits for the vault.  Datagrams, UDP's and a Unix socket's, are taken at once; where the queue is full they
// are dropped and counted.  TCP and TLS senders are kept waiting while it is full, but no longer than `sender_wait_nanos`:
// then they are read again, and what finds no room is dropped and counted too.
//
// Who sends faster than `sender_rate` does not push out the others: datagrams beyond it are dropped and counted,
// connections are read no faster.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "config/forwarder_config.h"
#include "forwarder/listening_socket.h"
#include "forwarder/message_queue.h"
#include "forwarder/sender_limits.h"
#include "forwarder/syslog_connection.h"
#include "forwarder/syslog_notices.h"
#include "pki/tls_server.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxSyslogConnections = 256;
// A longer one, which only a Unix socket can bring, is cut.
inline constexpr std::size_t kMaxDatagramBytes = 256 * 1024;
// Of one address, so that one host cannot keep the others out.
inline constexpr std::size_t kMaxConnectionsOfOneAddress = 64;
// Where there are too many, one that was silent this long makes room.
inline constexpr std::int64_t kIdleNanos = 60 * kNanosPerSecond;
// Of all unfinished messages together; beyond, they are cut into pieces.
inline constexpr std::size_t kMaxUnfinishedBytes = 8 * 1024 * 1024;
inline constexpr std::int64_t kSenderWaitMaxNanos = 30 * kNanosPerSecond;

struct SyslogListenerOptions {
  std::string udp, tcp, tls, unix_path;  // empty: none
  pki::TlsServerFiles files;             // for tls
  std::int64_t sender_wait_nanos = kSenderWaitMaxNanos;
  std::uint64_t sender_rate = 0;  // bytes a second of one address, and of a Unix socket; 0: any
};

class SyslogListener {
 public:
  // Binds every address.  `queue` and `clock` must outlive the listener.
  static Result<std::unique_ptr<SyslogListener>> Open(SyslogListenerOptions options,
                                                      MessageQueue& queue, const Clock& clock);
  ~SyslogListener();

  // Takes what the kernel holds, closes every socket and removes the Unix socket's path.
  void Stop();
  SyslogNotices& notices() { return notices_; }

  // The ports bound; 0 where there is none.
  [[nodiscard]] std::uint16_t udp_port() const { return udp_port_; }
  [[nodiscard]] std::uint16_t tcp_port() const { return tcp_port_; }
  [[nodiscard]] std::uint16_t tls_port() const { return tls_port_; }

 private:
  struct Datagrams {
    int fd = -1;
    std::shared_ptr<const std::string> origin;  // of a Unix socket's senders
    std::uint32_t dropped = 0;                  // by the kernel, as last told
  };
  struct Acceptor {
    int fd = -1;
    bool tls = false;
  };
  using Connections = std::list<SyslogConnection>;

  SyslogListener(SyslogListenerOptions options, MessageQueue& queue, const Clock& clock);
  Status Bind();
  Status BindDatagrams(Result<BoundSocket> bound, std::shared_ptr<const std::string> origin,
                       std::uint16_t* port);
  Status BindAcceptor(const std::string& address, bool tls, std::uint16_t* port);

  void Run();
  void WaitAndTake();
  void WatchConnections(bool read, std::vector<pollfd>& waiting, std::int64_t& wait) const;
  bool MayRead();
  void TakeDatagrams(Datagrams& socket);
  void CountKernelDrops();
  bool Accept(const Acceptor& acceptor);
  bool MakeRoomFor(const std::string& address);
  bool TakeFrom(SyslogConnection& connection);
  bool Receive(SyslogConnection& connection);
  void CutUnfinished();
  void CloseOverdue();
  void TakeTheRest();

  const SyslogListenerOptions options_;
  MessageQueue& queue_;
  const Clock& clock_;
  SyslogNotices notices_;
  SenderLimits limits_;
  std::unique_ptr<pki::TlsServer> tls_;
  std::vector<Datagrams> datagrams_;
  std::vector<Acceptor> acceptors_;
  Connections connections_;
  std::uint64_t accepted_ = 0;
  std::int64_t full_since_ = -1;  // Clock::Monotonic; -1: there is room
  std::int64_t next_count_ = INT64_MIN;
  std::uint16_t udp_port_ = 0, tcp_port_ = 0, tls_port_ = 0;
  std::string scratch_;  // one datagram
  Doorbell stop_;
  std::atomic<bool> stopping_{false};
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace logvault::forwarder
