// The parts of an export that are there for people, all of them functions of its evidence: the end of a line of
// records.jsonl, the README, certificates as PEM.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/export_audit.h"
#include "evidence/export_lines.h"

namespace logvault::cli {

// Longer records have their text in raw/ only.
inline constexpr std::size_t kMaxMessageSize = 64 * 1024;

// The line of `record`, without '\n': what RecordLine::Serialize gives, time, origin and message.
std::string RecordJson(const evidence::RecordLine& record, std::string_view bytes);

// `text`, which is valid UTF-8, as a JSON string in ASCII, as Python's json.dumps writes it.
void AppendAsciiJson(std::string_view text, std::string& out);

// `der` as PEM: lines of 64 characters.
std::string CertificatePem(std::string_view der);

// certificates.pem: of each KEY block the certificate, with a line before it that says whose.
std::string CertificatesPem(const std::vector<evidence::ExportedKey>& keys);

// The version of README.txt and report.html, which change with the program: an export states by which it was made, so that
// the exports of before stay good.  Whoever changes one of the two raises it, adds the README's hash to the older ones, and
// keeps the page of before for the exports that state it.
inline constexpr std::uint64_t kTextsVersion = 2;

// README.txt: the same in every export of a version.
std::string_view ExportReadme();
// Whether `text` is the README.txt of `version`, which is known here.
bool IsExportReadme(std::string_view text, std::uint64_t version);

}  // namespace logvault::cli
