"""README.md as tests read it: its fenced blocks, what becomes of each, and how their commands are run.

A comment before a fenced block says what becomes of it:

    run              a shell block that test_readme.py runs: it must succeed; `run: exit N` must end with N
    run: mysql       SQL for that server, as its administrator (mysql, risingwave, starrocks)
    by: FILE [NAME]  a shell block that a test of that file runs: it asks for it with commands("FILE", "NAME")
    file: NAME       written into the folder where the commands run
    accepted         YAML that the API server must accept
    output           what the block before printed, compared without what differs from run to run;
                     `output: any order` compares sorted lines; ` ...` ends a line early, a line `...` skips any
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster import programs

from .system import ROOT

README = ROOT / "README.md"
FENCE = re.compile(r"(?:^<!-- (run|by|file|accepted|output)(?:: ([^>\n]*))? -->\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)


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


def commands(file: str, name: str = "") -> list[str]:
    """The blocks that a test has taken upon itself, in README's order."""
    found = [block.text for block in BLOCKS if block.mark == "by" and block.argument == f"{file} {name}".strip()]
    assert found, f"README.md has no block marked 'by: {file} {name}'"
    return found


def environment(folder: Path, kubeconfig: Path, **more: str) -> dict[str, str]:
    """A user's: kubectl, helm, tablesync and its plugin in PATH, a home of its own, a cluster."""
    programs_folder = folder / "bin"
    if not programs_folder.exists():
        programs_folder.mkdir(parents=True)
        for name in ("helm", "kubectl"):
            (programs_folder / name).symlink_to(programs.path(name))
        for name in ("tablesync", "kubectl-tablesync"):
            (programs_folder / name).symlink_to(os.environ["TABLESYNC_BIN"])
    return {**os.environ, "PATH": f"{programs_folder}:{os.environ['PATH']}", "HOME": str(folder), "KUBECONFIG": str(kubeconfig),
            "KUBECACHEDIR": str(folder / "cache"), **more}


def shell(text: str, folder: Path, environment: dict[str, str], timeout_s: float = 180) -> subprocess.CompletedProcess:
    """Runs a block as somebody would who pastes it, and stops at the first command that fails."""
    return subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, check=False)


def run(text: str, folder: Path, environment: dict[str, str], timeout_s: float = 180) -> str:
    """The same, and it must succeed; what it printed."""
    done = shell(text, folder, environment, timeout_s)
    assert done.returncode == 0, f"exit {done.returncode}:\n{text}\n{done.stdout}"
    return done.stdout
