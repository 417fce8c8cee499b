#!/usr/bin/env python3
"""Writes the tables of README.md from the program's own tables.

`readme_reference.py` writes them between the marks `<!-- table: NAME -->` and `<!-- end: NAME -->`; with
--check it changes nothing and exits 1 when a table is not what would be written. Needs nothing but Python
and no built program: the rows are read from the .def files, whatever is not understood is an error.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
IDLE = ("Nothing to do.", "Wait.")
OF_CONNECTIONS = "(DatabaseConnection)"
TYPE_HEAD = ("MySQL", "RisingWave", "in the sink", "StarRocks", "as key", "note")
TOKEN = re.compile(r'\s*(?:"((?:[^"\\\n]|\\.)*)"|([A-Za-z0-9_]+)|([,)])|/\*.*?\*/)', re.S)


class DefError(Exception):
    pass


def arguments(text, start):
    """The arguments of a macro call from behind its parenthesis on; adjacent strings are one."""
    found, parts, at = [], [], start
    while True:
        token = TOKEN.match(text, at)
        if not token:
            raise DefError(f"not understood: {text[at:at + 40]!r}")
        at = token.end()
        string, word, mark = token.groups()
        if string is not None:
            parts.append(re.sub(r"\\(.)", r"\1", string))
        elif word is not None:
            parts.append(word)
        elif mark is not None:
            found.append("".join(parts))
            parts = []
            if mark == ")":
                return found


def rows(text, macro, width):
    """The arguments of every call of the macro that begins a line."""
    found = [arguments(text, call.end()) for call in re.finditer(rf"^{macro}\(", text, re.M)]
    if not found:
        raise DefError(f"no row of {macro}")
    for row in found:
        if len(row) != width:
            raise DefError(f"{macro} has {width} arguments, not {len(row)}: {row}")
    return found


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines])


def code(text):
    return f"`{text}`" if text else ""


def phases(root):
    text = (root / "reconciler/model/phases.def").read_text(encoding="utf-8")
    return table(("Phase", "Meaning"), [(code(name), meaning[0].upper() + meaning[1:] + ".")
                                        for _, name, meaning in rows(text, "PHASE", 3)])


def read_conditions(root):
    text = (root / "reconciler/model/conditions.def").read_text(encoding="utf-8")
    return rows(text, "CONDITION", 3), rows(text, "REASON", 6)


def conditions(root):
    """Each condition, with the reasons that ask for nothing."""
    kinds, reasons = read_conditions(root)
    return table(("Condition", "Meaning", "Reasons that ask for nothing but patience"), [
        (code(name), meaning[0].upper() + meaning[1:] + ".",
         ", ".join(f"`{reason[1]}`" for reason in reasons if reason[0] == kind and reason[5] in IDLE))
        for kind, name, meaning in kinds])


def reasons_table(root):
    """Every reason to act on. A connection's own conditions repeat names of a TableSync's: those stand here once."""
    kinds, reasons = read_conditions(root)
    names = {kind: name for kind, name, _ in kinds}
    own = {kind for kind, _, meaning in kinds if meaning.endswith(OF_CONNECTIONS)}
    of_syncs = {reason for kind, reason, *_ in reasons if kind not in own}
    lines, seen = [], set()
    for kind, reason, _, stalls, meaning, remedy in reasons:
        if remedy in IDLE or (kind in own and reason in of_syncs | seen):
            continue
        seen.add(reason)
        lines.append((names[kind], code(reason) + (", stalls" if stalls == "true" else ""), meaning, remedy))
    return table(("Condition", "Reason", "Meaning", "What to do"), lines)


def defines(text, prefix, parameter=""):
    """`#define PREFIX_NAME value` by name."""
    joined = text.replace("\\\n", " ")
    return {name: value.strip() for name, value in
            re.findall(rf"^#define {prefix}_(\w+){parameter}[ \t]+(.*)$", joined, re.M)}


def spelled(value, starrocks=""):
    """The text of a #define: a string, or the macro's own parameter."""
    return starrocks if value == "starrocks" else arguments(value + ")", 0)[0]


def grouped(lines):
    """Types with the same fate share a line."""
    together = {}
    for mysql, *fate in lines:
        together.setdefault(tuple(fate), []).append(mysql)
    return [(", ".join(names), *fate) for fate, names in together.items()]


def types(root):
    """What `tablesync types -o markdown` prints, grouped."""
    text = (root / "reconciler/ddl/types.def").read_text(encoding="utf-8")
    names = (root / "reconciler/ddl/types_rows.c").read_text(encoding="utf-8")
    expressions, keys = defines(names, "EXPR"), defines(names, "AS_KEY", r"\(starrocks\)")
    lines = [(mysql, rw, spelled(expressions[expr]), starrocks, spelled(keys[key], starrocks), note)
             for _, _, mysql, rw, expr, _, _, _, key, starrocks, note in rows(text, "TYPE", 11)]
    lines += [(mysql, "refused", "", "refused", "refused", why) for _, mysql, why in rows(text, "REFUSED", 3)]
    # The rows that are no types stand in the printed table itself.
    printed = names[names.index("table_rows[] ="):]
    more = [arguments(row + ")", 0) for row in re.findall(r'^    \{("(?:[^"{}]|"[^{}]*")*)\},$', printed, re.M | re.S)]
    if not more or any(len(row) != 6 for row in more):
        raise DefError("the end of table_rows in types_rows.c is not understood")
    return table(TYPE_HEAD, grouped(lines + [tuple(row) for row in more]))


