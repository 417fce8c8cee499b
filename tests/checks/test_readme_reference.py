"""README's tables follow the program's, and what README names exists."""
import re
import shutil

import crd_reference
import pytest
import readme_reference

SOURCES = ("README.md", "reconciler/model/conditions.def", "reconciler/model/phases.def", "reconciler/ddl/types.def",
           "reconciler/ddl/types_rows.c", "reconciler/ddl/expr.def", "reconciler/loop/metrics.def", "cmd/options.def",
           "cmd/options.c", "cmd/main.c", "cmd/kubectl/kubectl.c")
README = (readme_reference.ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for block in re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S) for line in block.splitlines()]


@pytest.fixture
def tree(tmp_path):
    """A copy of what the tables are made from."""
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(readme_reference.ROOT / name, tmp_path / name)
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_tables_are_up_to_date(tree):
    assert readme_reference.main(["--check"], tree) == 0


@pytest.mark.parametrize(("name", "old", "new"), [
    ("reconciler/model/conditions.def", "does not resolve", "is unknown"),
    ("reconciler/model/phases.def", "the resource is being deleted", "it is being deleted"),
    ("reconciler/ddl/types.def", "keys are reordered", "keys are sorted"),
    ("reconciler/ddl/types.def", 'REFUSED("set", "SET"', 'REFUSED("set", "SET (any)"'),
    ("reconciler/ddl/types_rows.c", "encode(c, 'hex')", "hex(c)"),
    ("reconciler/ddl/types_rows.c", "VARCHAR(p + 3), p <= 28", "VARCHAR(p + 3)"),
    ("reconciler/ddl/types_rows.c", "make it STORED or drop it", "drop it"),
    ("reconciler/ddl/expr.def", 'FUNCTION(BTRIM, "btrim"', 'FUNCTION(BTRIM, "strip"'),
    ("reconciler/ddl/expr.def", 'ALIAS("pow", POWER)', ""),
    ("reconciler/ddl/expr.def", 'CAST_TYPE("jsonb", JSONB)', 'CAST_TYPE("json", JSONB)'),
    ("reconciler/ddl/expr.def", 'OPERATOR(CONCAT, "||")', 'OPERATOR(CONCAT, "&")'),
    ("reconciler/loop/metrics.def", "Number of workers", "Workers"),
    ("cmd/options.def", '"720h"', '"168h"'),
    ("cmd/options.c", '"-n", "namespace"', '"-N", "namespace"'),
    ("cmd/main.c", '{"types",      \'t\', command_types,', '{"types",      \'t\', command_kinds,'),
    ("cmd/kubectl/kubectl.c", '"undo either kind of pause"', '"undo a pause"'),
    ("cmd/options.def", "resources of all namespaces", "all of them"),
    ("README.md", "| `--workers N` |", "| `--threads N` |"),
    ("README.md", "\n## Limits\n", "\n## What it cannot do\n"),
])
def test_drift_is_found_and_writing_ends_it(tree, capsys, name, old, new):
    edit(tree / name, old, new)
    assert readme_reference.main(["--check"], tree) == 1
    assert "README.md" in capsys.readouterr().out
    assert readme_reference.main([], tree) == 0
    assert readme_reference.main(["--check"], tree) == 0


@pytest.mark.parametrize(("name", "old", "new"), [
    ("reconciler/loop/metrics.def", 'METRIC(SYNCS, "gauge", ', "METRIC(SYNCS, "),
    ("reconciler/ddl/types.def", 'REFUSED("set", "SET",', 'REFUSED("set", SET + 1,'),
    ("reconciler/ddl/types_rows.c", 'columns", "refused", "",', 'columns", "refused",'),
    ("reconciler/ddl/expr.def", 'FUNCTION(ABS, "abs", ', "FUNCTION(ABS, "),
    ("cmd/main.c", ", command_", ", run_"),
    ("cmd/kubectl/kubectl.c", "', ", "' , "),
    ("README.md", "<!-- table: types -->\n", ""),
    ("README.md", "<!-- end: phases -->", "<!-- end: phases -->\n<!-- end: phases -->"),
])
def test_what_is_not_understood_is_an_error(tree, name, old, new):
    edit(tree / name, old, new)
    with pytest.raises(readme_reference.DefError):
        readme_reference.main(["--check"], tree)


def test_every_reason_is_shown_once_or_more(tree):
    """With what to do, or among those that ask for nothing."""
    for _, reason, *_ in readme_reference.read_conditions(tree)[1]:
        assert f"`{reason}`" in README, reason


def test_rows_of_a_def_are_read_whole():
    text = '/*\n * ROW(a, b)\n */\nROW(ONE, "a \\"quoted\\" "\n    "text (with) commas, too")\nROW(TWO, NULL /* why */)\n'
    assert readme_reference.rows(text, "ROW", 2) == [["ONE", 'a "quoted" text (with) commas, too'], ["TWO", "NULL"]]
    with pytest.raises(readme_reference.DefError):
        readme_reference.rows(text, "ROWS", 2)
    with pytest.raises(readme_reference.DefError):
        readme_reference.rows("ROW(1 + 1)\n", "ROW", 1)


