#!/usr/bin/env python3
"""The project's own rules, each a function that lists what breaks it.

`check.py` runs all of them over the tree and exits 1 with one line per finding;
tests/checks/test_checks.py shows for every rule that it finds what it is for.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Which rooms a room may include (design: dependency direction).
ALLOWED = {
    "base": {"base"},
    "kube": {"base", "kube"},
    "model": {"base", "model"},
    "audit": {"base", "audit"},
    "ddl": {"base", "model", "ddl"},
    "db": {"base", "model", "ddl", "db"},
    "loop": {"base", "kube", "model", "audit", "ddl", "db", "loop"},
    "cmd": {"base", "kube", "model", "audit", "ddl", "db", "loop", "cmd"},
}

# A third-party header, or a folder of them, and the files that may include it.
THIRD_PARTY = {
    "curl/": r"reconciler/kube/transport_curl\w*\.[ch]",
    "libpq-fe.h": r"reconciler/db/risingwave\w*\.[ch]",
    "mysql.h": r"reconciler/db/mysql\w*\.[ch]",
    "mysqld_error.h": r"reconciler/db/(mysql|classify)\w*\.[ch]",
    "errmsg.h": r"reconciler/db/(mysql|classify)\w*\.[ch]",
    "sqlite3.h": r"reconciler/audit/\w+\.[ch]",
    "yaml.h": r"reconciler/base/yaml\.c",
    "cJSON.h": r"reconciler/base/json\.c",
    "openssl/": r"reconciler/base/(hash|secret|crypto)\.c|reconciler/db/tls_\w+\.c",
    "microhttpd.h": r"reconciler/loop/http\w*\.c",
}

# Also without a call: a pointer to one of them sends SQL just as well.
SQL_CALL = re.compile(r"\b(PQ(exec|prepare|fn|send(Query|Prepare))\w*|mysql_((real_|send_)?query|stmt_prepare)\w*)\b")
SQL_FILES = re.compile(r"reconciler/db/(mysql|risingwave)\w*\.c")
RAW_MEMORY = re.compile(r"(?<![\w.>])((m|c|re)alloc|reallocarray|aligned_alloc|posix_memalign|free|strn?dup|v?asprintf)\s*\(")
PRINTING = re.compile(r"(?<![\w.>])(v?d?printf|puts|putchar|perror)\s*\(|\b(stdout|stderr)\b")
UNSET_AUTO = re.compile(r"\bAUTO\(\w+\)[^;={]*;")
SLEEPING = re.compile(r"(?<![\w.>])(sleep|usleep|(clock_)?nanosleep)\s*\(")
# Brackets keep this file, and its tests, from finding themselves.
MARKERS = re.compile(r"(?<![A-Za-z])(T[O]DO|F[I]XME|X[X]X|H[A]CK)(?![A-Za-z])")
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.~}$/]|://)/(w[o]rk|r[o]ot|h[o]me/[a-z]+)(?![A-Za-z0-9_-])")
SKIPS = re.compile(r"pytest(\.| import .*)\b(s[k]ip|importors[k]ip|x[f]ail)\b|mark\.(s[k]ip|x[f]ail)|S[k]ipTest|s[k]ipTest|"
                   r"unittest\.s[k]ip|\bcollect_i[g]nore|^\s*s[k]ip\(\);")

FILE_LINES, FUNCTION_LINES, HEADER_LINES = 400, 60, 150


def files(root, *patterns):
    found = []
    for pattern in patterns:
        found += [p for p in root.glob(pattern) if p.is_file()]
    return sorted(found)


def product_sources(root):
    return files(root, *(f"{top}/**/*.{kind}" for top in ("cmd", "reconciler") for kind in ("c", "h", "def")))


def name_of(root, path):
    return path.relative_to(root).as_posix()


def lines_of(path):
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def without_comments(text):
    """Blanks comments and string literals, keeping line numbers."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found[0] == "/" else found[0] + "\n" * found.count("\n") + found[-1]

    return re.sub(pattern, blank, text, flags=re.S)


def room_of(name):
    parts = name.split("/")
    return parts[0] if parts[0] == "cmd" else parts[1]


def is_header(named, header):
    """`named` as a source spells it: distributions put headers into folders of their own."""
    return named.startswith(header) if header.endswith("/") else named == header or named.endswith("/" + header)


