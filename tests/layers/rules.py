"""The picture of the layers as data: who may include whom, and which outside library belongs where.

docs/architecture.md draws it.  A folder is a layer, a namespace and a CMake target.  Widening a row is a decision:
say why in the commit.
"""

# Folder -> the folders whose headers it may include, besides its own.
MAY_INCLUDE = {
    # base
    "common": (),
    "config": ("common",),
    # pure
    "formats": ("common",),
    "evidence": ("common",),
    # edge
    "proto": (),
    "pki": ("common", "config", "evidence"),
    "net": ("common", "config", "evidence", "pki", "proto"),
    # core
    "storage": ("common", "evidence", "pki"),
    # search
    "query": ("common", "config", "evidence", "formats", "pki", "proto", "storage"),
    # applications: none sees another one; the forwarder sees neither storage nor query.
    "forwarder": ("common", "config", "evidence", "formats", "net", "pki", "proto"),
    "server": ("common", "config", "evidence", "formats", "net", "pki", "proto", "query", "storage"),
    "cli": ("common", "config", "evidence", "formats", "net", "pki", "proto", "query", "storage"),
}

# Start of an #include's path -> the layers that may use that library.
OUTSIDE = {
    "grpc": ("net", "server"),
    "google/protobuf": ("net", "server", "cli", "forwarder"),
    "rocksdb/": ("storage",),
    "sqlite3.h": ("forwarder",),
    "zstd": ("evidence", "forwarder"),  # a payload; a compressed log file
    "zlib.h": ("forwarder",),
    "lzma.h": ("forwarder",),
    "bzlib.h": ("forwarder",),
    "openssl/": ("evidence", "pki", "net"),
    "re2/": ("query",),
    "yaml-cpp/": ("config",),
    "CLI/": ("cli", "server", "forwarder", "config"),  # config: man pages out of the tables of all three programs
    "spdlog/": ("config", "net", "server", "forwarder"),
    "systemd/": ("config", "forwarder"),
    "prometheus/": ("server", "forwarder"),
    "absl/": ("formats",),
}

# evidence/ is what an expert reads: it computes and does no I/O.
NO_IO_LAYERS = ("evidence",)
IO_HEADERS = (
    "fstream", "filesystem", "iostream", "cstdio", "stdio.h", "fcntl.h", "unistd.h", "sys/stat.h", "sys/socket.h",
    "netinet/", "thread", "chrono",
)

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 40