def test_targets_of_make_exist():
    makefile = (readme_reference.ROOT / "Makefile").read_text(encoding="utf-8")
    named = {word for call in re.findall(r"\bmake ((?:[a-z][a-z-]*\b ?)+)(?![\w=])", "\n".join(COMMANDS))
             for word in call.split()} | set(re.findall(r"`make ([a-z]+)`", README))
    assert {"demo", "test", "install"} <= named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.M)} == set()


def test_flags_of_commands_exist():
    """Also of the commands that no test can run."""
    door = readme_reference.ROOT / "cmd"
    options = readme_reference.rows((door / "options.def").read_text(encoding="utf-8"), "OPTION", 7)
    letters = dict(re.findall(r'\{"(\w+)", +\'(\w)\'', (door / "main.c").read_text(encoding="utf-8")))
    letters |= {f"kubectl {name}": letter for name, letter, *_ in readme_reference.subcommands(readme_reference.ROOT)}
    named = [line for line in COMMANDS if line.startswith("tablesync ")]
    named += [line.removeprefix("kubectl ").replace("tablesync ", "tablesync kubectl ", 1) for line in COMMANDS
              if line.startswith("kubectl tablesync ")]
    assert len(named) >= 9
    for line in named:
        words = line.split()
        letter = letters[" ".join(words[1:3]) if words[1] == "kubectl" else words[1]]
        known = {f"--{row[1]}" for row in options if letter in row[5]}
        assert set(re.findall(r"--[a-z][\w-]*", line)) <= known, line


def leaves(schema, path=()):
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        if inner.get("properties"):
            yield from leaves(inner, (*path, name))
        else:
            yield (*path, name)


def test_the_commented_example_has_every_field():
    """README says that it does; the API server accepts it in the integration tests."""
    text = (readme_reference.ROOT / "crd/tablesyncs.yaml").read_text(encoding="utf-8")
    version = crd_reference.read_yaml(text)["spec"]["versions"][0]
    example = re.search(r"^<!-- accepted -->\n```yaml\n(.*?)^```", README, re.M | re.S)[1]
    fields = list(leaves(version["schema"]["openAPIV3Schema"]["properties"]["spec"]))
    assert len(fields) > 40
    assert [path for path in fields if any(not re.search(rf"\b{name}: ", re.sub("$", " ", example, flags=re.M)) for name in path)] == []


def test_every_annotation_is_explained():
    spec = (readme_reference.ROOT / "reconciler/model/spec.h").read_text(encoding="utf-8")
    known = set(re.findall(r'#define TSYNC_ANNOTATION_\w+ "([\w./-]+)"', spec))
    assert len(known) >= 5
    for text in (README, crd_reference.ANNOTATIONS):
        assert set(re.findall(r"^\| `(tablesync\.dev/[\w-]+)` \|", text, re.M)) == known


def test_every_policy_word_is_explained():
    """Each word that a field may hold, in README's own text."""
    text = (readme_reference.ROOT / "crd/tablesyncs.yaml").read_text(encoding="utf-8")
    version = crd_reference.read_yaml(text)["spec"]["versions"][0]
    words = set(re.findall(r"'enum': \[([^\]]*)\]", str(version["schema"]["openAPIV3Schema"]["properties"]["spec"])))
    names = {word for group in words for word in re.findall(r"'(\w+)'", group)}
    assert {"Recreate", "AddOnly", "Observe", "ToString"} <= names
    assert {name for name in names if not re.search(rf"\b{name}\b", README)} == set()


def test_links_and_paths_exist():
    paths = re.findall(r"\]\(([^)#]+)\)", README)
    paths += re.findall(r"`((?:crd|manifests|tests|reconciler|cmd)/[\w./*-]*)`", README)
    assert len(paths) > 5
    assert [path for path in paths if not (readme_reference.ROOT / path).exists()] == []


def test_links_within_lead_somewhere():
    anchors = [readme_reference.anchor(title) for _, title in readme_reference.headings(README)]
    assert len(anchors) == len(set(anchors)), "two headings of one name"
    linked = set(re.findall(r"\]\(#([^)]+)\)", README))
    assert len(linked) > 20 and linked <= set(anchors), linked - set(anchors)


def test_the_contents_name_every_chapter():
    """In README's order, and what a newcomer looks for is there."""
    listed = re.findall(r"^- \[([^\]]+)\]", readme_reference.contents(readme_reference.ROOT), re.M)
    assert listed == [title for depth, title in readme_reference.headings(README) if depth == 2]
    assert {"Five minutes to the first rows", "Concepts", "The resource by example", "Types", "Security", "Operations",
            "Troubleshooting", "Alerts", "Upgrade", "Uninstall", "Limits", "Performance"} <= set(listed)
