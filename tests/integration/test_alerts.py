"""Alerts and dashboard: the rules fire when they should, by promtool, and ask for series that a controller really has."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from cluster import programs
from cluster.processes import wait_until

from .system import ROOT, Group

RULES = ROOT / "manifests/prometheus/alerts.yaml"
DASHBOARD = ROOT / "manifests/grafana/tablesync.json"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]}
ONE = 'namespace="shop",name="orders",job="tablesync",instance="a"'
SYNC = {"namespace": "shop", "name": "orders", "job": "tablesync", "instance": "a"}
ALL = {"job": "tablesync", "instance": "a"}
TARGET = 'job="tablesync",instance="a"'
HIDDEN = {f"tablesync_resources_without_series{{{TARGET}}}": "7x60"}
SHOWN = {f"tablesync_resources_without_series{{{TARGET}}}": "0x60"}
HERE = {f'tablesync_resources{{kind="TableSync",{TARGET}}}': "3x60"}


def condition(kind, status, values="1x60"):
    return {f'tablesync_condition{{{ONE},type="{kind}",status="{status}"}}': values}


def lease(*values):
    found = {}
    for number, value in enumerate(values):
        one = f'job="tablesync",instance="{number}"'
        found |= {f'leader_election_master_status{{{one},name="tablesync-controller"}}': value,
                  f'tablesync_resources{{{one},kind="TableSync"}}': "3x60"}
    return found


def runway(left_s, retention_s=86400):
    """Series of a reader that has stood still so long that so much is left when rules are asked, an hour after 0."""
    return {f"tablesync_binlog_retention_seconds{{{ONE}}}": f"{retention_s}x60",
            f"tablesync_source_position_timestamp_seconds{{{ONE}}}": f"{3600 - (retention_s - left_s)}x60"}


# Series, one value a minute for an hour; what is to fire at its end, as (labels, summary) or None.
CASES = {
    "TableSyncStalled": [
        (condition("Stalled", "True") | SHOWN, SYNC | {"type": "Stalled", "status": "True"},
         "TableSync shop/orders waits for a person"),
        (HIDDEN | {f"tablesync_stalled_resources{{{TARGET}}}": "1x60"}, ALL, "TableSyncs wait for a person"),
        (condition("Stalled", "False") | SHOWN | {f"tablesync_stalled_resources{{{TARGET}}}": "1x60"}, None, None),
        (condition("Stalled", "True", "0x57 1x3"), None, None)],
    "TableSyncNotReady": [
        (condition("Ready", "False"), SYNC | {"type": "Ready", "status": "False"},
         "TableSync shop/orders has not been Ready for half an hour"),
        (condition("Ready", "True"), None, None),
        (condition("Ready", "False") | condition("Stalled", "True"), None, None),
        (condition("Ready", "False") | {f'tablesync_sink_state{{{ONE},state="Paused"}}': "1x60"}, None, None),
        (condition("Ready", "False", "_x40 1x20"), None, None)],
    "TableSyncLagging": [
        ({f"tablesync_replication_lag_seconds{{{ONE}}}": "420x60"} | SHOWN, SYNC, "TableSync shop/orders is 7m 0s behind MySQL"),
        ({f"tablesync_replication_lag_max_seconds{{{TARGET}}}": "420x60"} | HIDDEN, ALL, "A TableSync is 7m 0s behind MySQL"),
        ({f"tablesync_replication_lag_seconds{{{ONE}}}": "300x60"}, None, None),
        ({f"tablesync_replication_lag_seconds{{{ONE}}}": "420x55 0x5"}, None, None)],
    "TableSyncSinkFailed": [
        ({f'tablesync_sink_state{{{ONE},state="SinkFailed"}}': "1x60"}, SYNC | {"state": "SinkFailed"},
         "The sink of TableSync shop/orders delivers nothing to StarRocks"),
        ({f'tablesync_sinks{{{TARGET},state="SinkRejected"}}': "2x60"} | HIDDEN, ALL, "Sinks deliver nothing to StarRocks"),
        ({f'tablesync_sink_state{{{ONE},state="Running"}}': "1x60"}, None, None)],
    "TableSyncBinlogRunwayShort": [
        (runway(40000), SYNC, "MySQL will soon delete changes that TableSync shop/orders has not read"),
        ({f"tablesync_binlog_runway_min_seconds{{{TARGET}}}": "600x60"} | HIDDEN, ALL,
         "MySQL will soon delete changes that a TableSync has not read"),
        (runway(-5), SYNC, "MySQL will soon delete changes that TableSync shop/orders has not read"),
        (runway(50000), None, None),
        ({f"tablesync_binlog_runway_min_seconds{{{TARGET}}}": "600x60"} | SHOWN, None, None)],
    "TableSyncBreakerOpen": [
        ({f"tablesync_connection_breaker_state{{{ONE}}}": "0x40 2 1 2 2 1 2 2 2 1 2 2 2 2 1 2 2 2 2 2 2"}, SYNC,
         "The server of DatabaseConnection shop/orders does not answer"),
        ({f"tablesync_connection_breaker_state{{{ONE}}}": "0x40 2 2 2 0 0 2 2 2 0 2 2 2 0 0 2 0 0 2 2 2"}, None, None)],
    "TableSyncControllerDown": [
        ({'up{job="other"}': "1x60"}, {"kind": "TableSync"}, "No TableSync controller can be scraped"),
        (HERE, None, None)],
    "TableSyncNoLeader": [
        (lease("0x60", "0x60"), {"job": "tablesync"}, "No TableSync controller is the leader"),
        (lease("0x60", "1x60"), None, None),
        (HERE, None, None),
        ({'leader_election_master_status{job="other",instance="x",name="other"}': "0x60"} | HERE, None, None)],
    "TableSyncAuditDegraded": [
        ({f"tablesync_audit_degraded{{{TARGET}}}": "1x60"}, ALL, "The audit log of the TableSync controller drops records"),
        ({f"tablesync_audit_degraded{{{TARGET}}}": "0x60"}, None, None)],
    "TableSyncWatchSilent": [
        ({f'tablesync_watch_last_event_seconds{{{TARGET},resource="tablesyncs"}}': "0+60x60"}, ALL | {"resource": "tablesyncs"},
         "The TableSync controller hears nothing of tablesyncs from the API server"),
        ({f'tablesync_watch_last_event_seconds{{{TARGET},resource="tablesyncs"}}': "60x60"}, None, None)],
    "TableSyncHotLoop": [
        ({f"tablesync_hot_loops_total{{{TARGET}}}": "0x50 1x10"}, ALL, "A TableSync is changed again and again, to no effect"),
        ({f"tablesync_hot_loops_total{{{TARGET}}}": "4x60"}, None, None)],
}


def promtool(*arguments):
    return subprocess.run([programs.path("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          check=False)


def rendered(template, labels):
    """What the description becomes; of Go's templates it uses these two forms alone."""
    text = re.sub(r"\{\{ with \$labels\.name \}\}(.*?)\{\{ end \}\}",
                  lambda found: found[1].replace("{{ . }}", labels["name"]) if labels.get("name") else "", template)
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels.get(found[1], ""), text)


