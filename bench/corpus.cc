// bench_corpus: log lines of the five kinds as their programs write them, the same for the same seed, about 190 bytes each.
//
//   bench_corpus LINES SEED FOLDER
//
// FOLDER gets mixed.log (all of them, as a central host would have them) and one file a kind: syslog.log, auditd.log,
// geoserver.log (with stack traces), access.log, errorlog.  By lines, about: 30 % syslog, 32 % auditd, 18 % GeoServer, 15 %
// access, 5 % SQL Server.  Ten lines hold the needle 203.0.113.77.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr const char* kUsers[] = {"anna",  "jonas", "maria", "peter",  "lena", "max",
                                  "sofia", "felix", "ops",   "deploy", "gis",  "backup"};
constexpr const char* kHosts[] = {"geo01", "geo02", "web01", "web02", "sql01", "app01", "bastion"};
constexpr const char* kUnits[] = {"nginx",     "postgresql@15-main", "tomcat9", "cron",
                                  "logrotate", "apt-daily",          "fstrim"};
constexpr const char* kLayers[] = {"topp:states",     "osm:roads",    "cadastre:parcels",
                                   "hydro:rivers",    "dem:contours", "admin:districts",
                                   "landuse:forests", "osm:buildings"};
constexpr const char* kPrograms[] = {"/usr/bin/bash", "/usr/bin/curl", "/usr/bin/python3.11",
                                     "/usr/bin/tar",  "/usr/bin/find", "/usr/sbin/useradd"};
constexpr const char* kAgents[] = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "QGIS/33406",
    "python-requests/2.32.3",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"};
constexpr const char* kLoggers[] = {"geoserver.wms", "geoserver.ows", "gwc.layer.wms",
                                    "geotools.jdbc", "geoserver.security"};
constexpr const char* kFrames[] = {
    "org.geoserver.wms.GetMap.executeInternal(GetMap.java:%u)",
    "org.geoserver.wms.map.RenderedImageMapOutputFormat.produceMap(MapOutputFormat.java:%u)",
    "java.base/java.lang.reflect.Method.invoke(Method.java:%u)",
    "org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:%u)",
    "org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:%u)",
    "org.geotools.jdbc.JDBCFeatureReader.next(JDBCFeatureReader.java:%u)"};

class Corpus {
 public:
  Corpus(std::uint64_t lines, std::uint64_t seed, const std::string& folder)
      : lines_(lines), random_(seed) {
    for (std::size_t i = 0; i < kFiles.size(); ++i) {
      files_[i] = std::fopen((folder + "/" + kFiles[i]).c_str(), "wb");
      if (files_[i] == nullptr) {
        std::perror(folder.c_str());
        std::exit(1);
      }
    }
  }
  ~Corpus() {
    for (std::FILE* file : files_) std::fclose(file);
  }
  Corpus(const Corpus&) = delete;
  Corpus& operator=(const Corpus&) = delete;

  void Write() {
    while (written_ < lines_) {
      now_ += 86'400.0 / static_cast<double>(lines_) * 2 * Unit();
      const unsigned kind = Below(1000);
      if (kind < 360)
        Syslog();
      else if (kind < 745)
        Audit();
      else if (kind < 765)
        GeoServer();
      else if (kind < 945)
        Access();
      else
        SqlServer();
    }
  }

 private:
  static constexpr std::array<const char*, 6> kFiles = {"mixed.log",     "syslog.log", "auditd.log",
                                                        "geoserver.log", "access.log", "errorlog"};

