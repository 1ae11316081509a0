// TestHost: a forwarder of one thread over a folder of files, a FakeClock and a ScriptedVault; it can crash.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "forwarder/file_source.h"
#include "forwarder/intake.h"
#include "forwarder/shipper.h"
#include "forwarder/spool_check.h"
#include "forwarder/sqlite.h"
#include "tests/forwarder/scripted_vault.h"

namespace logvault::forwarder {

// A folder of its own, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "logvault-forwarder-XXXXXX").string();
    LV_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
inline void AppendFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::app) << bytes;
}

class TestHost {
 public:
  explicit TestHost(std::string pattern = "app.log",
                    formats::Format format = formats::Format::kPlain)
      : pattern_(std::move(pattern)), format_(format) {}

  // ---- files ----
  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, const std::string& bytes) { WriteFile(Path(name), bytes); }
  void Append(const std::string& name, const std::string& bytes) { AppendFile(Path(name), bytes); }
  void Rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(Path(from), Path(to));
  }
  void Remove(const std::string& name) { std::filesystem::remove(Path(name)); }

  // ---- the forwarder's life ----
  Status Start() {
    SpoolOptions options = spool_options;
    options.dir = folder_ / "spool";
    Result<std::unique_ptr<Spool>> spool = Spool::Open(options, identity_.host);
    if (!spool.ok()) return spool.status();
    spool_ = *std::move(spool);
    Result<std::string> note = spool_->Note();
    if (!note.ok()) return note.status();
    Result<std::unique_ptr<Witness>> witness = Witness::Open(*note, vault.key());
    if (!witness.ok()) return witness.status();
    witness_ = *std::move(witness);
    handover_ = std::make_unique<Handover>(to_intake_, to_shipper_);
    IntakeOptions intake_options;
    intake_options.heartbeat_nanos = heartbeat;
    intake_options.start_record = R"({"type":"start"})";
    Result<std::unique_ptr<Intake>> intake =
        Intake::Open(intake_options, identity_, *spool_, *witness_, *handover_, to_shipper_, clock);
    if (!intake.ok()) return intake.status();
    intake_ = *std::move(intake);
    FileSourceOptions file;
    file.name = "app";
    file.path = Path(pattern_);
    file.format = format_;
    file.drain = drain;
    file.from_end = from_end;
    auto source = std::make_unique<FileSource>(file, clock);
    source_ = source.get();
    intake_->AddSource("app", std::string(formats::NameOf(format_)), std::move(source));
    for (std::size_t i = 0; i < socket_sources.size(); ++i)
      intake_->AddSource(i == 0 ? "net" : "net" + std::to_string(i + 1), "syslog",
                         std::move(socket_sources[i]));
    socket_sources.clear();
    LV_RETURN_IF_ERROR(intake_->LoadHeads());
    ShipperOptions shipping;
    shipping.addresses = {"vault:1"};
    for (const char* name : {"logvault", "app", "net", "net2"}) {
      v1::StreamDescriptor stream;
      stream.set_source(name);
      stream.set_format("plain");
      shipping.streams.push_back(stream);
    }
    shipper_ = std::make_unique<Shipper>(
        shipping,
        [this](const std::string&) -> Result<std::unique_ptr<net::IngestClient>> {
          return std::unique_ptr<net::IngestClient>(std::make_unique<ScriptedClient>(vault));
        },
        *spool_, *witness_, *handover_, clock);
    return Status::Ok();
  }
  // The process is gone; what is in the spool and in the files is not.
  void Crash() {
    shipper_.reset();
    intake_.reset();
    handover_.reset();
    witness_.reset();
    spool_.reset();
  }
  // Changes exactly one row of a spool that nobody has open.
  void EditSpool(std::string_view sql) {
    Result<Database> spool = Database::Open(SpoolFile(folder_ / "spool"));
    LV_CHECK(spool.ok());
    LV_CHECK(spool->Prepare(sql)->Run().ok() && spool->changes() == 1);
  }
  void LoseSpool() { std::filesystem::remove_all(folder_ / "spool"); }

  void StepIntake() {
    while (intake_->Step()) {
    }
  }
  std::int64_t StepShipper() { return shipper_->Step(); }
  void Tick(UnixNanos by = kNanosPerSecond / 10) { clock.Advance(by); }
  // One round of everything, `tenths` times a tenth of a second.
  void Run(int tenths = 1) {
    for (int i = 0; i < tenths; ++i) {
      StepIntake();
      for (int steps = 0; steps < 20 && StepShipper() == 0; ++steps) StepIntake();
      Tick();
    }
  }
  // Long enough for a round, an idle record, a flush and a back-off of one failure.
  void Settle() { Run(40); }

  std::string Raw() const { return vault.Raw("app"); }
  std::string Own() const { return vault.Raw("logvault"); }
  Spool& spool() { return *spool_; }
  Intake& intake() { return *intake_; }
  Shipper& shipper() { return *shipper_; }
  FileSource& source() { return *source_; }
  Witness& witness() { return *witness_; }

  FakeClock clock{1'764'000'000 * kNanosPerSecond};
  SpoolOptions spool_options;
  std::int64_t heartbeat = 30 * kNanosPerSecond;
  bool drain = false;
  bool from_end = false;
  std::vector<std::unique_ptr<Source>> socket_sources;  // `net`, `net2`, for the next start only

 private:
  TestFolder folder_;
  const std::string pattern_;
  const formats::Format format_;
  evidence::SigningKey key_ = evidence::SigningKey::Generate();

 public:
  ScriptedVault vault{"host1", key_.public_key()};

 private:
  HostIdentity identity_{"host1", "a certificate", key_, vault.opening_key()};
  Doorbell to_intake_, to_shipper_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<Handover> handover_;
  std::unique_ptr<Intake> intake_;
  FileSource* source_ = nullptr;
  std::unique_ptr<Shipper> shipper_;
};

}  // namespace logvault::forwarder
