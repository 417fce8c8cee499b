"""README.md, done as a newcomer would: its SQL, its YAML, its commands, in its order, on real programs. See readme.py."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.controlplane import start_control_plane
from cluster.mysql import start_oracle56
from cluster.processes import Daemon, free_port, wait_until

from . import system as sys_
from .plugin import Plugin, delete_pod, make_pod
from .readme import BLOCKS, README, Block, commands, environment, run, shell

NAMESPACE = "shop"
POD = "tablesync-readme-0"  # what the controller is said to run in
HOSTS = {"mysql.shop.svc": "mysql", "risingwave.streaming.svc": "risingwave", "starrocks-fe.warehouse.svc": "starrocks"}
# What differs from run to run, or between README's servers and the test's.
VOLATILE = [
    (rf"(127\.0\.0\.1|{'|'.join(map(re.escape, HOSTS))})(:\d+)?", "HOST"),
    (r"port='\d+'", "port='PORT'"), (r"server\.id='\d+'", "server.id='ID'"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"), (r"_[0-9a-f]{8}(?=_v\d|\b)", "_HASH"),
    (r"hash=[0-9a-f]{12}", "hash=HASH"), (r"sha256:[0-9a-f]{64}", "sha256:HASH"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"), (r"\bin \d+ ms\b", "in N ms"), (r"\brun \d+\b", "run N"),
    (r"^\d+ +TIME", "N TIME"), (r"(Succeeded|Failed) +(\d+) +\d+", r"\1 \2 MS"),
    (r"\b(\d+[dhms])+\b", "AGE"), (r"[ \t]+", " "),
]


PLAYED = [block for block in BLOCKS if block.mark in ("run", "file", "accepted", "output")]


def plain(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        for pattern, instead in VOLATILE:
            line = re.sub(pattern, instead, line)
        if line.strip():
            lines.append(line.strip())
    return lines


def differs(expected: str, printed: str, any_order: bool = False) -> str:
    """Why `printed` is not what README shows; empty when it is."""
    want, got = plain(expected), plain(printed)
    if any_order:
        want, got = sorted(want), sorted(got)
    at = 0
    for number, line in enumerate(want):
        if line == "...":
            if number + 1 == len(want):
                return ""
            following = want[number + 1]
            while at < len(got) and not same(following, got[at]):
                at += 1
        elif at < len(got) and same(line, got[at]):
            at += 1
        else:
            return f"README: {line}\nprinted: {got[at] if at < len(got) else '(nothing more)'}"
    return "" if at == len(got) else f"printed, and not in README: {got[at]}"


def same(want: str, got: str) -> bool:
    return got.startswith(want[:-4]) if want.endswith(" ...") else want == got


@dataclass
class Servers:
    """What README calls MySQL, RisingWave and StarRocks: fresh ones that only README's SQL has touched."""

    mysql: object
    rw: sys_.RisingWave
    starrocks: sys_.StarRocks

    def execute(self, server: str, text: str) -> str:
        rows: tuple | list = ()
        for statement in filter(None, (part.strip() for part in re.split(r";\s*$", text, flags=re.M))):
            run = {"mysql": self.mysql.execute, "risingwave": self.rw.query, "starrocks": self.starrocks.query}[server]
            rows = run(statement)
        return "\n".join("\t".join(map(str, row)) for row in rows)

    def adapt(self, yaml: str) -> str:
        """README's host names are those of a cluster; the test's servers stand on ports of 127.0.0.1."""
        ports = {"mysql": f"port: {self.mysql.port}", "risingwave": f"port: {self.rw.port}",
                 "starrocks": f"port: {self.starrocks.port}, starRocks: {{httpPort: {self.starrocks.ports['http-port']}}}"}
        for host, server in HOSTS.items():
            yaml = yaml.replace(f"host: {host},", f"host: 127.0.0.1, {ports[server]},")
        return yaml


