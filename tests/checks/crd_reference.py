#!/usr/bin/env python3
"""Writes crd/README.md from the CRDs and from the table of reasons.

`crd_reference.py` writes it; with --check it changes nothing and exits 1 when the file is
not what would be written. Needs nothing but Python: the CRDs keep to a small part of YAML,
which read_yaml() below understands, and whatever else it meets is an error.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CRDS = ("databaseconnections", "tablesyncs")
REASON = re.compile(r'^REASON\((\w+), "(\w+)", "(\w+)", (true|false),\s*"(.*)",\s*"(.*)"\)$', re.M)
CONDITION = re.compile(r'^CONDITION\((\w+), "(\w+)", "(.*)"\)$', re.M)

HEAD = """# API reference: tablesync.dev/v1alpha1

Written by `tests/checks/crd_reference.py` from the CRDs and `reconciler/model/conditions.def`;
change those and run it again. The same texts are in `kubectl explain tablesync.spec`.

`kubectl apply -k crd` installs both kinds. `examples/` shows resources that are accepted,
`examples/invalid/` some that are refused, each with the field that the error names.

A field that is not listed here does not exist in this version: `kubectl apply` refuses it
(`unknown field "spec.verify"`), because its validation is strict by default. A client
that turns validation off has such a field dropped by the API server.
"""

ANNOTATIONS = """## Annotations of a TableSync

| Annotation | Value | Meaning |
|---|---|---|
| `tablesync.dev/pause-reconcile` | `true` | The controller leaves the resource alone; rows keep flowing. |
| `tablesync.dev/retry` | `now` | One attempt at once, also when Stalled; the controller removes it. |
| `tablesync.dev/verify` | `now` | One count of both tables' rows, whatever `verify.mode`; the controller removes it when the count begins. |
| `tablesync.dev/approve-plan` | `status.plan.hash` | The plan of that hash may run; one that has changed since is refused by name. |
| `tablesync.dev/adopt` | a uid | With `target.existing`, on the first run: the StarRocks table may be taken over from the TableSync of that uid. |
| `tablesync.dev/orphan` | `true` | Deletion ends without touching the databases. |
| `tablesync.dev/run-id` | 8 hexadecimal digits | Set by the controller on its Events: the run that they tell of, as in `status.lastRun.runId`. |
"""

FINALIZERS = """## Finalizers

| Finalizer | Kind | Removed |
|---|---|---|
| `tablesync.dev/cleanup` | TableSync | When everything that `deletionPolicy` asks for is dropped, or the resource is orphaned. |
| `tablesync.dev/in-use` | DatabaseConnection | When no TableSync names the connection any more; until then `Ready` is `InUse` and names them. |
"""


class YamlError(Exception):
    pass


def scalar(text):
    """A value on one line."""
    if text.startswith("[") and text.endswith("]"):
        return [scalar(part) for part in text[1:-1].split(", ")]
    if text == "{}":
        return {}
    if text[0] in "'\"":
        if text[-1] != text[0] or len(text) < 2:
            raise YamlError(f"a quote is not closed: {text}")
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    if text[0] in "{&*|>%@`":
        raise YamlError(f"more YAML than this reader knows: {text}")
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text)


class Reader:
    """Block mappings and sequences, folded texts; lines are (indent, text)."""

    def __init__(self, text):
        self.lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()
                      if line.strip() and not line.lstrip().startswith("#")]
        self.at = 0

    def indent(self):
        return self.lines[self.at][0] if self.at < len(self.lines) else -1

    def text(self):
        return self.lines[self.at][1] if self.at < len(self.lines) else ""

    def block(self):
        indent = self.indent()
        return self.sequence(indent) if self.text().startswith("- ") else self.mapping(indent)

    def sequence(self, indent):
        items = []
        while self.indent() == indent and self.text().startswith("- "):
            inner = self.text()[2:]
            if re.match(r"[\w-]+:( |$)", inner):
                self.lines[self.at] = (indent + 2, inner)
                items.append(self.mapping(indent + 2))
            else:
                items.append(scalar(inner))
                self.at += 1
        return items

    def mapping(self, indent):
        found = {}
        while self.indent() == indent and not self.text().startswith("- "):
            key, colon, rest = self.text().partition(":")
            if not colon or (rest and rest[0] != " ") or key in found:
                raise YamlError(f"not a key of its own: {self.text()}")
            self.at += 1
            found[key] = self.value(indent, rest.strip())
        return found

    def value(self, indent, rest):
        if rest == ">-":
            parts = []
            while self.indent() > indent:
                parts.append(self.text())
                self.at += 1
            return " ".join(parts)
        if rest:
            return scalar(rest)
        if self.indent() > indent or (self.indent() == indent and self.text().startswith("- ")):
            return self.block()
        raise YamlError("a key without a value")


def read_yaml(text):
    reader = Reader(text)
    found = reader.block()
    if reader.at != len(reader.lines):
        raise YamlError(f"wrong indent: {reader.text()}")
    return found


def cell(text):
    return str(text).replace("|", "\\|")


def type_of(schema):
    if schema["type"] == "array":
        return f"list of {type_of(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map to {schema['additionalProperties']['type']}"
    return "time" if schema.get("format") == "date-time" else schema["type"]


SIZES = (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "entries"), ("minProperties", "maxProperties", "entries"))


def bounds(low, high):
    if low is None:
        return f"up to {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def allowed(schema):
    """Everything that the schema asks of a value, that of a list's entries included."""
    if "enum" in schema:
        return ", ".join(f"`{name}`" for name in schema["enum"])
    parts = []
    if "minimum" in schema or "maximum" in schema:
        parts.append(bounds(schema.get("minimum"), schema.get("maximum")))
    for low, high, unit in SIZES:
        if low in schema or high in schema:
            parts.append(f"{bounds(schema.get(low), schema.get(high))} {unit}")
    if "pattern" in schema:
        parts.append(f"`{schema['pattern']}`")
    for inner in ("items", "additionalProperties"):
        each = allowed(schema[inner]) if inner in schema and schema[inner].get("type") != "object" else ""
        if each:
            parts.append(f"each {each}")
    if schema.get("x-kubernetes-list-type") == "map":
        parts.append("one for each " + ", ".join(f"`{key}`" for key in schema["x-kubernetes-list-map-keys"]))
    return "; ".join(parts)


