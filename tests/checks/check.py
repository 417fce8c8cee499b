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

# A third-party header and the files that may include it.
THIRD_PARTY = {
    "curl/curl.h": r"reconciler/kube/transport_curl\w*\.[ch]",
    "libpq-fe.h": r"reconciler/db/risingwave\w*\.[ch]",
    "mysql.h": r"reconciler/db/mysql\w*\.[ch]",
    "mysqld_error.h": r"reconciler/db/(mysql|classify)\w*\.[ch]",
    "errmsg.h": r"reconciler/db/(mysql|classify)\w*\.[ch]",
    "sqlite3.h": r"reconciler/audit/\w+\.[ch]",
    "yaml.h": r"reconciler/base/yaml\.c",
    "cjson/cJSON.h": r"reconciler/base/json\.c",
    "openssl/": r"reconciler/base/(hash|secret|crypto)\.c",
    "microhttpd.h": r"reconciler/loop/http\w*\.c",
}

SQL_CALL = re.compile(r"\b(PQ(exec|send(Query|Prepare))\w*|mysql_(real_)?query\w*)\s*\(")
SQL_FILES = re.compile(r"reconciler/db/(mysql|risingwave)\w*\.c")
RAW_MEMORY = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup|asprintf|vasprintf)\s*\(")
PRINTING = re.compile(r"(?<![\w.>])(printf|puts|putchar|perror|vprintf)\s*\(|\bf(printf|puts)\s*\(\s*(stdout|stderr)")
SLEEPING = re.compile(r"(?<![\w.>])(sleep|usleep|nanosleep)\s*\(")
MARKERS = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.~}$])/(w[o]rk|r[o]ot|h[o]me/[a-z]+)/")

FILE_LINES, FUNCTION_LINES, HEADER_LINES = 400, 60, 150


def files(root, *patterns):
    found = []
    for pattern in patterns:
        found += [p for p in root.glob(pattern) if p.is_file()]
    return sorted(found)


def product_sources(root):
    return files(root, "cmd/*.[ch]", "reconciler/*/*.[ch]", "reconciler/*/*.def")


def name_of(root, path):
    return path.relative_to(root).as_posix()


def lines_of(path):
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def without_comments(text):
    """Blanks comments and string literals, keeping line numbers."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found[0] == "/" else found[0] + found[-1]

    return re.sub(pattern, blank, text, flags=re.S)


def room_of(name):
    parts = name.split("/")
    return parts[0] if parts[0] == "cmd" else parts[1]


def rule_layers(root):
    """Rooms include only what stands below them; third-party headers have their files."""
    for path in product_sources(root):
        name = name_of(root, path)
        room = room_of(name)
        for number, line in enumerate(lines_of(path), 1):
            own = re.match(r'\s*#\s*include\s+"([a-z]+)/[^"]+"', line)
            if own and own.group(1) not in ALLOWED[room]:
                yield f"{name}:{number}: room {room} must not include {own.group(1)}/"
            if re.match(r'\s*#\s*include\s+"[^/"]+"', line):
                yield f"{name}:{number}: write the room in front: #include \"room/file.h\""
            other = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if other:
                for header, allowed in THIRD_PARTY.items():
                    if other.group(1).startswith(header) and not re.fullmatch(allowed, name):
                        yield f"{name}:{number}: <{other.group(1)}> belongs in {allowed}"


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
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, stdout=subprocess.PIPE,
                            text=True, check=False)
    names = listed.stdout.splitlines() if listed.returncode == 0 and listed.stdout else [
        name_of(root, p) for p in files(root, "**/*")]
    for name in names:
        path = root / name
        if path.suffix in (".c", ".h", ".def", ".py", ".sh", ".yaml", ".yml", ".md", ".mod") or path.name == "Makefile":
            if path.is_file():
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
    """No test may be skipped."""
    for path in files(root, "tests/**/*.py"):
        for number, line in enumerate(lines_of(path), 1):
            if re.search(r"pytest\.(skip|importorskip)|mark\.(skip|skipif|xfail)", line) and "re.search" not in line:
                yield f"{name_of(root, path)}:{number}: a skipped test proves nothing"


def rule_format(root):
    """clang-format has nothing to say."""
    sources = [p for p in files(root, "cmd/*.[ch]", "reconciler/*/*.[ch]", "tests/**/*.[ch]")]
    if not sources:
        return
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, sources)], cwd=root,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seen = set()
    for line in done.stdout.splitlines():
        found = re.match(r"(.+?):(\d+):\d+: error", line)
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