class Story:
    """Plays the blocks in order, each once; what a block printed is kept for the `output` behind it."""

    def __init__(self, plane, servers: Servers, folder: Path, audit: Path, plugin: Plugin):
        self.plane, self.servers, self.folder = plane, servers, folder
        self.environment = {**plugin.environment, "TABLESYNC_AUDIT_DB": str(audit)}
        self.problems: dict[Block, str] = {}
        self.printed = ""

    def play(self) -> None:
        for number, block in enumerate(PLAYED):
            behind = PLAYED[number + 1] if number + 1 < len(PLAYED) else None
            self.problems[block] = getattr(self, f"play_{block.mark}")(block, behind)
            if self.problems[block] and block.mark != "output":
                return

    def play_file(self, block: Block, _behind) -> str:
        (self.folder / block.argument).parent.mkdir(exist_ok=True)
        (self.folder / block.argument).write_text(self.servers.adapt(block.text), encoding="utf-8")
        return ""

    def play_accepted(self, block: Block, _behind) -> str:
        done = self.plane.kubectl("apply", "-n", NAMESPACE, "--dry-run=server", "-f", "-", input=block.text, check=False)
        return "" if done.returncode == 0 else done.stderr

    def play_output(self, block: Block, _behind) -> str:
        problem = differs(block.text, self.printed, block.argument == "any order")
        return f"{problem}\n\nall of it:\n{self.printed}" if problem else ""

    def play_run(self, block: Block, behind: Block | None) -> str:
        if block.language == "sql":
            return self.query(block, behind)
        done = shell(block.text, self.folder, self.environment)
        self.printed = done.stdout
        wanted = int(block.argument.removeprefix("exit ") or 0)
        return "" if done.returncode == wanted else f"exit {done.returncode}, not {wanted}:\n{done.stdout}"

    def query(self, block: Block, behind: Block | None) -> str:
        """Rows take a moment to arrive: a SELECT is asked until it shows what README shows."""
        def shows() -> bool:
            self.printed = self.servers.execute(block.argument, block.text)
            return not (behind and behind.mark == "output" and differs(behind.text, self.printed))

        try:
            wait_until("README's rows", shows, 30)
        except TimeoutError:
            pass  # the output block says what differs
        return ""


@pytest.fixture(scope="module")
def story(running, control_plane, tmp_path_factory):
    """The system of all tests, with servers of its own for README."""
    work = tmp_path_factory.mktemp("readme")
    folder = work / "clone"
    folder.mkdir()
    for name in ("manifests", "crd"):
        shutil.copytree(sys_.ROOT / name, folder / name)
    rw, starrocks = sys_.RisingWave(work), sys_.StarRocks(work)
    with start_oracle56(work / "mysql") as mysql:
        try:
            rw.start()
            starrocks.start()
            made = Story(control_plane, Servers(mysql, rw, starrocks), folder, running.controller.audit,
                         Plugin(control_plane, work / "bin", running.debug, running.controller.port))
            make_pod(control_plane, POD)
            made.play()
            yield made
        finally:
            delete_pod(control_plane, POD)
            running.clear(NAMESPACE)
            rw.stop()
            starrocks.stop()


@pytest.mark.parametrize("block", PLAYED, ids=[block.title for block in PLAYED])
def test_readme_works(story, block):
    problem = story.problems.get(block, "not reached, for an earlier block failed")
    if problem:
        pytest.fail(f"README.md line {block.line}: {problem}", pytrace=False)


def test_every_block_says_what_becomes_of_it():
    """Nothing new slips in untested: commands, SQL and YAML are run here, or by the test that asks for them, or accepted."""
    assert [block.title for block in BLOCKS if not block.mark and block.language != "text"] == []
    assert {block.language for block in BLOCKS} == {"sh", "sql", "yaml", "text"}
    assert README.read_text(encoding="utf-8").count("```") == 2 * len(BLOCKS)
    assert [block.language for block in BLOCKS if block.mark == "output"].count("text") >= 5
    elsewhere = {block.argument for block in BLOCKS if block.mark == "by"}
    assert {argument.split()[0] for argument in elsewhere} >= {"test_chart.py", "test_image.py", "test_node.py"}
    for argument in elsewhere:
        file, _, name = argument.partition(" ")
        asked = f'commands("{file}", "{name}")' if name else f'commands("{file}")'
        assert asked in (Path(__file__).parent / file).read_text(encoding="utf-8"), f"nobody runs what is marked 'by: {argument}'"


