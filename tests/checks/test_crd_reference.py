"""The reference of the API follows the CRDs, and its small YAML reader refuses what it does not know."""
import re
import shutil

import crd_reference
import pytest


@pytest.fixture
def tree(tmp_path):
    """A copy of what the reference is made from, and of the reference."""
    for name in ("crd/databaseconnections.yaml", "crd/tablesyncs.yaml", "crd/README.md",
                 "reconciler/model/conditions.def"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(crd_reference.ROOT / name, tmp_path / name)
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_reference_is_up_to_date(tree):
    assert crd_reference.main(["--check"], tree) == 0


@pytest.mark.parametrize(("name", "old", "new"), [
    ("crd/tablesyncs.yaml", "maximum: 64", "maximum: 65"),
    ("crd/databaseconnections.yaml", "default: 5400-6400", "default: 5400-6401"),
    ("reconciler/model/conditions.def", "does not resolve", "is unknown"),
    ("crd/README.md", "## TableSync", "## TableSyncs"),
])
def test_drift_is_found_and_writing_ends_it(tree, capsys, name, old, new):
    edit(tree / name, old, new)
    assert crd_reference.main(["--check"], tree) == 1
    assert "crd/README.md" in capsys.readouterr().out
    assert crd_reference.main([], tree) == 0
    assert crd_reference.main(["--check"], tree) == 0


# Of offline commands only, or put under another reason before a resource shows them: what is kept of a connection
# is asked for when a deletion is blocked, and by CredentialsKept. A controller that does not lead shows nothing at all.
NOT_SHOWN = {"KeptTooLarge", "InvalidSchema", "NothingKept", "KeptUnreadable", "NotLeader", "HeldByAnother", "LeaderElectionLost"}
RAISED = re.compile(r'(?:fault_set\([^;"]*?\bFAULT_\w+,\s*|fault_reason\([^,;"]*,\s*|FINDING_MISSING,\s*\w+,\s*)"(\w+)"')
CLASSIFIED = re.compile(r'"((?:[A-Z][a-z]+){2,}|[A-Z]{3}[A-Z][a-z]+)"')


def test_every_reason_that_the_rooms_raise_is_in_the_table():
    """The user looks up in the reference what a condition says."""
    rooms = crd_reference.ROOT / "reconciler"
    known = {row[1] for row in crd_reference.REASON.findall((rooms / "model/conditions.def").read_text())}
    raised = {}
    for path in [p for room in ("model", "ddl", "db", "loop") for p in sorted((rooms / room).glob("*.c"))]:
        pattern = CLASSIFIED if path.name == "classify_rules.c" else RAISED
        for reason in pattern.findall(path.read_text(encoding="utf-8")):
            raised.setdefault(reason, path.name)
    assert {"NoPrimaryKey", "AuthFailed", "ServerIdUnset"} <= set(raised)  # the patterns still find what there is
    assert {reason: file for reason, file in raised.items() if reason not in known | NOT_SHOWN} == {}


def test_every_finalizer_is_explained():
    spec = (crd_reference.ROOT / "reconciler/model/spec.h").read_text(encoding="utf-8")
    known = re.findall(r'#define \w+_FINALIZER "([\w./-]+)"', spec)
    assert len(known) >= 2
    assert re.findall(r"^\| `(tablesync\.dev/[\w-]+)` \|", crd_reference.FINALIZERS, re.M) == known


def test_a_missing_reference_is_drift(tree):
    (tree / "crd/README.md").unlink()
    assert crd_reference.main(["--check"], tree) == 1


def test_a_reason_in_another_form_is_an_error(tree):
    edit(tree / "reconciler/model/conditions.def", '"UnknownHost", "False", false', '"UnknownHost", FALSE, 0')
    with pytest.raises(crd_reference.YamlError):
        crd_reference.reference(tree)


def test_lists_are_described_inside_too(tree):
    text = crd_reference.reference(tree)
    for part in ("| `columns.overrides[].name` | string | required |", '| `["*"]` |', "| `false` |", '| `""` |',
                 "\n- spec.columns.overrides must set targetName, targetType or expression\n",
                 "\n- spec.columns.include must hold MySQL names"):
        assert part in text, part


@pytest.mark.parametrize(("schema", "text"), [
    ({"type": "string", "enum": ["A", "B"]}, "`A`, `B`"),
    ({"type": "integer", "minimum": 0}, "at least 0"),
    ({"type": "integer", "minimum": 1, "maximum": 64}, "1 to 64"),
    ({"type": "string", "maxLength": 8, "pattern": "^a|b$"}, "up to 8 characters; `^a|b$`"),
    ({"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "minLength": 1, "maxLength": 9}},
     "1 to 3 entries; each 1 to 9 characters"),
    ({"type": "object", "maxProperties": 2, "additionalProperties": {"type": "string", "maxLength": 5}},
     "up to 2 entries; each up to 5 characters"),
    ({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object"}},
     "one for each `name`"),
    ({"type": "boolean"}, "")])
def test_what_a_schema_asks_is_said(schema, text):
    assert crd_reference.allowed(schema) == text


CONSTRAINTS = ("enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
               "maxProperties")


def constraints(schema):
    """(key, value) of all that a schema and what is below it asks of values."""
    for key, value in schema.items():
        if key in CONSTRAINTS and not isinstance(value, dict):
            yield key, value
        elif isinstance(value, dict):
            yield from constraints(value)


def test_no_constraint_and_no_rule_is_left_out(tree):
    text = crd_reference.reference(tree)
    for name in crd_reference.CRDS:
        crd = crd_reference.read_yaml((tree / f"crd/{name}.yaml").read_text(encoding="utf-8"))
        spec = crd_reference.stored_version(crd["spec"])["schema"]["openAPIV3Schema"]["properties"]["spec"]
        found = list(constraints(spec))
        assert len(found) > 10
        for key, value in found:
            for part in value if key == "enum" else [value]:
                assert crd_reference.cell(part) in text, (name, key, part)
        for rule in re.findall(r"'message': (['\"])(.*?)\1[,}]", str(spec)):
            assert rule[1] in text, rule


def version(name, storage, **more):
    return {"name": name, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object", **more}}}


@pytest.mark.parametrize(("versions", "conversion", "says"), [
    ([version("v1", True), version("v2", False, required=["spec"])], None, "v2 has another schema than v1"),
    ([version("v1", True), version("v2", True)], None, "one version is stored"),
    ([version("v1", True)], {"strategy": "Webhook"}, "without a webhook")])
def test_versions_that_would_lose_fields_are_refused(versions, conversion, says):
    spec = {"names": {"plural": "things"}, "versions": versions} | ({"conversion": conversion} if conversion else {})
    with pytest.raises(crd_reference.YamlError, match=says):
        crd_reference.stored_version(spec)


def test_versions_with_one_schema_are_taken():
    spec = {"names": {"plural": "things"}, "versions": [version("v1", False), version("v2", True)]}
    assert crd_reference.stored_version(spec)["name"] == "v2"


def test_reads_what_the_crds_use():
    text = "a: {}\nb:\n- name: x  \n  y: [1, two]\n- z: 'it''s'\nc:\n  d: >-\n    one\n    two\n  # a comment\n  e: \"True\"\nf: true\n"
    assert crd_reference.read_yaml(text) == {
        "a": {}, "b": [{"name": "x", "y": [1, "two"]}, {"z": "it's"}],
        "c": {"d": "one two", "e": "True"}, "f": True}


@pytest.mark.parametrize("text", [
    "a: |\n  x\n", "a: {b: c}\n", "a: &x 1\n", "a: 'open\n", "a: 1\na: 2\n", "a:\n", "a: 1\n  b: 2\n", "a:1\n"])
def test_refuses_yaml_it_does_not_know(text):
    with pytest.raises(crd_reference.YamlError):
        crd_reference.read_yaml(text)