def default(schema, required):
    if required:
        return "required"
    value = schema.get("default", {})
    if value == "" or isinstance(value, (bool, list)):
        value = json.dumps(value)
    return "" if value == {} else f"`{value}`"


def rows(schema, prefix, with_default):
    for name, field in schema.get("properties", {}).items():
        path = prefix + name
        cells = [f"`{path}`", type_of(field)]
        if with_default:
            cells += [default(field, name in schema.get("required", [])), allowed(field)]
        yield cells + [field["description"]]
        inner, mark = (field["items"], "[].") if field["type"] == "array" else (field, ".")
        yield from rows(inner, path + mark, with_default)


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(map(cell, line)) + " |" for line in lines]) + "\n"


def rules(schema):
    """The messages of all rules, in the order of the fields; what a list holds before the list."""
    if "items" in schema:
        yield from rules(schema["items"])
    for name, field in schema.get("properties", {}).items():
        yield from rules(field)
    for rule in schema.get("x-kubernetes-validations", []):
        yield rule["message"]


def stored_version(spec):
    """The version that is stored. All share a schema: without a webhook the API server drops, with each write in one
    version, what that version does not have."""
    stored = [version for version in spec["versions"] if version["storage"]]
    if len(stored) != 1 or spec.get("conversion", {"strategy": "None"}) != {"strategy": "None"}:
        raise YamlError(f"{spec['names']['plural']}: one version is stored, and versions are converted without a webhook")
    for version in spec["versions"]:
        if version["schema"] != stored[0]["schema"]:
            raise YamlError(f"{spec['names']['plural']}: {version['name']} has another schema than {stored[0]['name']}")
    return stored[0]


def kind_section(crd):
    spec = crd["spec"]
    version = stored_version(spec)
    schema = version["schema"]["openAPIV3Schema"]
    names = spec["names"]
    columns = [(c["name"].upper(), "`-o wide`" if c.get("priority") else "", c.get("description", ""))
               for c in version["additionalPrinterColumns"]]
    return "\n".join([
        f"## {names['kind']} (`{names['plural']}`, `{names['shortNames'][0]}`)\n",
        schema["description"] + "\n",
        "### spec\n",
        table(("Field", "Type", "Default", "Allowed", "Meaning"),
              rows(schema["properties"]["spec"], "", True)),
        "Rules that `kubectl apply` enforces:\n",
        "\n".join(f"- {message}" for message in rules(schema["properties"]["spec"])) + "\n",
        "### status\n",
        table(("Field", "Type", "Meaning"), rows(schema["properties"]["status"], "", False)),
        "### Columns of `kubectl get`\n",
        table(("Column", "Shown with", "Meaning"), columns)])


def condition_section(text):
    out = ["## Conditions and reasons\n",
           "A reason marked *stalls* waits for a person; all others are tried again with growing pauses.\n"]
    reasons = REASON.findall(text)
    if text.count("\nREASON(") != len(reasons):
        raise YamlError("conditions.def has a row that is not understood")
    for name, kind, meaning in CONDITION.findall(text):
        lines = [(f"`{reason}`", status + (", stalls" if stalls == "true" else ""), what, remedy)
                 for condition, reason, status, stalls, what, remedy in reasons if condition == name]
        out.append(f"### {kind}\n\n{meaning[0].upper()}{meaning[1:]}.\n")
        if lines:
            out.append(table(("Reason", "Status", "Meaning", "What to do"), lines))
    return "\n".join(out)


def reference(root):
    kinds = [kind_section(read_yaml((root / "crd" / f"{name}.yaml").read_text(encoding="utf-8")))
             for name in CRDS]
    reasons = (root / "reconciler/model/conditions.def").read_text(encoding="utf-8")
    return "\n".join([HEAD, *kinds, ANNOTATIONS, FINALIZERS, condition_section(reasons)])


def main(arguments, root=ROOT):
    path = root / "crd/README.md"
    text = reference(root)
    if arguments == ["--check"]:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            print("crd/README.md is not what the CRDs say: run tests/checks/crd_reference.py")
            return 1
        return 0
    if arguments:
        print(__doc__.strip())
        return 2
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