def expressions(root):
    """What an expression of spec.columns.overrides may hold, besides what README says in words."""
    text = (root / "reconciler/ddl/expr.def").read_text(encoding="utf-8")
    functions = {name: called for name, called, *_ in rows(text, "FUNCTION", 4)}
    others = [f"{code(other)} for {code(functions[name])}" for other, name in rows(text, "ALIAS", 2)]
    return table(("In an expression", ""), [
        ("Operators", ", ".join(code(sign) for _, sign in rows(text, "OPERATOR", 2))),
        ("Casts", ", ".join(code(f"::{name}") for name, _ in rows(text, "CAST_TYPE", 2))),
        ("Functions", ", ".join(code(name) for name in functions.values())),
        ("Other names", ", ".join(others))])


def flags(root, names):
    """The flags that these commands take; `names` is by letter."""
    text = (root / "cmd/options.def").read_text(encoding="utf-8")
    short = {flag: letter for letter, flag in
             re.findall(r'\{"(-\w)", "([\w-]+)"\}', (root / "cmd/options.c").read_text(encoding="utf-8"))}
    if not names or not short:
        raise DefError("the table of commands, or the short flags of options.c, are not understood")
    lines = []
    for _, flag, value, variable, otherwise, commands, meaning in rows(text, "OPTION", 7):
        given = [short[flag]] if flag in short else []
        given.append(f"--{flag}" + ("" if value == "NULL" else f" {value}"))
        taken = "all" if set(names) <= set(commands) else ", ".join(names[letter] for letter in commands if letter in names)
        if taken:
            lines.append((code(", ".join(given)), taken, code("" if otherwise == "NULL" else otherwise),
                          code("" if variable == "NULL" else variable), meaning))
    return table(("Flag", "Commands", "Default", "Environment", "Meaning"), lines)


def options(root):
    return flags(root, dict(re.findall(r"\{\"\w+\", +'(\w)', +command_(\w+),",
                                       (root / "cmd/main.c").read_text(encoding="utf-8"))))


def subcommands(root):
    text = (root / "cmd/kubectl/kubectl.c").read_text(encoding="utf-8")
    found = re.findall(r'\{"(\w+)", +\'(\w)\', \d, "([^"]*)",.*?\n +"([^"]+)",\n', text)
    if not found:
        raise DefError("the subcommands of kubectl.c are not understood")
    return found


def plugin(root):
    return table(("`kubectl tablesync ...`", "What it does"), [
        (code(f"{name} {words}".strip()), meaning[0].upper() + meaning[1:] + ".")
        for name, _, words, meaning in subcommands(root)])


def plugin_flags(root):
    return flags(root, {letter: name for name, letter, *_ in subcommands(root)})


def metrics(root):
    """One line a name: rows of one name stand together, the first has the help."""
    text = (root / "reconciler/loop/metrics.def").read_text(encoding="utf-8")
    lines = {}
    for _, kind, name, labels, meaning in rows(text, "METRIC", 5):
        line = lines.setdefault(name, [code(name), kind, [], meaning + "."])
        line[2] += [label for label in re.findall(r"(\w+)=", labels) if label not in line[2]]
    return table(("Metric", "Type", "Labels", "Meaning"),
                 [(name, kind, ", ".join(labels), meaning) for name, kind, labels, meaning in lines.values()])


def anchor(title):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def headings(text):
    """(depth, title) of each, outside of fenced blocks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [(len(marks), title) for marks, title in re.findall(r"^(##+) (.*)$", prose, re.M)]


def contents(root):
    """Each chapter with what is in it, except the alerts, which one looks up by name."""
    lines = []
    for depth, title in headings((root / "README.md").read_text(encoding="utf-8")):
        link = f"[{title}](#{anchor(title)})"
        if depth == 2:
            lines.append(f"- {link}")
        elif not lines[-1].startswith("- [Alerts]"):
            lines[-1] += f"{' · ' if lines[-1].startswith('- ') and lines[-1].count('](') > 1 else ': '}{link}"
    return "\n".join(lines)


TABLES = {"contents": contents, "expressions": expressions, "phases": phases, "conditions": conditions, "reasons": reasons_table, "types": types,
          "plugin": plugin, "plugin flags": plugin_flags, "options": options, "metrics": metrics}


def written(text, root):
    """The README with every table as it should be."""
    for name, make in TABLES.items():
        begin, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise DefError(f"README.md needs the marks of the table {name}, once and in order")
        head, rest = text.split(begin)
        text = head + begin + make(root) + "\n" + end + rest.split(end)[1]
    return text


def main(words, root=ROOT):
    path = root / "README.md"
    text = path.read_text(encoding="utf-8")
    should = written(text, root)
    if words == ["--check"]:
        if should != text:
            print("README.md has a table that is not what the program says: run tests/checks/readme_reference.py")
            return 1
        return 0
    if words:
        print(__doc__.strip())
        return 2
    path.write_text(should, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