def rule_layers(root):
    """Rooms include only what stands below them; third-party headers have their files."""
    for path in product_sources(root):
        name = name_of(root, path)
        room = room_of(name)
        if room not in ALLOWED:
            yield f"{name}: there is no room {room}; say in check.py what it may include"
            continue
        for number, line in enumerate(lines_of(path), 1):
            found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if not found:
                continue
            quote, named = found.groups()
            first = named.split("/")[0]
            if first in ALLOWED and first not in ALLOWED[room]:
                yield f"{name}:{number}: room {room} must not include {first}/"
            elif first in ALLOWED and quote == "<":
                yield f"{name}:{number}: the project's own headers stand in quotes"
            elif first not in ALLOWED and quote == '"':
                yield f"{name}:{number}: write the room in front: #include \"room/file.h\""
            for header, allowed in THIRD_PARTY.items():
                if first not in ALLOWED and is_header(named, header) and not re.fullmatch(allowed, name):
                    yield f"{name}:{number}: {named} belongs in {allowed}"


def rule_calls(root):
    """SQL leaves through the drivers only; memory and printing have their places; no sleeps."""
    for path in product_sources(root):
        name = name_of(root, path)
        room = room_of(name)
        for number, line in enumerate(without_comments(path.read_text(encoding="utf-8")).splitlines(), 1):
            if SQL_CALL.search(line) and not SQL_FILES.fullmatch(name):
                yield f"{name}:{number}: SQL is sent by the driver files only"
            if room != "base" and RAW_MEMORY.search(line):
                yield f"{name}:{number}: memory comes from an arena or a room's own new/free"
            if room != "cmd" and PRINTING.search(line):
                yield f"{name}:{number}: only cmd/ prints; other rooms return faults or log"
            if UNSET_AUTO.search(line):
                yield f"{name}:{number}: an AUTO variable needs a value: an early return would clean up garbage"
            if SLEEPING.search(line):
                yield f"{name}:{number}: wait with cancel_sleep() or cancel_poll()"


def function_spans(lines):
    """(first line, length, signature) of each function body in house style."""
    signature, start = "", 0
    for number, line in enumerate(lines, 1):
        if re.match(r"^[a-zA-Z_].*\)?$", line) and not line.startswith(("#", "}", "{")):
            signature = line
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start + 1, signature
            start = 0


def rule_sizes(root):
    """Files, functions and headers stay short."""
    for path in product_sources(root):
        name = name_of(root, path)
        lines = lines_of(path)
        limit = HEADER_LINES if path.suffix == ".h" else FILE_LINES
        if path.suffix != ".def" and len(lines) > limit:
            yield f"{name}: {len(lines)} lines, the limit is {limit}"
        if path.suffix == ".c":
            for start, length, signature in function_spans(lines):
                if length > FUNCTION_LINES:
                    yield f"{name}:{start}: {length} lines in {signature[:50]}, the limit is {FUNCTION_LINES}"


def text_files(root):
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 and listed.stdout else [
        name_of(root, p) for p in files(root, "**/*")]
    for name in names:
        path = root / name
        if name and path.is_file() and b"\0" not in path.read_bytes():
            yield name, path


def rule_words(root):
    """Nothing unfinished, no path of one machine."""
    for name, path in text_files(root):
        for number, line in enumerate(lines_of(path), 1):
            if MARKERS.search(line):
                yield f"{name}:{number}: unfinished: {line.strip()[:60]}"
            if MACHINE_PATH.search(line) and not name.endswith((".jsonl", ".json")):
                yield f"{name}:{number}: a path of one machine: {line.strip()[:60]}"


def rule_skips(root):
    """No test may be skipped, in Python or in C."""
    for path in files(root, "tests/**/*.py", "tests/**/*.c"):
        for number, line in enumerate(lines_of(path), 1):
            if SKIPS.search(line):
                yield f"{name_of(root, path)}:{number}: a skipped test proves nothing"


def rule_format(root):
    """clang-format has nothing to say."""
    sources = [p for p in files(root, "cmd/**/*.[ch]", "reconciler/*/*.[ch]", "tests/**/*.[ch]")]
    if not sources:
        return
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, sources)], cwd=root,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seen = set()
    for line in done.stdout.splitlines():
        found = re.match(r"(.+?):(\d+):\d+: error: code should be", line)
        if found and found.group(1) not in seen:
            seen.add(found.group(1))
            yield f"{name_of(root, pathlib.Path(found.group(1)))}:{found.group(2)}: run `make format`"
    if done.returncode != 0 and not seen:
        yield f"clang-format failed: {done.stdout.strip()[:200]}"


def rule_documents(root):
    """Documents written from tables are up to date."""
    for script in files(root, "tests/checks/*_reference.py"):
        done = subprocess.run([sys.executable, str(script), "--check"], cwd=root, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            yield f"{name_of(root, script)}: {done.stdout.strip()[:300]}"


RULES = [rule_layers, rule_calls, rule_sizes, rule_words, rule_skips, rule_format, rule_documents]


def main():
    findings = 0
    for rule in RULES:
        for finding in rule(ROOT):
            print(finding)
            findings += 1
    print(f"check: {len(RULES)} rules, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
