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
