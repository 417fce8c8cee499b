"""The project's image, built by buildah on a Debian that no registry had to give.

    with image.Builder(tmp_path / "storage") as builder:
        builder.make(image.ROOT, "localhost/tablesync", "1")
        builder.unpack("localhost/tablesync:1", tmp_path / "root")
        builder.export("localhost/tablesync:1", tmp_path / "image.tar")

Needs root, and the packages of tests/bootstrap/apt-node.txt. What is slow is made once and
kept in the cache, as a store of images that nobody writes to any more: the base, by
debootstrap from this machine's own apt mirror, and on top of it the Dockerfile's first step,
which installs compilers. Builders read it and write into a store of their own.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import cache

ROOT = Path(__file__).resolve().parent.parent.parent
BASE = "docker.io/library/debian:bookworm-slim"
SUITE = "bookworm"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
BUILD_TIMEOUT_S = 1800
# The part of the Dockerfile that the cached store has gone through.
TOOLS = re.compile(r"\A.*?^(?=COPY Makefile )", re.M | re.S)
LIBRARIES = re.compile(r"^# libraries of the program\n.*?\n\n", re.M | re.S)
TOOLS_NAME = "localhost/tablesync-tools:latest"
RECIPE = 1  # another number, another store
# What buildah mounts goes with it, however it ends.
_APART = ["unshare", "--mount"]


class Builder:
    """buildah with a store in `folder`; what it built goes with it."""

    def __init__(self, folder: Path) -> None:
        self._store = _Store(folder, above=store())

    def __enter__(self) -> "Builder":
        return self

    def __exit__(self, *exc_info) -> None:
        self._store.remove()

    @property
    def environment(self) -> dict[str, str]:
        """With which any buildah reads and writes this store."""
        return self._store.environment

    def buildah(self, *arguments: str | Path) -> str:
        return self._store.buildah(*arguments)

    def make(self, context: Path, name: str, tag: str) -> None:
        """`make image` in the folder, as users run it."""
        cache.run("make image", [*_APART, "nice", "make", "image", "ENGINE=buildah", f"IMAGE={name}", f"TAG={tag}"],
                  timeout_s=BUILD_TIMEOUT_S, cwd=context, env=self.environment)

    def config(self, name: str) -> dict:
        """The image's configuration as a runtime reads it."""
        return json.loads(self.buildah("inspect", "--type", "image", name))["OCIv1"]

    def export(self, name: str, archive: Path) -> None:
        """Writes an archive that containerd and docker can load."""
        self._store.export(name, archive)

    def unpack(self, name: str, folder: Path) -> None:
        """Puts the image's file system into the folder, with its owners and times."""
        container = self.buildah("from", "--pull-never", name).strip()
        folder.mkdir(parents=True)
        # One process: what is mounted is gone with the namespace in which it was.
        cache.run("unpack the image", [*_APART, "sh", "-c", 'from=$(buildah mount "$1") && cp -a "$from/." "$2"',
                                       "sh", container, str(folder)], timeout_s=300, env=self.environment)
        self.buildah("rm", container)


def make(name: str, archive: Path, folder: Path, file: Path) -> None:
    """Writes an archive with an image of one program, without a build; `folder` is for the time being."""
    made = _Store(folder)
    try:
        container = made.buildah("from", "scratch").strip()
        made.buildah("copy", "--quiet", container, file, f"/{file.name}")
        made.buildah("config", "--entrypoint", json.dumps([f"/{file.name}"]), container)
        made.buildah("commit", "--quiet", "--rm", container, name)
        made.export(name, archive)
    finally:
        made.remove()


