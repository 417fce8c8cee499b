"""What GitOps tools say of a resource: kstatus, and Argo CD by the scripts of manifests/argocd."""

import copy
import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import yaml

from cluster import programs

from .system import ROOT

RECORDED = Path(__file__).resolve().parent / "recorded"
# Set it, run test_gitops.py, and read the difference: what the controller writes has changed.
RECORD = os.environ.get("TABLESYNC_RECORD") == "1"
PATIENCE = 5  # failures, after which Argo CD is told that somebody has to look


def ask(mode: str, document) -> list:
    done = subprocess.run([programs.path("gitops"), mode], input=json.dumps(document), text=True, capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@cache
def customizations() -> dict:
    return yaml.safe_load((ROOT / "manifests/argocd/argocd-cm.yaml").read_text(encoding="utf-8"))["data"]


@cache
def actions() -> dict:
    return yaml.safe_load(customizations()["resource.customizations.actions.tablesync.dev_TableSync"])


def kstatus(*objects: dict) -> list[str]:
    return [verdict["status"] for verdict in ask("kstatus", objects)]


def argo(*objects: dict) -> list[tuple[str, str]]:
    """Status and message that Argo CD shows."""
    found = []
    for each in objects:
        script = customizations()[f"resource.customizations.health.tablesync.dev_{each['kind']}"]
        found += ask("health", {"script": script, "objects": [each]})
    return [(verdict["status"], verdict["message"]) for verdict in found]


def offered(resource: dict) -> set[str]:
    """Actions that Argo CD lets people press."""
    shown, = ask("discover", {"script": actions()["discovery.lua"], "objects": [resource]})
    return {name for name, state in shown.items() if not state.get("disabled")}


def action(name: str, resource: dict) -> dict:
    """The merge patch that Argo CD sends when somebody presses it."""
    script, = (each["action.lua"] for each in actions()["definitions"] if each["name"] == name)
    patch, = ask("action", {"script": script, "objects": [resource]})
    return patch


# --- recorded objects ---

_SAME = ((re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?"), "2026-01-01T00:00:00Z"),
         (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "00000000-0000-0000-0000-000000000000"),
         (re.compile(r"sha256:[0-9a-f]{12,64}"), "sha256:0badcafe"), (re.compile(r"(?<=_)[0-9a-f]{8}(?=_v|\b)"), "0badcafe"),
         (re.compile(r"hash=[0-9a-f]+"), "hash=0badcafe"), (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:1"),
         (re.compile(r"port='\d+'"), "port='1'"), (re.compile(r"\d+ statements? to run, first: .*"), "statements to run"))
_NUMBERS = {"id", "port", "httpPort", "durationMs", "serverId", "actors", "parallelism", "rowEstimate"}
_HEX = {"hash", "runId", "planHash", "appliedHash", "schemaHash"}


def _plain(value, key: str = ""):
    if isinstance(value, dict):
        return {name: _plain(item, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(item, key) for item in value]
    if isinstance(value, str):
        for pattern, same in _SAME:
            value = pattern.sub(same, value)
        return "0badcafe" if key in _HEX or (key == "id" and value) else value
    return 1 if key in _NUMBERS and not isinstance(value, bool) else value


def plain(resource: dict) -> dict:
    """The object without what differs from run to run."""
    made = _plain(copy.deepcopy(resource))
    for key in ("managedFields", "resourceVersion", "selfLink"):
        made["metadata"].pop(key, None)
    status = made.get("status", {})
    status["retries"] = min(status.get("retries", 0), PATIENCE)
    for key in ("lastRun", "nextRetryAt", "stream"):
        status.pop(key, None)
    return made


def compare(name: str, resource: dict) -> None:
    """The fixture of that name is what the controller writes."""
    path = RECORDED / f"{name}.json"
    text = json.dumps(plain(resource), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if RECORD:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text)


def recorded(name: str) -> dict:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
