#include "bench/light_forwarder.h"

#include <algorithm>
#include <utility>

#include "config/forwarder_config.h"
#include "evidence/block.h"

namespace logvault::bench {
namespace {

constexpr const char* kSource = "load";

// Of a vault of our own: nothing is proven here.
Result<std::shared_ptr<const evidence::Dictionary>> DictionaryOf(const v1::SessionOpened& opened) {
  if (opened.dictionaries().empty()) return std::shared_ptr<const evidence::Dictionary>();
  Result<evidence::BlockHeader> block =
      evidence::BlockHeader::Parse(opened.dictionaries(0).block());
  if (!block.ok()) return block.status();
  Result<evidence::OrderedDictionary> ordered = evidence::DictionaryIn(*block);
  if (!ordered.ok()) return ordered.status();
  return std::move(ordered->dictionary);
}

}  // namespace

std::string HostName(int number) {
  std::string digits = std::to_string(number);
  return "host" + std::string(4 - std::min<std::size_t>(digits.size(), 4), '0') + digits;
}

Result<std::unique_ptr<LightForwarder>> LightForwarder::Open(const std::string& collector,
                                                             const std::string& folder,
                                                             const std::string& format) {
  config::ForwarderConfig config;
  config.tls = {folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem", ""};
  config.vault_key = folder + "/vault.pub";
  Result<forwarder::LoadedIdentity> identity = forwarder::LoadIdentity(config);
  if (!identity.ok()) return identity.status();
  net::IngestClientOptions options;
  options.address = collector;
  options.ca_file = config.tls.ca;
  options.cert_file = config.tls.cert;
  options.key_file = config.tls.key;
  options.vault_name = identity->vault.vault_name();
  Result<std::unique_ptr<net::IngestClient>> client = net::ConnectIngest(options);
  if (!client.ok()) return client.status();
  std::unique_ptr<LightForwarder> self(new LightForwarder(*std::move(client)));
  LV_RETURN_IF_ERROR(self->Register(*identity, format));
  return self;
}

Status LightForwarder::Register(const forwarder::LoadedIdentity& identity,
                                const std::string& format) {
  v1::OpenRequest open;
  v1::StreamDescriptor& stream = *open.add_streams();
  stream.set_source(kSource);
  stream.set_format(format);
  stream.set_descriptor_json("{}");
  Result<v1::SessionOpened> opened = client_->Open(open);
  if (!opened.ok()) return opened.status();
  session_ = opened->session();
  Result<std::shared_ptr<const evidence::Dictionary>> dictionary = DictionaryOf(*opened);
  if (!dictionary.ok()) return dictionary.status();
  dictionary_ = *std::move(dictionary);
  Result<std::unique_ptr<forwarder::Epoch>> epoch =
      forwarder::Epoch::Start(identity.host, opened->newest_epoch(), clock_);
  if (!epoch.ok()) return epoch.status();
  epoch_ = *std::move(epoch);
  for (const v1::StreamState& state : opened->streams()) {
    head_.next_seq = state.last_seq() + 1;
    if (state.last_seq() == 0) continue;
    Result<evidence::Hash> hash = evidence::Hash::FromBytes(state.head_hash());
    if (!hash.ok()) return hash.status();
    head_.head_hash = *hash;
  }
  v1::AppendRequest request;
  request.set_session(session_);
  v1::Registration& registration = *request.add_items()->mutable_registration();
  registration.set_body(epoch_->registration().header);
  registration.set_box(epoch_->registration().payload);
  return client_->Append(request).status();
}

forwarder::SpooledBatch LightForwarder::Next(const Fill& fill) {
  evidence::PayloadBuilder builder;
  std::vector<evidence::PositionEntry> position = fill(builder);
  forwarder::SpooledBatch batch =
      epoch_->Seal(kSource, head_, {}, builder, std::move(position), dictionary_.get());
  head_.next_seq = batch.item.last_seq + 1;
  head_.head_hash = batch.head_hash;
  epoch_->Advance();
  return batch;
}

Status LightForwarder::Append(std::span<const Fill> batches) {
  v1::AppendRequest request;
  request.set_session(session_);
  const forwarder::StreamHead head = head_;
  for (const Fill& fill : batches) {
    forwarder::SpooledBatch batch = Next(fill);
    v1::Batch& out = *request.add_items()->mutable_batch();
    out.set_header(batch.item.header);
    payload_bytes_ += batch.item.payload.size();
    out.set_payload(std::move(batch.item.payload));
  }
  Result<v1::AppendResponse> response = client_->Append(request);
  if (!response.ok()) head_ = head;  // the same numbers again
  if (!response.ok()) return response.status();
  for (const v1::ItemReceipt& receipt : response->receipts()) {
    if (receipt.outcome() != v1::ItemReceipt::COMMITTED)
      return Internal("refused: " + receipt.reason());
  }
  return Status::Ok();
}

}  // namespace logvault::bench
