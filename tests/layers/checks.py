"""The checks on the tree itself.  Each takes a Tree and returns what it found, one sentence a finding."""

import os
import re

import cpp_text
import rules

_LAYERS = tuple(rules.MAY_INCLUDE)
_SKIPPED_FOLDERS = {".git", "build", "__pycache__"}


class Tree:
    """The files below `root`, by their path relative to it."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if f not in _SKIPPED_FOLDERS)
            for name in sorted(names):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    self.files[os.path.relpath(path, root)] = file.read()

    def text(self, path):
        return self.files[path].decode("utf-8", "replace")

    def cpp(self):
        return [p for p in self.files if p.endswith((".cc", ".h"))]

    def cmake_code(self, path):
        """A CMakeLists.txt without its comments (what is commented out is not listed) and with its loops unrolled."""
        code = re.sub(r"#[^\n]*", "", self.text(path)) if path in self.files else ""
        code = code.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
        return re.sub(r"foreach\((\w+)\s([^)]*)\)(.*?)endforeach\(\)", _unrolled, code, flags=re.S)


def _unrolled(loop):
    variable, values, body = loop.groups()
    return "\n".join(body.replace("${" + variable + "}", value) for value in values.split())


def _layer(path):
    top = path.split("/", 1)[0]
    return top if top in _LAYERS and "/" in path else None


def includes_point_down(tree):
    findings = []
    for path in tree.cpp():
        layer = _layer(path)
        if layer is None:
            continue
        for line, included, quoted in cpp_text.includes(tree.text(path)):
            target = _layer(included)
            if quoted and target and target != layer and target not in rules.MAY_INCLUDE[layer]:
                findings.append(f"{path}:{line}: {layer}/ may not include {target}/ ({included})")
    return findings


def outside_libraries_stay_in_their_layer(tree):
    findings = []
    for path in tree.cpp():
        layer = _layer(path)
        if layer is None:
            continue
        for line, included, _ in cpp_text.includes(tree.text(path)):
            for start, layers in rules.OUTSIDE.items():
                if included.startswith(start) and layer not in layers:
                    findings.append(f"{path}:{line}: <{included}> is not for {layer}/")
            if included.endswith(".grpc.pb.h") and layer not in rules.OUTSIDE["grpc"]:
                findings.append(f"{path}:{line}: {included} brings gRPC into {layer}/")
            json = included.startswith("nlohmann/") and included != "nlohmann/json_fwd.hpp"
            if json and path.endswith(".h"):
                findings.append(f"{path}:{line}: <{included}> in a header; JSON stays in .cc files")
            if layer in rules.NO_IO_LAYERS and any(
                included == h or (h.endswith("/") and included.startswith(h)) for h in rules.IO_HEADERS
            ):
                findings.append(f"{path}:{line}: <{included}>: {layer}/ does no I/O")
    return findings


def _layer_of_target(target):
    if target == "logvault_grpc_proto":
        return "proto"
    name = target[len("logvault_") :]
    return next((layer for layer in _LAYERS if name == layer or name.startswith(layer + "_")), None)


def targets_link_down(tree):
    findings = []
    for layer, allowed in rules.MAY_INCLUDE.items():
        path = f"{layer}/CMakeLists.txt"
        for target in sorted(set(re.findall(r"\blogvault_\w+", tree.cmake_code(path)))):
            used = _layer_of_target(target)
            if used and used != layer and used not in allowed:
                findings.append(f"{path}: links {target}, which {layer}/ may not use")
    return findings


def _nearest_cmake_listing(tree, path):
    """True where the CMakeLists.txt of the file's folder, or of one above it, names the file."""
    folder, name = os.path.split(path)
    inner = name
    while True:
        code = tree.cmake_code(os.path.join(folder, "CMakeLists.txt"))
        if re.search(r"(?<![\w./-])" + re.escape(inner) + r"(?![\w-])", code):
            return True
        if not folder:
            return False
        folder, last = os.path.split(folder)
        inner = f"{last}/{inner}"


