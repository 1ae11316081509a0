// TlsServer: the server's side of TLS for senders of logs (RFC 5425), in memory: bytes of a connection in, text and bytes
// for the connection out.  Whoever has the socket moves them.
//
// It presents a certificate of this host.  A sender need not have one; where it presents one, that must be of the
// vault's authority and valid, and not revoked where there is a list.  TLS 1.2 or later: what senders in the field speak.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/clock.h"
#include "common/status.h"

struct ssl_st;
struct ssl_ctx_st;

namespace logvault::pki {

class SenderList;

// One connection's.  Not for several threads.
class TlsSession {
 public:
  // Takes what came and appends the text in it to `*text`.  kUnauthenticated, saying why, where the handshake fails or
  // the bytes are no TLS, or the peer's certificate is revoked by now: the connection is to be closed once TakeOutput()
  // is sent.
  Status Feed(std::string_view bytes, std::string* text);
  // What the peer must be sent.
  std::string TakeOutput();
  [[nodiscard]] bool established() const;
  // The peer said that it is done.
  [[nodiscard]] bool closed() const { return closed_; }
  // Whom the peer's certificate names: its URI, else its common name.  Empty where it presented none.
  [[nodiscard]] std::string peer_name() const;

 private:
  friend class TlsServer;
  struct Closer {
    void operator()(ssl_st* ssl) const;
  };
  TlsSession(ssl_st* ssl, std::shared_ptr<SenderList> revoked)
      : ssl_(ssl), revoked_(std::move(revoked)) {}
  Status Failed() const;
  Status CheckRevocation();

  std::unique_ptr<ssl_st, Closer> ssl_;
  const std::shared_ptr<SenderList> revoked_;  // may be null
  bool closed_ = false;
};

struct TlsServerFiles {
  std::string ca, cert, key;  // PEM
  std::string crl;            // of senders' certificates; empty: none is checked
};

class TlsServer {
 public:
  // kInvalidArgument, naming the file, where they cannot be used.  `clock` must outlive the server and its sessions.
  static Result<std::unique_ptr<TlsServer>> Open(TlsServerFiles files, const Clock& clock);
  ~TlsServer();

  // For a connection that was just accepted.  Changed files are read first; where they cannot be used the last good
  // ones serve on, and `*trouble` says why.
  Result<std::unique_ptr<TlsSession>> Accept(Status* trouble);

 private:
  struct Closer {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, Closer>;

  explicit TlsServer(TlsServerFiles files) : files_(std::move(files)) {}
  [[nodiscard]] Result<Context> Load() const;
  [[nodiscard]] std::string Stamp() const;

  const TlsServerFiles files_;
  Context context_;
  std::string stamp_;  // of the files as last read
  std::shared_ptr<SenderList> revoked_;
};

}  // namespace logvault::pki
