#!/usr/bin/env python3
"""Writes what helm/tablesync has from elsewhere, so that it cannot differ.

The CRDs of crd/ become templates, word for word, between a condition and with one annotation more; the table
of values in the chart's README.md comes from values.yaml; the chart's versions are the Makefile's. With
--check nothing is changed, and 1 is the exit status when something is not what would be written. Needs nothing but Python.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHART = "helm/tablesync"
CRDS = ("databaseconnections", "tablesyncs")
KEEP = """  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""
BEGIN, END = "<!-- table: values -->\n", "<!-- end: values -->"
KEY = re.compile(r"( *)([A-Za-z]\w*):(?: (.*))?")
# Maps whose keys are Kubernetes' own: one line for all of it.
WHOLE = {"podSecurityContext", "containerSecurityContext", "resources.requests", "resources.limits"}


class ChartError(Exception):
    pass


def crd_template(name, text):
    """The CRD as a template. Its own braces would be taken for actions, and the place of the annotation must be plain."""
    if "{{" in text:
        raise ChartError(f"crd/{name}.yaml has '{{{{', which a template would run")
    head = f"metadata:\n  name: {name}.tablesync.dev\n"
    if text.count(head) != 1 or "\n  annotations:" in text.split("\nspec:")[0]:
        raise ChartError(f"crd/{name}.yaml does not begin its metadata with the name alone, or has annotations")
    return ("{{- /* Written from crd/" + name + ".yaml by tests/checks/chart_reference.py. */ -}}\n"
            "{{- if .Values.crds.install }}\n" + text.replace(head, head + KEEP) + "{{- end }}\n")


def read_values(text):
    """(dotted key, default, comment) of every value; a comment is required, also of the maps that stand for a whole."""
    found, path, comment, whole = [], [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            comment = []
            continue
        if line.lstrip().startswith("# "):
            comment.append(line.strip()[2:])
            continue
        match = KEY.fullmatch(line)
        if not match or len(match[1]) % 2:
            raise ChartError(f"values.yaml:{number}: not understood: {line!r}")
        depth, value = len(match[1]) // 2, match[3]
        if depth > len(path):
            raise ChartError(f"values.yaml:{number}: nobody is above {line.strip()!r}")
        path = [*path[:depth], match[2]]
        name = ".".join(path)
        if whole and name.startswith(whole + "."):
            found[-1][1].append((depth - whole.count(".") - 1, match[2], value))
            continue
        whole = name if name in WHOLE and value is None else None
        if value is None and not whole:
            comment = []
            continue
        if not comment:
            raise ChartError(f"values.yaml:{number}: '{name}' has no comment that says what it is")
        found.append((name, [] if whole else value, " ".join(comment)))
        comment = []
    return [(name, spelled(value), comment) for name, value, comment in found]


def spelled(value):
    """A map on one line, in YAML's short form."""
    if isinstance(value, str):
        return value
    out, depth = "{", 0
    for level, key, text in value:
        out += "}" * (depth - level) if level < depth else ""
        out += ("" if out.endswith("{") else ", ") + f"{key}: " + ("{" if text is None else text)
        depth = level + 1 if text is None else level
    return out + "}" * (depth + 1)


def table(values):
    lines = ["| Value | Default | Meaning |", "|---|---|---|"]
    for name, default, comment in values:
        shown = "" if default == '""' else f"`{default}`"
        lines.append(f"| `{name}` | {shown} | {comment} |".replace("  |", " |"))
    return "\n".join(lines) + "\n"


def with_table(text, values):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ChartError("the chart's README.md needs the marks of the table of values, once and in order")
    head, rest = text.split(BEGIN)
    return head + BEGIN + table(values) + END + rest.split(END)[1]


def with_version(text, makefile):
    found = re.search(r"^VERSION := (\S+)$", makefile, re.M)
    if not found:
        raise ChartError("the Makefile has no VERSION")
    return re.sub(r"^(version|appVersion): \S+$", rf"\g<1>: {found[1]}", text, flags=re.M)


def written(root):
    """What should be there, by path."""
    chart = root / CHART

    def read(path):
        return path.read_text(encoding="utf-8")

    files = {chart / f"templates/crd-{name}.yaml": crd_template(name, read(root / f"crd/{name}.yaml")) for name in CRDS}
    files[chart / "README.md"] = with_table(read(chart / "README.md"), read_values(read(chart / "values.yaml")))
    files[chart / "Chart.yaml"] = with_version(read(chart / "Chart.yaml"), read(root / "Makefile"))
    return files


def main(words, root=ROOT):
    if words not in ([], ["--check"]):
        print(__doc__.strip())
        return 2
    wrong = [path for path, text in written(root).items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if words == ["--check"]:
        for path in wrong:
            print(f"{path.relative_to(root)} is not what it is written from: run tests/checks/chart_reference.py")
        return 1 if wrong else 0
    for path in wrong:
        path.write_text(written(root)[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