def expected(alert, labels, summary):
    rule = ALERTS[alert]
    return {"exp_labels": labels | rule["labels"],
            "exp_annotations": {"summary": summary, "description": rendered(rule["annotations"]["description"], labels),
                                "runbook_url": f"README.md#{alert.lower()}"}}


def checked(tmp_path, cases):
    """promtool's word on cases of the form (alert, series, labels, summary)."""
    tests = [{"interval": "1m", "name": f"{alert} {number}",
              "input_series": [{"series": name, "values": values} for name, values in series.items()],
              "alert_rule_test": [{"alertname": alert, "eval_time": "60m",
                                   "exp_alerts": [expected(alert, labels, summary)] if labels else []}]}
             for number, (alert, series, labels, summary) in enumerate(cases)]
    document = tmp_path / "alerts_test.yaml"
    document.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}), encoding="utf-8")
    return promtool("test", "rules", document)


def test_rules_are_rules():
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0 and f"{len(ALERTS)} rules found" in done.stdout, done.stdout + done.stderr


def test_every_alert_fires_and_keeps_silent(tmp_path):
    """Both are shown of each, with what it says."""
    assert set(CASES) == set(ALERTS)
    for alert, cases in CASES.items():
        assert {labels is None for _, labels, _ in cases} == {True, False}, alert
    done = checked(tmp_path, [(alert, *case) for alert, cases in CASES.items() for case in cases])
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("turned", [lambda case: (case[0], case[1], None, None), lambda case: (*case[:3], "Something else")],
                         ids=["silent", "other words"])
def test_a_wrong_expectation_is_found(tmp_path, turned):
    done = checked(tmp_path, [turned(("TableSyncAuditDegraded", *CASES["TableSyncAuditDegraded"][0]))])
    assert done.returncode == 1 and "FAILED" in done.stdout + done.stderr


# --- against the real /metrics ---

WORDS = {"and", "or", "unless", "on", "by", "without", "ignoring", "group_left", "group_right", "bool", "time"}
# Those that Prometheus itself puts on a series.
OF_TARGETS = {"job", "instance"}


def queries():
    """Each PromQL expression with where it stands, and labels that the dashboard shows of it."""
    for alert, rule in ALERTS.items():
        shown = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        yield alert, rule["expr"], shown
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
            yield f"variable {variable['name']}", found[1], {found[2]}