def test_from_a_shell(tmp_path):
    """Installed from the clone, and run with a kubeconfig in place of the Deployment."""
    block, = commands("test_readme.py", "shell")
    *before, last = block.strip().splitlines()
    port = free_port()
    with start_control_plane(tmp_path / "plane") as plane:
        sys_.install(plane)
        known = environment(tmp_path, plane.admin_kubeconfig, VARIANT=Path(os.environ["TABLESYNC_BIN"]).parent.name,
                            TABLESYNC_PROBE_ADDRESS=f"127.0.0.1:{port}", TABLESYNC_METRICS_ADDRESS="0")
        run("\n".join(before), sys_.ROOT, known)
        assert plane.get("deployment", "tablesync", "-n", "tablesync-system")["spec"]["replicas"] == 0
        assert {path.name for path in (tmp_path / ".local/bin").iterdir()} == {
            "tablesync", "kubectl-tablesync", "kubectl_complete-tablesync"}
        daemon = Daemon("tablesync", ["bash", "-euc", f"exec {last}"], tmp_path / "controller.log", env=known)

        def is_ready():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                    return answer.status == 200
            except OSError:
                return False

        daemon.start(is_ready, 30)
        daemon.stop()
        assert daemon.exit_code == 0 and (tmp_path / "tablesync-audit.db").exists()


@pytest.mark.quiet
def test_the_demo():
    """What a newcomer tries first; its build takes all processors."""
    block, = commands("test_readme.py", "demo")
    printed = run(block, sys_.ROOT, {**os.environ}, timeout_s=600)
    assert printed.endswith("\ndemo: rows of MySQL and StarRocks are equal\n"), printed


def test_the_type_table_is_the_programs(story):
    """README groups types with the same fate; `tablesync types` prints each."""
    shown = subprocess.run([os.environ["TABLESYNC_BIN"], "types", "-o", "json"], check=True, capture_output=True,
                           text=True).stdout
    fates: dict[tuple, list[str]] = {}
    for row in json.loads(shown):
        mysql, *fate = (row[key] for key in ("mysql", "risingWave", "sink", "starRocks", "asKey", "note"))
        fates.setdefault(tuple(fate), []).append(mysql)
    lines = ["| " + " | ".join([", ".join(names), *fate]) + " |" for fate, names in fates.items()]
    table = README.read_text(encoding="utf-8").split("<!-- table: types -->\n")[1].split("\n<!-- end: types -->")[0]
    assert table.splitlines()[2:] == lines


def test_every_metric_is_listed(running):
    """In both directions: what /metrics shows, README names, and the other way round."""
    served = set(re.findall(r"^# TYPE (\w+) ", running.controller.get("/metrics"), re.M))
    text = README.read_text(encoding="utf-8")
    sections = [re.split(r"\n##+ ", text.split(f"\n### {title}\n")[1])[0] for title in ("Metrics and probes", "Metrics")]
    named = {name for name in re.findall(r"`(\w+)`", "".join(sections)) if "_" in name}
    assert named == served


def test_the_exit_codes(tmp_path):
    binary = os.environ["TABLESYNC_BIN"]
    document = tmp_path / "sync.yaml"
    document.write_text("apiVersion: tablesync.dev/v1alpha1\nkind: TableSync\nmetadata: {name: a}\nspec: {}\n")
    codes = {0: ["version"], 1: ["runs", "--audit-db", str(tmp_path / "none.db")], 2: ["plan", "-f", str(document)]}
    for code, arguments in codes.items():
        assert subprocess.run([binary, *arguments], capture_output=True, check=False).returncode == code, arguments


def test_output_is_compared(tmp_path):
    """The comparison finds what it is for, and forgives only what differs from run to run."""
    assert differs("a  t_x_0123abcd 3s\nb\n", "a t_x_aaaaaaaa  12m\nb") == ""
    assert differs("a\n...\nd\n", "a\nb\nc\nd") == "" and differs("long ...\n", "long line") == ""
    assert differs("b\na\n", "a\nb", any_order=True) == ""
    for wrong in ("a\nc", "a", "a\nb\nc", "b\na"):
        assert differs("a\nb\n", wrong), wrong
    assert differs("Succeeded   5   12", "Succeeded 4 12") and differs("a\n...\nd\n", "a\nb")
