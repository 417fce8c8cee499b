"""The scripts that `make` runs first: quiet when all is there, plain when it is not."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NOBODY = 65534


@pytest.fixture
def scripts():
    """A copy of the scripts, whose lists a test may change, that any user may read."""
    with tempfile.TemporaryDirectory(prefix="tablesync-") as top:
        folder = Path(top) / "tests" / "bootstrap"
        shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder.parent / "requirements.txt").write_text("# nothing\n", encoding="utf-8")
        for path in (Path(top), folder.parent, folder):
            path.chmod(0o755)
        yield folder


def run(script: Path, *arguments: str, prefix=(), **env: str) -> subprocess.CompletedProcess:
    return subprocess.run([*prefix, "bash", str(script), *arguments], env={**os.environ, **env}, text=True,
                          capture_output=True, check=False, timeout=120)


def unprivileged() -> list[str]:
    """What makes a command run as a user who cannot install anything."""
    return ["setpriv", f"--reuid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []


def test_installed_packages_need_no_word():
    done = run(HERE / "deps.sh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_packages_are_named_and_no_others(scripts):
    (scripts / "apt.txt").write_text("# a comment\nbase-files\nno-such-b\n\nno-such-a  # why\n",
                                     encoding="utf-8")
    done = run(scripts / "deps.sh", prefix=unprivileged())
    assert done.returncode == 1
    assert done.stderr.endswith("(apt-get install): no-such-a no-such-b\n")


def test_another_list_is_another_list(scripts):
    (scripts / "apt.txt").write_text("no-such-a\n", encoding="utf-8")
    (scripts / "apt-node.txt").write_text("base-files\nno-such-c\n", encoding="utf-8")
    done = run(scripts / "deps.sh", "apt-node.txt", prefix=unprivileged())
    assert done.returncode == 1
    assert done.stderr.endswith("(apt-get install): no-such-c\n")


def test_another_system_is_told_what_to_install(scripts, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "sed"):
        (tools / name).symlink_to(shutil.which(name))
    (scripts / "apt.txt").write_text("base-files\nlibfoo-dev\n", encoding="utf-8")
    done = run(scripts / "deps.sh", PATH=str(tools))
    assert done.returncode == 1
    assert "TABLESYNC_SKIP_DEPS=1: base-files libfoo-dev" in done.stderr
    assert run(scripts / "deps.sh", PATH=str(tools), TABLESYNC_SKIP_DEPS="1").returncode == 0


def test_environment_is_made_once_for_each_list(scripts, tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = run(scripts / "venv.sh", **cache)
    assert first.returncode == 0, first.stderr
    venv = Path(first.stdout.strip())
    assert venv.parent == tmp_path / "cache" / "tablesync"
    subprocess.run([venv / "bin" / "python", "-c", "import pip"], check=True)

    again = run(scripts / "venv.sh", **cache)
    assert (again.stdout, again.stderr) == (first.stdout, "")

    (scripts.parent / "requirements.txt").write_text("# another list\n", encoding="utf-8")
    other = run(scripts / "venv.sh", **cache)
    assert other.returncode == 0 and other.stdout != first.stdout


def test_half_made_environment_is_made_again(scripts, tmp_path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    requirements = scripts.parent / "requirements.txt"
    requirements.write_text("./no-such-folder\n", encoding="utf-8")
    failed = run(scripts / "venv.sh", **cache)
    assert failed.returncode != 0 and failed.stdout == ""
    again = run(scripts / "venv.sh", **cache)
    assert again.returncode != 0, "a failed environment was taken for a whole one"
    assert "no-such-folder" in again.stderr


def test_python_that_cannot_make_environments_is_passed_over(scripts, tmp_path):
    """Debian's python3 without python3-venv has no ensurepip."""
    crippled = tmp_path / "bin" / "python3"
    crippled.parent.mkdir()
    crippled.write_text("#!/bin/sh\necho 'No module named ensurepip' >&2\nexit 1\n",
                        encoding="utf-8")
    crippled.chmod(0o755)
    able = tmp_path / "able" / "python3"
    able.parent.mkdir()
    able.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    able.chmod(0o755)
    path = f"{crippled.parent}:{able.parent}:/usr/bin:/bin"
    done = run(scripts / "venv.sh", XDG_CACHE_HOME=str(tmp_path / "cache"), PATH=path)
    assert done.returncode == 0, done.stderr

    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    none = run(scripts / "venv.sh", XDG_CACHE_HOME=str(tmp_path / "none"),
               PATH=f"{crippled.parent}:{tools}")
    assert none.returncode == 1
    assert "no python3 of at least 3.11" in none.stderr
