#include "pki/tls_server.h"

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <utility>

#include "pki/openssl.h"
#include "pki/revocation.h"

namespace logvault::pki {

namespace {

// The first byte of every connection that speaks TLS: a handshake record.
constexpr char kHandshakeRecord = 0x16;

// The newest entry of OpenSSL's queue.
std::string LastError() {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long code = ::ERR_peek_last_error_all(nullptr, nullptr, nullptr, &data, &flags);
  if (code == 0) return "unknown error";
  const char* reason = ::ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

// The URI in the certificate's alternative names, or nothing.
std::string UriOf(X509* certificate) {
  const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    return {reinterpret_cast<const char*>(::ASN1_STRING_get0_data(uri)),
            static_cast<std::size_t>(::ASN1_STRING_length(uri))};
  }
  return "";
}

std::string CommonNameOf(X509* certificate) {
  constexpr int kNameBytes = 256;
  char name[kNameBytes] = "";
  const int size = ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName,
                                               name, kNameBytes);
  return size > 0 ? std::string(name, static_cast<std::size_t>(size)) : "";
}

constexpr std::int64_t kListPauseNanos = 5 * kNanosPerSecond;

}  // namespace

// Which senders' certificates are revoked.  An open connection looks at the file too, since it may last for years.
class SenderList {
 public:
  SenderList(std::unique_ptr<RevocationFile> file, const Clock& clock)
      : file_(std::move(file)), clock_(clock), next_look_(clock.Monotonic() + kListPauseNanos) {}

  Status Refresh() {
    next_look_ = clock_.Monotonic() + kListPauseNanos;
    return file_->Refresh();
  }
  bool IsRevoked(const std::string& serial_hex) {
    // Where the file cannot be used the last good list holds; the next connection's Accept says why.
    if (clock_.Monotonic() >= next_look_) (void)Refresh();
    return file_->IsRevoked(serial_hex);
  }

 private:
  const std::unique_ptr<RevocationFile> file_;
  const Clock& clock_;
  std::int64_t next_look_;  // Clock::Monotonic
};

void TlsSession::Closer::operator()(ssl_st* ssl) const { ::SSL_free(ssl); }
void TlsServer::Closer::operator()(ssl_ctx_st* context) const { ::SSL_CTX_free(context); }

TlsServer::~TlsServer() = default;

Result<std::unique_ptr<TlsServer>> TlsServer::Open(TlsServerFiles files, const Clock& clock) {
  std::unique_ptr<TlsServer> server(new TlsServer(std::move(files)));
  server->stamp_ = server->Stamp();
  Result<Context> context = server->Load();
  if (!context.ok()) return context.status();
  server->context_ = *std::move(context);
  if (server->files_.crl.empty()) return server;
  Result<std::unique_ptr<RevocationFile>> list =
      RevocationFile::Open(server->files_.crl, server->files_.ca, clock);
  if (!list.ok()) return list.status();
  server->revoked_ = std::make_shared<SenderList>(*std::move(list), clock);
  return server;
}

Result<TlsServer::Context> TlsServer::Load() const {
  const ErrorMark mark;
  Context context(::SSL_CTX_new(::TLS_server_method()));
  if (context == nullptr) return Internal("TLS: " + LastError());
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                           SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (::SSL_CTX_use_certificate_chain_file(context.get(), files_.cert.c_str()) != 1)
    return InvalidArgument(files_.cert + ": " + LastError());
  if (::SSL_CTX_use_PrivateKey_file(context.get(), files_.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return InvalidArgument(files_.key + ": " + LastError());
  STACK_OF(X509_NAME)* authorities = ::SSL_load_client_CA_file(files_.ca.c_str());
  if (authorities == nullptr || ::SSL_CTX_load_verify_file(context.get(), files_.ca.c_str()) != 1)
    return InvalidArgument(files_.ca + ": " + LastError());
  ::SSL_CTX_set_client_CA_list(context.get(), authorities);
  // Verified where presented, and not required.
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

// Changes when a file does.
std::string TlsServer::Stamp() const {
  std::string stamp;
  for (const std::string& file : {files_.ca, files_.cert, files_.key, files_.crl}) {
    struct stat facts {};
    (void)::stat(file.c_str(), &facts);
    stamp += std::to_string(facts.st_ino) + ":" + std::to_string(facts.st_mtim.tv_sec) + "." +
             std::to_string(facts.st_mtim.tv_nsec) + " ";
  }
  return stamp;
}

Result<std::unique_ptr<TlsSession>> TlsServer::Accept(Status* trouble) {
  *trouble = Status::Ok();
  if (std::string stamp = Stamp(); stamp != stamp_) {
    stamp_ = std::move(stamp);
    Result<Context> fresh = Load();
    *trouble = fresh.status();
    if (fresh.ok()) context_ = *std::move(fresh);
    if (trouble->ok() && revoked_ != nullptr) *trouble = revoked_->Refresh();
  }
  const ErrorMark mark;
  ssl_st* ssl = ::SSL_new(context_.get());
  BIO* in = ::BIO_new(::BIO_s_mem());
  BIO* out = ::BIO_new(::BIO_s_mem());
  if (ssl == nullptr || in == nullptr || out == nullptr) return Internal("TLS: " + LastError());
  ::SSL_set_bio(ssl, in, out);  // which owns them from here on
  ::SSL_set_accept_state(ssl);
  return std::unique_ptr<TlsSession>(new TlsSession(ssl, revoked_));
}

Status TlsSession::Feed(std::string_view bytes, std::string* text) {
  constexpr std::size_t kTextBytes = 16 * 1024;  // of one TLS record
  const ErrorMark mark;
  if (!bytes.empty() && ::SSL_in_before(ssl_.get()) != 0 && bytes.front() != kHandshakeRecord)
    return Unauthenticated("plaintext where TLS is expected");
  ::BIO_write(::SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  for (;;) {
    char part[kTextBytes];
    const int n = ::SSL_read(ssl_.get(), part, sizeof part);
    if (n > 0) {
      LV_RETURN_IF_ERROR(CheckRevocation());
      text->append(part, static_cast<std::size_t>(n));
      continue;
    }
    const int error = ::SSL_get_error(ssl_.get(), n);
    if (error == SSL_ERROR_WANT_READ) return Status::Ok();
    closed_ = error == SSL_ERROR_ZERO_RETURN;
    return closed_ ? Status::Ok() : Failed();
  }
}

Status TlsSession::CheckRevocation() {
  X509* certificate = ::SSL_get0_peer_certificate(ssl_.get());
  if (revoked_ == nullptr || certificate == nullptr) return Status::Ok();
  if (!revoked_->IsRevoked(SerialHex(::X509_get0_serialNumber(certificate)))) return Status::Ok();
  return Unauthenticated("certificate refused: " + peer_name() + " is revoked");
}

Status TlsSession::Failed() const {
  const long verified = ::SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK)
    return Unauthenticated(std::string("certificate refused: ") +
                           ::X509_verify_cert_error_string(verified));
  return Unauthenticated("TLS: " + LastError());
}

std::string TlsSession::TakeOutput() {
  BIO* out = ::SSL_get_wbio(ssl_.get());
  std::string bytes(::BIO_ctrl_pending(out), '\0');
  if (!bytes.empty()) ::BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

bool TlsSession::established() const { return ::SSL_is_init_finished(ssl_.get()) != 0; }

std::string TlsSession::peer_name() const {
  const ErrorMark mark;
  X509* certificate = ::SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return "";
  const std::string uri = UriOf(certificate);
  return uri.empty() ? CommonNameOf(certificate) : uri;
}

}  // namespace logvault::pki
