"""Log lines that look real, the same ones for the same seed: what the end-to-end bench ships.

Families, by lines, about: sshd/cron/systemd/kernel 45 %, auditd 30 %, access log 15 %, application 10 %.  Every line
begins with an RFC 3164 header, as a central syslog file does, so that one file is one source for everybody.
"""

import random
import time

_USERS = ["anna", "jonas", "maria", "peter", "lena", "max", "sofia", "felix", "ops", "deploy", "gis", "backup"]
_HOSTS = ["geo01", "geo02", "web01", "web02", "sql01", "app01", "bastion"]
_UNITS = ["nginx", "postgresql@15-main", "tomcat9", "cron", "logrotate", "apt-daily", "fstrim", "geoserver"]
_LAYERS = ["topp:states", "osm:roads", "cadastre:parcels", "hydro:rivers", "dem:contours", "admin:districts"]
_PROGRAMS = ["/usr/bin/bash", "/usr/bin/curl", "/usr/bin/python3.11", "/usr/bin/tar", "/usr/sbin/useradd", "/usr/bin/find"]
_AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "QGIS/33406", "python-requests/2.32.3",
           "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"]


def _address(rng):
    return f"10.{rng.randrange(8)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def _system(rng, epoch):
    kind, pid = rng.randrange(6), rng.randrange(1000, 400000)
    if kind == 0:
        return f"sshd[{pid}]: Failed password for invalid user {rng.choice(_USERS)} from {_address(rng)} port {rng.randrange(1024, 65536)} ssh2"
    if kind == 1:
        return f"sshd[{pid}]: Accepted publickey for {rng.choice(_USERS)} from {_address(rng)} port {rng.randrange(1024, 65536)} ssh2: ED25519 SHA256:{rng.getrandbits(250):063x}"
    if kind == 2:
        return f"sshd[{pid}]: pam_unix(sshd:session): session opened for user {rng.choice(_USERS)}(uid={rng.randrange(1000, 1600)}) by (uid=0)"
    if kind == 3:
        return f"CRON[{pid}]: (root) CMD (/usr/local/bin/sync-tiles --since={epoch} --layer {rng.choice(_LAYERS)} >> /var/log/sync.log 2>&1)"
    if kind == 4:
        return f"systemd[1]: {rng.choice(_UNITS)}.service: Consumed {rng.randrange(30)}.{rng.randrange(1000):03d}s CPU time."
    return (f"kernel: [{epoch % 1000000}.{rng.randrange(1000000):06d}] [UFW BLOCK] IN=eth0 OUT= SRC={_address(rng)} DST=10.0.0.{rng.randrange(256)} "
            f"LEN={rng.randrange(40, 64)} TTL={rng.randrange(40, 240)} ID={rng.randrange(65536)} PROTO=TCP SPT={rng.randrange(1024, 65536)} DPT=22 SYN URGP=0")


def _audit(rng, epoch):
    program = rng.choice(_PROGRAMS)
    return (f"audisp-syslog: type=SYSCALL msg=audit({epoch}.{rng.randrange(1000):03d}:{rng.randrange(1 << 24)}): arch=c000003e syscall=59 success=yes exit=0 "
            f"a0={rng.getrandbits(47):x} a1={rng.getrandbits(47):x} items=2 ppid={rng.randrange(400000)} pid={rng.randrange(400000)} auid={rng.randrange(1000, 1600)} "
            f"uid=0 gid=0 tty=pts{rng.randrange(12)} ses={rng.randrange(90000)} comm=\"{program.rsplit('/', 1)[1]}\" exe=\"{program}\" key=\"exec\"")


def _access(rng, epoch):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(epoch))
    box = ",".join(f"{rng.uniform(0, 2e6):.4f}" for _ in range(4))
    return (f"tomcat: {_address(rng)} - - [{stamp}] \"GET /geoserver/wms?SERVICE=WMS&REQUEST=GetMap&LAYERS={rng.choice(_LAYERS)}&SRS=EPSG:3857&BBOX={box} HTTP/1.1\" "
            f"{rng.choice([200, 200, 200, 404])} {rng.randrange(400000)} \"-\" \"{rng.choice(_AGENTS)}\"")


def _application(rng, epoch):
    return f"geoserver: Request {rng.getrandbits(31):08x} for {rng.choice(_LAYERS)} took {rng.randrange(9000)} ms, user={rng.choice(_USERS)}, remote={_address(rng)}"


def write(path, lines, seed=1):
    """Writes `lines` lines; returns their bytes."""
    rng = random.Random(seed)
    epoch = 1720656000.0
    total = 0
    with open(path, "wb") as file:
        for _ in range(lines):
            epoch += rng.expovariate(lines / 86400)
            family = rng.choices((_system, _audit, _access, _application), (45, 30, 15, 10))[0]
            header = time.strftime("%b %e %H:%M:%S", time.gmtime(epoch))
            line = f"{header} {rng.choice(_HOSTS)} {family(rng, int(epoch))}\n".encode()
            total += len(line)
            file.write(line)
    return total
