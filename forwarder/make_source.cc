#include "forwarder/make_source.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "forwarder/audit_source.h"
#include "forwarder/file_source.h"
#include "forwarder/journal_source.h"
#include "forwarder/syslog_source.h"

namespace logvault::forwarder {

namespace {

using config::SourceConfig;
using config::SourceType;

std::string_view TypeName(SourceType type) {
  switch (type) {
    case SourceType::kFile:
      return "file";
    case SourceType::kSyslog:
      return "syslog";
    case SourceType::kJournal:
      return "journal";
    case SourceType::kAudit:
      return "audit";
  }
  return "";
}

Status WrongSource(const SourceConfig& source, const std::string& reason) {
  return InvalidArgument(source.place + ": source " + source.name + ": " + reason);
}

Result<formats::TimeZone> ZoneOf(const SourceConfig& source) {
  if (source.timezone.empty()) return formats::TimeZone::Local();
  Result<formats::TimeZone> zone = formats::TimeZone::Load(source.timezone);
  if (zone.ok()) return zone;
  return WrongSource(source, zone.status().message());
}

std::unique_ptr<Source> MakeFile(const SourceConfig& source, const formats::TimeZone& zone,
                                 bool drain, const Clock& clock) {
  FileSourceOptions options;
  options.name = source.name;
  options.path = source.path;
  options.format = formats::FormatByName(source.format).value_or(formats::Format::kPlain);
  options.zone = zone;
  options.from_end = source.read_from == config::ReadFrom::kEnd;
  options.drain = drain;
  return std::make_unique<FileSource>(std::move(options), clock);
}

std::unique_ptr<Source> MakeJournal(const SourceConfig& source, const Clock& clock) {
  JournalSourceOptions options;
  options.name = source.name;
  options.directory = source.directory;
  options.from_end = source.read_from == config::ReadFrom::kEnd;
  return std::make_unique<JournalSource>(std::move(options), clock);
}

Result<std::unique_ptr<Source>> MakeSyslog(const SourceConfig& source, const config::TlsFiles& tls,
                                           const formats::TimeZone& zone, const Clock& clock) {
  SyslogListenerOptions options;
  options.udp = source.udp;
  options.tcp = source.tcp;
  options.tls = source.tls;
  options.unix_path = source.unix_path;
  options.sender_rate = source.sender_rate;
  options.files = {.ca = tls.ca, .cert = tls.cert, .key = tls.key, .crl = source.crl};
  Result<std::unique_ptr<SyslogSource>> opened =
      SyslogSource::Open(source.name, std::move(options), zone, clock);
  if (!opened.ok()) return opened.status().WithContext("source " + source.name);
  return std::unique_ptr<Source>(*std::move(opened));
}

}  // namespace

Status CheckSource(const SourceConfig& source) {
  Result<formats::TimeZone> zone = ZoneOf(source);
  return zone.status();
}

Result<std::unique_ptr<Source>> MakeSource(const SourceConfig& source, const config::TlsFiles& tls,
                                           bool drain, const Clock& clock) {
  Result<formats::TimeZone> zone = ZoneOf(source);
  if (!zone.ok()) return zone.status();
  switch (source.type) {
    case SourceType::kFile:
      return MakeFile(source, *zone, drain, clock);
    case SourceType::kSyslog:
      return MakeSyslog(source, tls, *zone, clock);
    case SourceType::kJournal:
      return MakeJournal(source, clock);
    case SourceType::kAudit:
      return std::unique_ptr<Source>(
          std::make_unique<AuditSource>(source.name, source.socket, clock));
  }  // No default: the compiler names any type added and not made.
  return WrongSource(source, "of a type that is not known");
}

v1::StreamDescriptor DescribeSource(const SourceConfig& source) {
  nlohmann::json descriptor = {{"type", TypeName(source.type)}};
  if (source.type == SourceType::kFile) descriptor["path"] = source.path;
  if (source.type == SourceType::kJournal)
    descriptor["directory"] = source.directory.empty() ? "system" : source.directory;
  if (source.type == SourceType::kAudit) descriptor["socket"] = source.socket;
  if (Result<formats::TimeZone> zone = ZoneOf(source); zone.ok())
    descriptor["timezone"] = zone->name();
  v1::StreamDescriptor result;
  result.set_source(source.name);
  result.set_format(source.format);
  result.set_descriptor_json(
      descriptor.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return result;
}

}  // namespace logvault::forwarder
