#include "cli/export_text.h"

#include <iterator>
#include <optional>

#include "evidence/hash.h"
#include "evidence/payload.h"
#include "formats/fields.h"
#include "formats/time_zone.h"

namespace logvault::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kPemLine = 64;

void AppendUnit(unsigned unit, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[unit >> shift & 15];
}

constexpr std::string_view kReadme =
    R"(An export of a logvault vault: log records, and what proves that they are what the vault received.

  manifest.json      who exported what, when, by which query, and the SHA-256 of every other file
  manifest.sig       the investigator's Ed25519 signature over manifest.json
  investigator.pem   the investigator's certificate
  report.html        the same for people; it proves nothing
  checkpoint         the vault's signed tree head: all evidence here leads to it
  ca.pem             the vault's certificate authority, as block 0 (GENESIS) states it
  certificates.pem   the certificates of the hosts, as their KEY blocks state them
  blocks.jsonl       the blocks of the vault that matter here, and hashes in the place of all others
  records.jsonl      one JSON object for each record: its number, times, salt, and where its bytes are
  raw/HOST/SOURCE    the records' exact bytes, one after the other

What you need beside this file is the vault's key, vault.pub, from somebody you trust: not from the one who
gave you the export.

Check all of it (exit code 0: good, 4: altered, 2: not an export, 3: good, but this file and report.html are of a newer
logvault, which the one that checks cannot compare):

  logvault export --check FILE --credentials DIR        DIR holds vault.pub
  python3 verify-export.py FILE vault.pub               a second program, Python and openssl only

Check the signatures with openssl alone, in a folder where the files were unpacked:

  openssl verify -CAfile ca.pem -no-CApath -no-CAstore -attime $(date -d MADE_AT +%s) investigator.pem
  openssl x509 -in investigator.pem -noout -pubkey > investigator.key
  openssl pkeyutl -verify -pubin -inkey investigator.key -rawin -in manifest.json -sigfile manifest.sig
  sha256sum raw/*/* records.jsonl blocks.jsonl          compare with manifest.json

  # the checkpoint: its text up to the empty line; the signature that begins with the id of the key in vault.pub
  sed '/^$/,$d' checkpoint > checkpoint.text
  id=$(head -n 1 vault.pub | cut -d + -f 2)
  for line in $(sed '1,/^$/d; s/.* //' checkpoint); do echo $line | base64 -d | xxd -p -c 99; done |
    sed -n "s/^$id//p" | xxd -r -p > checkpoint.sig
  (printf '302a300506032b6570032100' | xxd -r -p; head -n 1 vault.pub | cut -d + -f 3- | base64 -d | tail -c 32) > vault.der
  openssl pkeyutl -verify -pubin -keyform DER -inkey vault.der -rawin -in checkpoint.text -sigfile checkpoint.sig

What the check proves: each record came from the host whose certificate signed its batch, under that number, and
was committed by the vault before the checkpoint was signed; between the first and the last number of each stream no
batch is left out, and what is not shown is there as a hash.

What it does not prove: that a withheld record did not match the query; that there was nothing before the first or after
the last number of a stream, or in streams that the export does not name; what stood in numbers that the manifest names as
missing, which never reached the vault; that what a host wrote into its log was true.
)";

// SHA-256 of README.txt as versions 1, 2, ... before kTextsVersion had it.
constexpr std::string_view kOlderReadmes[] = {
    "3c2100360b771f979fe754abd9c680bd5e0c30dbd29cee2859a01408d5d9c7ed"};
static_assert(std::size(kOlderReadmes) == kTextsVersion - 1, "each older version has its hash");

// The code point at the front of `text`, which is valid UTF-8, and takes it.
char32_t TakeCodePoint(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  char32_t code = size == 1 ? lead : lead & (0x7fu >> size);
  for (std::size_t i = 1; i < size && i < text.size(); ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  text.remove_prefix(std::min(size, text.size()));
  return code;
}

// `text` as a JSON string, or null where it is not exactly text.
void AppendTextOrNull(std::string_view text, std::string& out) {
  bool changed = false;
  const std::string valid = formats::ToValidUtf8(text, &changed);
  if (changed || valid.find(kReplacement) != valid.npos)
    out += "null";
  else
    AppendAsciiJson(valid, out);
}

}  // namespace

void AppendAsciiJson(std::string_view text, std::string& out) {
  static constexpr std::string_view kNamed = "\"\\\n\r\t\f\b";
  static constexpr std::string_view kLetters = "\"\\nrtfb";
  out += '"';
  while (!text.empty()) {
    const char32_t code = TakeCodePoint(text);
    const std::size_t named = code < 0x80 ? kNamed.find(static_cast<char>(code)) : kNamed.npos;
    if (named != kNamed.npos) {
      out += '\\';
      out += kLetters[named];
    } else if (code >= 0x20 && code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x10000) {
      AppendUnit(code, out);
    } else {
      AppendUnit(0xd800 + ((code - 0x10000) >> 10), out);
      AppendUnit(0xdc00 + ((code - 0x10000) & 0x3ff), out);
    }
  }
  out += '"';
}

std::string RecordJson(const evidence::RecordLine& record, std::string_view bytes) {
  std::string line = record.Serialize();
  line += ",\"time\":\"" +
          formats::FormatUtc(record.event_time == kNoTime ? record.read_time : record.event_time) +
          "\",\"origin\":";
  AppendTextOrNull(record.origin, line);
  line += ",\"message\":";
  if (bytes.size() > kMaxMessageSize)
    line += "null";
  else
    AppendTextOrNull(formats::RecordText(bytes, (record.flags & evidence::kRecordUtf16Le) != 0),
                     line);
  return line + "}";
}

std::string CertificatePem(std::string_view der) {
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  const std::string text = evidence::ToBase64(der);
  for (std::size_t at = 0; at < text.size(); at += kPemLine)
    pem += text.substr(at, kPemLine) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

std::string CertificatesPem(const std::vector<evidence::ExportedKey>& keys) {
  std::string pem;
  for (const evidence::ExportedKey& key : keys) {
    pem += "host " + key.host + ", epoch " + std::to_string(key.epoch) + ", KEY block " +
           std::to_string(key.block) + "\n" + CertificatePem(key.certificate_der);
  }
  return pem;
}

std::string_view ExportReadme() { return kReadme; }

bool IsExportReadme(std::string_view text, std::uint64_t version) {
  if (version == kTextsVersion) return text == kReadme;
  return version > 0 && version < kTextsVersion &&
         evidence::Sha256(text).Hex() == kOlderReadmes[version - 1];
}

}  // namespace logvault::cli
