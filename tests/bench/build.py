"""Builds the controllers that tablesync is compared with, once for each state of their sources.

    python3 -m bench.build      builds what is missing and prints the paths

A built peer lives in `peer-<name>-<hash>/` of the cache; the hash is over its sources and lock file. Go comes from
the system or from PyPI, as for the Kubernetes programs. Rust has no such source: where cargo is missing or too old
the peer is left out, and a line says how to install it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cluster import cache, programs

PEERS = Path(__file__).resolve().parent / "peers"
# What the newest of its dependencies asks for.
RUST_NEEDED = (1, 89)
BUILD_TIMEOUT_S = 3600


def go_peer() -> Path:
    """The peer on controller-runtime. CacheError."""
    source = PEERS / "go"

    def make(scratch: Path) -> None:
        go = programs.go_command(source)
        cache.run("build the Go peer", ["nice", go, "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w",
                                        "-o", str(scratch / "peer"), "."],
                  timeout_s=BUILD_TIMEOUT_S, cwd=source, env={**os.environ, **programs.SETTINGS})

    name = f"peer-go-{_digest(source)}"
    return cache.folder(name, "building the Go peer (once; usually 1 min on 2 cores)", make) / "peer"


def rust_peer() -> Path | None:
    """The peer on kube-rs; None, and a line on stderr, without a Rust that can build it. CacheError."""
    source = PEERS / "rust"
    name = f"peer-rust-{_digest(source)}"
    cargo = _cargo()
    if cargo is None and not (cache.root() / name).is_dir():
        cache.say(f"no cargo of at least {'.'.join(map(str, RUST_NEEDED))}: the kube-rs peer is left out; "
                  "install Rust as https://rustup.rs says")
        return None

    def make(scratch: Path) -> None:
        cache.run("build the Rust peer", ["nice", str(cargo), "build", "--release", "--locked", "--quiet"],
                  timeout_s=BUILD_TIMEOUT_S, cwd=source,
                  env={**os.environ, "CARGO_TARGET_DIR": str(scratch / "target")})
        (scratch / "target" / "release" / "tablesync-peer").rename(scratch / "peer")
        shutil.rmtree(scratch / "target")

    return cache.folder(name, "building the Rust peer (once; usually 3 min on 2 cores)", make) / "peer"


def version(peer: str) -> str:
    """The library release that the peer is built with, from its lock file."""
    if peer == "go":
        text, pattern = (PEERS / "go" / "go.mod").read_text(), r"sigs\.k8s\.io/controller-runtime v(\S+)"
    else:
        text, pattern = (PEERS / "rust" / "Cargo.lock").read_text(), r'name = "kube"\nversion = "([^"]+)"'
    return re.search(pattern, text)[1]


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in source.rglob("*") if path.is_file() and "target" not in path.parts):
        for part in (path.relative_to(source).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:16]


def _cargo() -> str | None:
    for candidate in (shutil.which("cargo"), Path.home() / ".cargo" / "bin" / "cargo"):
        if candidate and os.access(candidate, os.X_OK):
            said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False,
                                  timeout=60).stdout
            found = re.search(r"cargo (\d+)\.(\d+)", said)
            if found and (int(found[1]), int(found[2])) >= RUST_NEEDED:
                return str(candidate)
    return None


def main() -> int:
    try:
        print(go_peer())
        if path := rust_peer():
            print(path)
    except cache.CacheError as error:
        cache.say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
