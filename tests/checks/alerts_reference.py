#!/usr/bin/env python3
"""Writes what repeats the alerts and the dashboard: the PrometheusRule, and the copies that the Helm chart carries.

manifests/prometheus/alerts.yaml and manifests/grafana/tablesync.json are the originals. With --check it changes
nothing and exits 1 when a copy is not what would be written. In both cases every alert must have its runbook under
"Alerts" in README.md, every runbook its alert, and every alert a summary, a description and the link to its runbook.
Needs nothing but Python.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ALERTS, DASHBOARD = "manifests/prometheus/alerts.yaml", "manifests/grafana/tablesync.json"
RULE, CHART = "manifests/prometheus/prometheusrule.yaml", "helm/tablesync"
HEAD = """# Written by tests/checks/alerts_reference.py from alerts.yaml: change that one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: tablesync
  namespace: tablesync-system
  labels:
    app.kubernetes.io/name: tablesync
spec:
"""


def rule(text):
    """alerts.yaml, its comment apart, below `spec:`."""
    lines = text[text.index("groups:"):].splitlines()
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in lines)


def copies(root):
    """What is to stand in each file, by its path."""
    alerts, dashboard = ((root / name).read_text(encoding="utf-8") for name in (ALERTS, DASHBOARD))
    found = {root / RULE: rule(alerts)}
    if (root / CHART).is_dir():
        found[root / CHART / "files/alerts.yaml"] = alerts
        found[root / CHART / "files/dashboard.json"] = dashboard
    return found


def gaps(root):
    """What an alert lacks, and runbooks of none."""
    text = (root / ALERTS).read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    runbooks = re.findall(r"^### (\w+)$", section, re.M)
    alerts = re.split(r"^  - alert: ", text, flags=re.M)[1:]
    for alert in alerts:
        name = alert.split("\n", 1)[0]
        for part in ("expr: ", "labels: {severity: ", "summary: ", "description: "):
            if len(re.findall(rf"^ +{part}\S", alert, re.M)) != 1:
                yield f"{ALERTS}: {name} needs one '{part.strip()}'"
        if f"runbook_url: README.md#{name.lower()}\n" not in alert:
            yield f"{ALERTS}: {name} needs runbook_url: README.md#{name.lower()}"
        if runbooks.count(name) != 1:
            yield f"README.md: the section Alerts needs one '### {name}'"
    names = {alert.split("\n", 1)[0] for alert in alerts}
    for runbook in runbooks:
        if runbook not in names:
            yield f"README.md: '### {runbook}' is the runbook of no alert"


def main(words, root=ROOT):
    if words not in ([], ["--check"]):
        print(__doc__.strip())
        return 2
    found = list(gaps(root))
    for path, text in copies(root).items():
        if not words:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(f"{path.relative_to(root)} is not what alerts.yaml and the dashboard say: run "
                         "tests/checks/alerts_reference.py")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
