"""C++ source as text: without comments and literals, its includes, and how long its functions are."""

import re

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<delim>[^()\s\\]{0,16})\(.*?\)(?P=delim)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.S,
)


def strip(text, keep_includes=True):
    """Blanks comments and literals; the line structure stays."""

    def blank(match):
        token = match.group(0)
        if keep_includes and token.startswith('"'):
            line_start = text.rfind("\n", 0, match.start()) + 1
            if re.match(r"\s*#\s*include\s*$", text[line_start : match.start()]):
                return token
        return re.sub(r"[^\n]", " ", token)

    return _TOKEN.sub(blank, text)


def includes(text):
    """(line, path, quoted) of every #include."""
    found = []
    for number, line in enumerate(strip(text).split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            found.append((number, match.group(1) or match.group(2), match.group(1) is not None))
    return found


def functions(text):
    """(first line, lines, name) of every function body outside other functions; lambdas count with their function."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), strip(text), flags=re.M)
    found = []
    stack = []  # of "scope" (namespace, type), "function", "other"
    opened = []
    head_start = 0
    for index, char in enumerate(code):
        if char == ";" and "function" not in stack:
            head_start = index + 1
        elif char == "{":
            kind = "other"
            if "function" not in stack:
                kind = _kind(code[head_start:index])
            stack.append(kind)
            opened.append((head_start, index))
            if kind != "other":
                head_start = index + 1
        elif char == "}" and stack:
            kind = stack.pop()
            start, brace = opened.pop()
            if kind == "function":
                head = code[start:brace]
                first = code.count("\n", 0, brace - len(head.lstrip())) + 1
                last = code.count("\n", 0, index) + 1
                found.append((first, last - first + 1, _name(head)))
            if kind != "other":
                head_start = index + 1
    return found


def _kind(head):
    if re.search(r"\bnamespace\b", head) or re.search(r'\bextern\s*$', head):
        return "scope"
    if "(" not in head or re.search(r"=\s*$", head):
        return "scope" if re.search(r"\b(class|struct|union)\b", head) else "other"
    if re.search(r"\b(class|struct|union)\s+(LV_\w+\([^)]*\)\s*|alignas\([^)]*\)\s*)?\w+[^()]*$", head):
        return "scope"
    if head.count("(") > head.count(")"):  # inside a call's or macro's arguments
        return "other"
    # `: member_{...}` of a constructor's initialiser list is not yet the body.
    if re.search(r"\)\s*(noexcept\s*)?:", head) and re.search(r"[,:]\s*[\w:<>]+\s*$", head):
        return "other"
    return "function"


def _name(head):
    match = re.search(r"([\w:~]+|operator\s*\S+?)\s*\(", head)
    return match.group(1) if match else "?"
