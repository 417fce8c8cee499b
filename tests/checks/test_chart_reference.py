"""What the chart has from elsewhere follows it, and what cannot be followed is said."""
import shutil

import chart_reference
import pytest

CHART = chart_reference.CHART
SOURCES = ("Makefile", "crd/tablesyncs.yaml", "crd/databaseconnections.yaml",
           *(f"{CHART}/{name}" for name in ("Chart.yaml", "README.md", "values.yaml", "templates/crd-tablesyncs.yaml",
                                            "templates/crd-databaseconnections.yaml")))


@pytest.fixture
def tree(tmp_path):
    """A copy of what is read and written."""
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(chart_reference.ROOT / name, tmp_path / name)
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_chart_is_up_to_date(tree):
    assert chart_reference.main(["--check"], tree) == 0


@pytest.mark.parametrize(("name", "old", "new", "wrong"), [
    ("crd/tablesyncs.yaml", "shortNames: [tsync]", "shortNames: [ts]", "templates/crd-tablesyncs.yaml"),
    (f"{CHART}/templates/crd-databaseconnections.yaml", "shortNames: [dbconn]", "shortNames: [dc]",
     "templates/crd-databaseconnections.yaml"),
    (f"{CHART}/templates/crd-tablesyncs.yaml", "helm.sh/resource-policy: keep", "helm.sh/resource-policy: drop", "crd-tablesyncs.yaml"),
    (f"{CHART}/values.yaml", "retention: 720h", "retention: 24h", "README.md"),
    (f"{CHART}/values.yaml", "# Priority class of the pods.", "# Their priority class.", "README.md"),
    (f"{CHART}/values.yaml", "    memory: 256Mi", "    memory: 512Mi", "README.md"),
    (f"{CHART}/README.md", "| `replicas` | `1` |", "| `replicas` | `2` |", "README.md"),
    ("Makefile", "VERSION := ", "VERSION := 9", "Chart.yaml"),
    (f"{CHART}/Chart.yaml", "\nversion: ", "\nversion: 9", "Chart.yaml"),
])
def test_drift_is_found_and_writing_ends_it(tree, capsys, name, old, new, wrong):
    edit(tree / name, old, new)
    assert chart_reference.main(["--check"], tree) == 1
    assert wrong in capsys.readouterr().out
    assert chart_reference.main([], tree) == 0
    assert chart_reference.main(["--check"], tree) == 0


@pytest.mark.parametrize(("name", "old", "new", "said"), [
    ("crd/tablesyncs.yaml", "description: The MySQL table.", "description: The {{table}}.", "which a template would run"),
    ("crd/tablesyncs.yaml", "  name: tablesyncs.tablesync.dev\n", "  name: tablesyncs.tablesync.dev\n  annotations: {}\n",
     "has annotations"),
    (f"{CHART}/values.yaml", "  # debug, info or error.\n", "", "'controller.logLevel' has no comment"),
    (f"{CHART}/values.yaml", "replicas: 1\n", "replicas: 1\n- 2\n", "not understood: '- 2'"),
    (f"{CHART}/values.yaml", "replicas: 1\n", "replicas: 1\n    deep: 2\n", "nobody is above"),
    (f"{CHART}/README.md", "<!-- end: values -->", "", "needs the marks"),
    ("Makefile", "VERSION :=", "RELEASE :=", "has no VERSION"),
])
def test_what_is_not_understood_is_an_error(tree, name, old, new, said):
    edit(tree / name, old, new)
    with pytest.raises(chart_reference.ChartError, match=said):
        chart_reference.main(["--check"], tree)


def test_maps_that_stand_for_a_whole_are_one_line():
    text = "# Why.\npodSecurityContext:\n  a: 1\n  b:\n    c: d\n  e: 2\n\n# Then.\nx: []\n"
    assert chart_reference.read_values(text) == [("podSecurityContext", "{a: 1, b: {c: d}, e: 2}", "Why."), ("x", "[]", "Then.")]


def test_unknown_words_are_usage(tree, capsys):
    assert chart_reference.main(["--write"], tree) == 2
    assert "--check" in capsys.readouterr().out