def everything_is_listed(tree):
    findings = []
    included = {i for p in tree.cpp() for _, i, quoted in cpp_text.includes(tree.text(p)) if quoted}
    for path in sorted(tree.files):
        name = os.path.basename(path)
        is_python_test = path.startswith("tests/") and re.fullmatch(r"\w+_test\.py", name)
        if (path.endswith(".cc") or is_python_test) and not _nearest_cmake_listing(tree, path):
            findings.append(f"{path}: is in no CMakeLists.txt")
        if path.endswith(".h") and path not in included:
            findings.append(f"{path}: nothing includes it")
        if name == "CMakeLists.txt" and "/" in path:
            folder = os.path.dirname(path)
            above, own = os.path.split(folder)
            if not re.search(r"\b" + re.escape(own) + r"\b", tree.cmake_code(os.path.join(above, "CMakeLists.txt"))):
                findings.append(f"{folder}: its CMakeLists.txt is never read")
    return findings


def files_say_what_they_are(tree):
    findings = []
    for path in tree.cpp():
        text = tree.text(path)
        says_it_in_its_header = path.endswith(".cc") and path[:-3] + ".h" in tree.files
        if not text.startswith("//") and not says_it_in_its_header:
            findings.append(f"{path}:1: does not begin with a comment that says its one idea")
        if path.endswith(".h") and "#pragma once" not in text:
            findings.append(f"{path}: has no #pragma once")
    for path in tree.files:
        if path.endswith(".py") and not re.match(r'(#!.*\n)?("""|#)', tree.text(path)):
            findings.append(f"{path}:1: does not begin with a docstring")
    return findings


def measured(tree):
    """Everything over a limit now: {"files": {path: lines}, "functions": {"path name": lines}}."""
    files, functions = {}, {}
    for path in sorted(tree.files):
        if not path.endswith((".cc", ".h", ".py", ".sh")):
            continue
        lines = tree.text(path).count("\n")
        if lines > rules.FILE_LINES_MAX:
            files[path] = lines
        if path.endswith((".cc", ".h")) and _layer(path):
            for _, length, name in cpp_text.functions(tree.text(path)):
                if length > rules.FUNCTION_LINES_MAX:
                    key = f"{path} {name}"
                    functions[key] = max(length, functions.get(key, 0))
    return {"files": files, "functions": functions}


def nothing_grows(tree, baseline):
    """The ratchet: what is within the limit stays there; what was over it when recorded may only shrink."""
    findings = []
    now = measured(tree)
    limits = {"files": rules.FILE_LINES_MAX, "functions": rules.FUNCTION_LINES_MAX}
    for what, limit in limits.items():
        recorded = baseline.get(what, {})
        for name, lines in now[what].items():
            if lines > recorded.get(name, limit):
                findings.append(f"{name}: {lines} lines, may have {recorded.get(name, limit)}")
        for name, lines in recorded.items():
            if now[what].get(name, 0) < lines:
                left = now[what].get(name)
                findings.append(
                    f"{name}: recorded with {lines} lines, has {left or 'fewer than the limit'}: lower the record"
                )
    return findings


_LEFT_OVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
_DISABLED = re.compile(r"\bDISABLED_\w|\bGTEST_" r"SKIP\b")
# Folders of people and machines; sample logs and test data speak of such paths themselves.
_SOMEONES_FOLDER = re.compile(r"(?<![\w.$}*-])/(work|root|home|Users)/[\w.-]")


def nothing_is_left_over(tree):
    findings = []
    above = os.path.dirname(os.path.abspath(tree.root))
    for path in sorted(tree.files):
        if path.startswith("deploy/samples/") or b"\0" in tree.files[path]:
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if _LEFT_OVER.search(line):
                findings.append(f"{path}:{number}: left for later: {line.strip()[:60]}")
            if path.startswith("tests/") and path.endswith(".cc") and _DISABLED.search(line):
                findings.append(f"{path}:{number}: a test that does not run")
            own = len(above) > 1 and above not in ("/tmp", "/var", "/usr", "/opt") and above + "/" in line
            if own or (not path.startswith("tests/") and _SOMEONES_FOLDER.search(line)):
                findings.append(f"{path}:{number}: a path of one machine: {line.strip()[:60]}")
    return findings