class _Store:
    """A folder where buildah keeps images, on top of another one that it only reads."""

    def __init__(self, folder: Path, above: Path | None = None) -> None:
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._settings = Path(f"{self.folder}.conf")
        self._scratch = Path(f"{self.folder}.run")
        driver = _driver_of(above or self.folder)
        below = f'[storage.options]\nadditionalimagestores = ["{above}"]\n' if above else ""
        self._settings.write_text(f'[storage]\ndriver = "{driver}"\ngraphroot = "{self.folder}"\n'
                                  f'runroot = "{self._scratch}"\n{below}', encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        # debootstrap and apt want programs that a plain user's PATH lacks.
        return {**os.environ, "CONTAINERS_STORAGE_CONF": str(self._settings), "BUILDAH_ISOLATION": "chroot",
                "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}

    def buildah(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        return cache.run(f"buildah {arguments[0]}", [*_APART, "nice", "buildah", *map(str, arguments)],
                         timeout_s=BUILD_TIMEOUT_S, cwd=cwd, env=self.environment).stdout

    def export(self, name: str, archive: Path) -> None:
        self.buildah("push", "--quiet", name, f"oci-archive:{archive}:{name}")

    def forget(self) -> None:
        """Removes what is needed only while the store is in use."""
        self._settings.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def remove(self) -> None:
        self.forget()
        shutil.rmtree(self.folder, ignore_errors=True)


def store() -> Path:
    """The cached store with the base and the compilers, made if it is missing. CacheError."""
    tools, libraries = _recipe()
    digest = hashlib.sha256(repr((RECIPE, BASE, SUITE, tools, libraries)).encode()).hexdigest()
    return cache.folder(f"image-base-{SUITE}-{digest[:16]}",
                        "making a Debian base image and installing compilers in it "
                        "(once; usually 2 min)", _fill)


def _recipe() -> tuple[str, str]:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    packages = (ROOT / "tests" / "bootstrap" / "apt.txt").read_text(encoding="utf-8")
    return TOOLS.match(dockerfile)[0], LIBRARIES.search(packages)[0]


def _fill(folder: Path) -> None:
    made = _Store(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".base-", dir=folder.parent) as scratch:
            base, context = Path(scratch) / "base", Path(scratch) / "context"
            cache.run("make a Debian base", ["nice", "debootstrap", "--variant=minbase", "--include=ca-certificates",
                                             SUITE, str(base), mirror()],
                      timeout_s=BUILD_TIMEOUT_S, env={**made.environment, "DPKG_FORCE": "unsafe-io"})
            # As the real one has it: what is half written when the power goes is thrown away anyhow.
            (base / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n", encoding="utf-8")
            container = made.buildah("from", "scratch").strip()
            made.buildah("add", "--quiet", container, base, "/")
            made.buildah("commit", "--quiet", "--rm", container, BASE)
            tools, libraries = _recipe()
            (context / "tests" / "bootstrap").mkdir(parents=True)
            (context / "tests" / "bootstrap" / "apt.txt").write_text(libraries, encoding="utf-8")
            (context / "Dockerfile").write_text(tools, encoding="utf-8")
            made.buildah("build", "--layers", "--timestamp", "0", "--tag", TOOLS_NAME, ".", cwd=context)
    finally:
        made.forget()


def mirror() -> str:
    """Where this machine's own packages come from, which may not be Debian's own server."""
    for path in sorted(Path("/etc/apt").glob("sources.list.d/*.sources")):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(r"URIs:\s*(\S+/debian)/?\s*$", line)
            if found:
                return found[1]
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt").glob("sources.list.d/*.list"))]:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = re.search(rf"^deb (?:\[[^]]*\] )?(\S+/debian)/? {SUITE}\s", text, re.M)
        if found:
            return found[1]
    return DEFAULT_MIRROR


def overlay_works(folder: Path) -> bool:
    """Whether this folder's file system may hold overlays: not if it is one itself."""
    with tempfile.TemporaryDirectory(prefix=".overlay-", dir=folder) as top:
        parts = {name: Path(top) / name for name in ("lower", "upper", "work", "merged")}
        for part in parts.values():
            part.mkdir()
        options = "lowerdir={lower},upperdir={upper},workdir={work}".format(**parts)
        done = subprocess.run([*_APART, "mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])],
                              capture_output=True, timeout=60, check=False)
        return done.returncode == 0


def _driver_of(folder: Path) -> str:
    """That of the store in the folder, if there is one; the cheaper one that works, if not."""
    for driver in ("overlay", "vfs"):
        if (folder / f"{driver}-images").is_dir():
            return driver
    return "overlay" if overlay_works(folder) else "vfs"
