"""README.md, done as a newcomer would: its SQL, its YAML, its commands, in its order, on real programs.

A comment before a fenced block says what becomes of it:

    run              a shell block: it must succeed; `run: exit N` must end with N
    run: mysql       SQL for that server, as its administrator (mysql, risingwave, starrocks)
    file: NAME       written into the folder where the commands run
    accepted         YAML that the API server must accept
    shown            commands that cannot run in a test; their flags and paths are checked elsewhere
    output           what the block before printed, compared without what differs from run to run;
                     `output: any order` compares sorted lines; ` ...` ends a line early, a line `...` skips any
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.mysql import start_oracle56
from cluster.processes import wait_until

from . import system as sys_

README = sys_.ROOT / "README.md"
NAMESPACE = "shop"
FENCE = re.compile(r"(?:^<!-- (run|file|accepted|shown|output)(?:: ([^>\n]*))? -->\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)
TIMEOUT_S = 180
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


@dataclass(frozen=True)
class Block:
    line: int
    mark: str
    argument: str
    language: str
    text: str

    @property
    def title(self) -> str:
        return f"line{self.line}-{self.mark or self.language}"


def read_blocks() -> list[Block]:
    text = README.read_text(encoding="utf-8")
    return [Block(text.count("\n", 0, found.start(3)) + 1, found[1] or "", found[2] or "", found[3], found[4])
            for found in FENCE.finditer(text)]


BLOCKS = read_blocks()
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

    def __init__(self, plane, servers: Servers, folder: Path, audit: Path):
        self.plane, self.servers, self.folder = plane, servers, folder
        programs = folder.parent / "bin"
        programs.mkdir()
        (programs / "tablesync").symlink_to(os.environ["TABLESYNC_BIN"])
        (programs / "kubectl").symlink_to(plane.kubectl("version", "--client").args[0])
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder),
                            "KUBECONFIG": str(plane.admin_kubeconfig), "KUBECACHEDIR": str(plane.workdir / "kubectl-cache"),
                            "TABLESYNC_AUDIT_DB": str(audit)}
        self.problems: dict[Block, str] = {}
        self.printed = ""

    def play(self) -> None:
        for number, block in enumerate(PLAYED):
            behind = PLAYED[number + 1] if number + 1 < len(PLAYED) else None
            self.problems[block] = getattr(self, f"play_{block.mark}")(block, behind)
            if self.problems[block] and block.mark != "output":
                return

    def play_file(self, block: Block, _behind) -> str:
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
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=TIMEOUT_S, check=False)
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
            made = Story(control_plane, Servers(mysql, rw, starrocks), folder, running.controller.audit)
            made.play()
            yield made
        finally:
            running.clear(NAMESPACE)
            rw.stop()
            starrocks.stop()


@pytest.mark.parametrize("block", PLAYED, ids=[block.title for block in PLAYED])
def test_readme_works(story, block):
    problem = story.problems.get(block, "not reached, for an earlier block failed")
    if problem:
        pytest.fail(f"README.md line {block.line}: {problem}", pytrace=False)


def test_every_block_says_what_becomes_of_it():
    """Nothing new slips in untested: commands, SQL and YAML are run, accepted or marked as shown."""
    unmarked = [block.title for block in BLOCKS if not block.mark and block.language != "text"
                and not all(line.startswith("make ") for line in block.text.splitlines())]
    assert unmarked == []
    assert {block.language for block in BLOCKS} == {"sh", "sql", "yaml", "text"}
    assert README.read_text(encoding="utf-8").count("```") == 2 * len(BLOCKS)
    assert [block.language for block in BLOCKS if block.mark == "output"].count("text") >= 5


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
    section = README.read_text(encoding="utf-8").split("## Metrics and probes")[1].split("\n## ")[0]
    named = {name for name in re.findall(r"`(\w+)`", section) if "_" in name}
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