def selectors(expression):
    """(metric, labels matched) of each selector, and the labels that operators name."""
    plain = re.sub(r'"[^"]*"', '""', expression)
    named = set()
    for listed in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", plain):
        named |= {label.strip() for label in listed.split(",")}
    plain = re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", " ", plain)
    plain = re.sub(r"\[[^\]]*\]", " ", plain)
    found = []
    for name, opens, inside in re.findall(r"\b([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?", plain):
        if opens != "(" and name not in WORDS:
            found.append((name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside))))
        plain = plain.replace("{" + inside + "}", "{}") if inside else plain
    matched = {label for _, labels in found for label in labels}
    return [pair for pair in found if pair[0] not in matched], named


@pytest.fixture(scope="module")
def served(running):
    """Sample names of a controller that has streamed, with the labels that they have; and all declared ones."""
    running.mysql.execute("SET GLOBAL expire_logs_days = 7")
    group = Group(running, "watched")
    group.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    group.apply({"t": {}})
    group.wait_ready("t")
    one = 'tablesync_binlog_retention_seconds{namespace="watched",name="t"} '
    wait_until("its numbers are there", lambda: one in running.controller.get("/metrics"), 30)
    samples = {}
    for family in text_string_to_metric_families(running.controller.get("/metrics")):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    yield samples
    group.mysql.execute("SET GLOBAL expire_logs_days = 0")
    group.finish()


def declared():
    """Labels of every metric as metrics.def has them, for series that need a Lease."""
    text = (ROOT / "reconciler/loop/metrics.def").read_text(encoding="utf-8")
    return {name: set(re.findall(r"(\w+)=", labels))
            for name, labels in re.findall(r'^METRIC\(\w+, "\w+", "(\w+)", "((?:[^"\\]|\\.)*)"', text, re.M)}


def test_every_query_finds_its_series(served):
    """Metrics and labels of alerts, panels and variables are those of a real scrape."""
    seen = set()
    for where, expression, shown in queries():
        found, named = selectors(expression)
        assert found, f"{where}: no metric in {expression}"
        there = set(OF_TARGETS)
        for metric, matched in found:
            if metric.startswith("leader_election_"):
                labels = declared()[metric]
            else:
                assert metric in served, f"{where}: a controller has no {metric}"
                labels = {label for one, _ in served[metric] for label in one}
            assert matched <= labels, f"{where}: {metric} has {labels}, not {matched - labels}"
            there |= labels
            seen.add(metric)
        assert named <= there, f"{where}: no metric of {expression} has {named - there}"
        assert shown <= there, f"{where}: shows {shown - there}, which no metric of {expression} has"
    assert len(seen) > 30


def test_values_that_queries_match_exist(served):
    """A sink's states and a condition's statuses are the program's own words."""
    reasons = set(re.findall(r'^REASON\(SINK_READY, "(\w+)"', (ROOT / "reconciler/model/conditions.def").read_text(), re.M))
    for where, expression, _ in queries():
        for states in re.findall(r'state=~?"([\w|]+)"', expression):
            assert set(states.split("|")) <= reasons, where
        for kind in re.findall(r'type="(\w+)"', expression):
            assert kind in {labels["type"] for labels, _ in served["tablesync_condition"]}, where


def test_the_binary_log_that_is_left_is_told(served):
    """A reader that works is never far behind, so nearly all of MySQL's seven days are left."""
    one = {"namespace": "watched", "name": "t"}
    week_s = 7 * 86400
    assert (one, week_s) in served["tablesync_binlog_retention_seconds"]
    (_, left), = served["tablesync_binlog_runway_min_seconds"]
    assert week_s - 600 < left <= week_s
    assert one in [labels for labels, _ in served["tablesync_source_position_timestamp_seconds"]]


def test_the_dashboard_is_one(tmp_path):
    """Panels of their own ids that do not overlap, one data source, and expressions that Prometheus understands."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 20
    cells = [(x, y) for panel in panels for grid in [panel["gridPos"]]
             for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])]
    assert len(set(cells)) == len(cells) and max(x for x, _ in cells) < 24
    for panel in panels:
        assert panel["title"] and (panel["type"] == "row" or panel["description"].endswith("."))
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel.get("targets", []))
    rules = [{"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$namespace", ".*")
              .replace("$name", ".*")} for number, (_, expression, _) in enumerate(queries())]
    document = tmp_path / "dashboard.yaml"
    document.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    done = promtool("check", "rules", document)
    assert done.returncode == 0, done.stdout + done.stderr


def test_selectors_are_read():
    """The reader of expressions sees what it is for."""
    found, named = selectors('sum by (le, a) (rate(x_bucket{b=~"c=d",e!="f"}[5m])) and on (g) y == 1 or time() - z{h="i"}')
    assert dict(found) == {"x_bucket": {"b", "e"}, "y": set(), "z": {"h"}} and named == {"le", "a", "g"}


def test_the_rule_is_what_prometheus_reads():
    """The resource of the operator holds the same groups, and the files name each other."""
    rule = yaml.safe_load(Path(RULES.parent / "prometheusrule.yaml").read_text(encoding="utf-8"))
    assert rule["kind"] == "PrometheusRule" and rule["spec"] == yaml.safe_load(RULES.read_text(encoding="utf-8"))