  unsigned Below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  double Unit() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }
  template <std::size_t n>
  const char* One(const char* const (&of)[n]) {
    return of[Below(n)];
  }
  std::string Address() {
    if (needles_ * lines_ < kNeedles * written_) {
      ++needles_;
      return "203.0.113.77";
    }
    return "10." + std::to_string(Below(8)) + "." + std::to_string(Below(256)) + "." +
           std::to_string(1 + Below(254));
  }
  // The time now in the form of strftime.
  std::string Time(const char* form) {
    const auto seconds = static_cast<std::time_t>(now_);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    return {text, std::strftime(text, sizeof text, form, &parts)};
  }
  template <typename... Args>
  std::string Format(const char* form, Args... args) {
    char text[2048];
    const int size = std::snprintf(text, sizeof text, form, args...);
    return {text, static_cast<std::size_t>(size)};
  }
  void Line(std::size_t kind, const std::string& text) {
    for (const std::size_t file : {std::size_t{0}, kind}) {
      std::fwrite(text.data(), 1, text.size(), files_[file]);
      std::fputc('\n', files_[file]);
    }
    ++written_;
  }

  void Syslog() {
    std::string text = Time("%b %e %H:%M:%S ") + One(kHosts) + " ";
    switch (Below(5)) {
      case 0:
        text += Format("sshd[%u]: Failed password for invalid user %s from %s port %u ssh2",
                       Below(400000), One(kUsers), Address().c_str(), 1024 + Below(64000));
        break;
      case 1:
        text += Format(
            "sshd[%u]: Accepted publickey for %s from %s port %u ssh2: ED25519 SHA256:%016lx%016lx",
            Below(400000), One(kUsers), Address().c_str(), 1024 + Below(64000), random_(),
            random_());
        break;
      case 2:
        text += Format(
            "CRON[%u]: (root) CMD (/usr/local/bin/sync-tiles --since=%.0f --layer %s >> "
            "/var/log/sync.log 2>&1)",
            Below(400000), now_, One(kLayers));
        break;
      case 3:
        text += Format("systemd[1]: %s.service: Consumed %u.%03us CPU time.", One(kUnits),
                       Below(30), Below(1000));
        break;
      default:
        text += Format(
            "kernel: [%u.%06u] [UFW BLOCK] IN=eth0 OUT= SRC=%s DST=10.0.0.%u LEN=%u TTL=%u ID=%u "
            "PROTO=TCP SPT=%u DPT=22 SYN URGP=0",
            Below(1000000), Below(1000000), Address().c_str(), Below(256), 40 + Below(24),
            40 + Below(200), Below(65536), 1024 + Below(64000));
    }
    Line(1, text);
  }

  void Audit() {
    const std::string program = One(kPrograms);
    const std::string name = program.substr(program.rfind('/') + 1);
    ++serial_;
    Line(2, Format("type=SYSCALL msg=audit(%.3f:%u): arch=c000003e syscall=59 success=yes exit=0 "
                   "a0=%lx a1=%lx a2=%lx a3=8 items=2 "
                   "ppid=%u pid=%u auid=%u uid=0 gid=0 euid=0 tty=pts%u ses=%u comm=\"%s\" "
                   "exe=\"%s\" key=\"exec\"",
                   now_, serial_, random_() >> 17, random_() >> 17, random_() >> 17, Below(400000),
                   Below(400000), 1000 + Below(600), Below(12), Below(90000), name.c_str(),
                   program.c_str()));
  }

  void GeoServer() {
    Line(3, Time("%d %b %H:%M:%S ") + Format("ERROR  [%s] - Rendering process failed. Layers: %s",
                                             One(kLoggers), One(kLayers)));
    Line(3, Format("org.geoserver.platform.ServiceException: Rendering process failed. Layers: %s",
                   One(kLayers)));
    for (unsigned i = 5 + Below(9); i > 0; --i) Line(3, "\tat " + Format(One(kFrames), Below(900)));
  }

  void Access() {
    Line(4, Address() + " - - " + Time("[%d/%b/%Y:%H:%M:%S +0000] ") +
                Format("\"GET "
                       "/geoserver/"
                       "wms?SERVICE=WMS&REQUEST=GetMap&LAYERS=%s&SRS=EPSG:3857&BBOX=%.4f,%.4f,%.4f,"
                       "%.4f HTTP/1.1\" "
                       "%u %u \"-\" \"%s\"",
                       One(kLayers), Unit() * 2e6, Unit() * 2e6, Unit() * 2e6, Unit() * 2e6,
                       Below(10) == 0 ? 404 : 200, Below(400000), One(kAgents)));
  }

  void SqlServer() {
    const std::string time = Time("%Y-%m-%d %H:%M:%S") + Format(".%02u ", Below(100));
    Line(5, time + "Logon       Error: 18456, Severity: 14, State: 8.");
    Line(5, time + Format("Logon       Login failed for user '%s'. Reason: Password did not match "
                          "that for the login provided. [CLIENT: %s]",
                          One(kUsers), Address().c_str()));
  }

  static constexpr std::uint64_t kNeedles = 10;

  const std::uint64_t lines_;
  std::mt19937_64 random_;
  std::array<std::FILE*, kFiles.size()> files_{};
  std::uint64_t written_ = 0;
  std::uint64_t needles_ = 0;     // so far, spread evenly
  double now_ = 1'720'656'000.0;  // 2024-07-11
  unsigned serial_ = 100'000;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_corpus LINES SEED FOLDER\n");
    return 2;
  }
  Corpus(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10), argv[3]).Write();
  return 0;
}
