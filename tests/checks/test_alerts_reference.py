"""The script that copies alerts and dashboard finds each copy that is behind, and each alert without a runbook."""

import shutil

import alerts_reference as script
import pytest


@pytest.fixture
def tree(tmp_path):
    """A copy of what the script reads and writes, with a chart."""
    for name in (script.ALERTS, script.DASHBOARD, script.RULE, "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(script.ROOT / name, tmp_path / name)
    (tmp_path / script.CHART).mkdir(parents=True, exist_ok=True)
    assert script.main([], tmp_path) == 0
    assert script.main(["--check"], tmp_path) == 0
    return tmp_path


@pytest.mark.parametrize("name", [script.RULE, f"{script.CHART}/files/alerts.yaml", f"{script.CHART}/files/dashboard.json"])
def test_a_copy_that_is_behind_is_named(tree, name, capsys):
    with open(tree / name, "a", encoding="utf-8") as text:
        text.write("\n")
    assert script.main(["--check"], tree) == 1 and f"{name} is not what" in capsys.readouterr().out
    (tree / name).unlink()
    assert script.main(["--check"], tree) == 1 and f"{name} is not what" in capsys.readouterr().out


def test_without_a_chart_nothing_is_written_there(tree):
    shutil.rmtree(tree / "helm")
    assert script.main([], tree) == 0 and not (tree / "helm").exists()


@pytest.mark.parametrize(("file", "old", "new", "says"), [
    ("README.md", "### TableSyncStalled\n", "### Stalled\n", "needs one '### TableSyncStalled'"),
    ("README.md", "### TableSyncStalled\n", "### TableSyncOther\n", "'### TableSyncOther' is the runbook of no alert"),
    (script.ALERTS, "README.md#tablesyncstalled", "README.md#stalled", "TableSyncStalled needs runbook_url"),
    (script.ALERTS, "  - alert: TableSyncStalled\n", "  - alert: TableSyncNew\n", "needs one '### TableSyncNew'"),
    (script.ALERTS, "      description: 'Nothing will", "      note: 'Nothing will", "TableSyncStalled needs one 'description:'"),
    (script.ALERTS, "    labels: {severity: warning}\n", "", "TableSyncStalled needs one 'labels: {severity:'"),
])
def test_an_alert_without_its_runbook_or_the_other_way_round(tree, file, old, new, says, capsys):
    text = (tree / file).read_text(encoding="utf-8")
    assert old in text
    (tree / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert script.main([], tree) == 1 and says in capsys.readouterr().out


def test_other_words_are_refused(tree, capsys):
    assert script.main(["--chekc"], tree) == 2 and "--check" in capsys.readouterr().out
