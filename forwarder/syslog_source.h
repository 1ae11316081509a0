// SyslogSource: the stream of a network listener: UDP, TCP and a Unix datagram socket.
//
// A record is a datagram as received, or a TCP message without its octet count; its origin is the sender's address.
// What arrives waits in a bounded queue; when that is full nothing is read: TCP senders wait, and the kernel counts the
// datagrams it drops, which becomes a gap record.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "config/forwarder_config.h"
#include "formats/event_time.h"
#include "forwarder/source.h"
#include "forwarder/syslog_framing.h"

namespace logvault::forwarder {

inline constexpr std::size_t kMaxQueuedBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxSyslogConnections =
    128;  // further ones are closed at once, and counted

class SyslogSource final : public Source {
 public:
  // Binds every address that `config` names.  `clock` must outlive the source.
  static Result<std::unique_ptr<SyslogSource>> Open(const config::SourceConfig& config,
                                                    formats::TimeZone zone, const Clock& clock);
  ~SyslogSource() override;

  Outcome Read(OpenBatch& batch) override;
  void Watch() override;
  std::vector<evidence::PositionEntry> TakePosition() override { return {}; }
  bool Resume(const std::vector<evidence::PositionEntry>&, bool) override { return false; }
  OwnRecords TakeOwnRecords() override;
  [[nodiscard]] SourceState state() const override;
  [[nodiscard]] bool reads_again() const override { return false; }
  [[nodiscard]] int poll_fd() const override { return full() ? -1 : epoll_fd_; }

  // The ports bound; 0 where there is none.
  [[nodiscard]] std::uint16_t udp_port() const { return udp_port_; }
  [[nodiscard]] std::uint16_t tcp_port() const { return tcp_port_; }

 private:
  enum class Kind { kDatagram, kListener, kConnection };
  struct Socket {
    Kind kind = Kind::kDatagram;
    std::string origin;         // of a connection, or of a Unix socket's senders
    SyslogFraming framing;      // of a connection
    std::uint32_t dropped = 0;  // by the kernel, as last told
  };
  struct Message {
    std::string bytes;
    std::string origin;
    UnixNanos read_time = 0;
    std::uint32_t flags = 0;
  };

  SyslogSource(std::string name, formats::TimeZone zone, const Clock& clock);

  Status Bind(const std::string& address, int type, std::uint16_t* port);
  Status BindUnix(const std::string& path);
  Status Watch(int fd, Socket socket);
  void Receive();
  void ReceiveDatagrams(int fd, Socket& socket);
  void Accept(int fd);
  bool ReceiveStream(int fd, Socket& socket);
  void Close(int fd);
  void Queue(std::string_view bytes, const std::string& origin, std::uint32_t flags);
  void CountDrops(Socket& socket, std::uint32_t now);
  [[nodiscard]] bool full() const { return queued_bytes_ >= kMaxQueuedBytes; }

  const std::string name_;
  const Clock& clock_;
  formats::TimeContext times_;
  int epoll_fd_ = -1;
  std::map<int, Socket> sockets_;
  std::size_t connections_ = 0;
  std::uint64_t refused_connections_ = 0;
  std::uint64_t dropped_ = 0;  // datagrams not told yet
  std::uint16_t udp_port_ = 0;
  std::uint16_t tcp_port_ = 0;
  std::deque<Message> queue_;
  std::size_t queued_bytes_ = 0;
  std::string scratch_;  // one receive
};

}  // namespace logvault::forwarder
