// What a source of the configuration becomes: the reader of its type, and its stream's descriptor.
#pragma once

#include <memory>

#include "common/clock.h"
#include "config/forwarder_config.h"
#include "forwarder/source.h"
#include "proto/logvault.pb.h"

namespace logvault::forwarder {

// kInvalidArgument, naming the line, for a source that cannot be read as configured.
Status CheckSource(const config::SourceConfig& source);

// `drain`: what is there now is read, and nothing that comes later.  `clock` must outlive the source.
// `tls`: what a TLS listener presents, and whom it believes.
Result<std::unique_ptr<Source>> MakeSource(const config::SourceConfig& source,
                                           const config::TlsFiles& tls, bool drain,
                                           const Clock& clock);

v1::StreamDescriptor DescribeSource(const config::SourceConfig& source);

}  // namespace logvault::forwarder
