"""Helm, with a home of its own.

    helm = Helm(tmp_path, plane.admin_kubeconfig)
    helm.run("install", "tablesync", CHART, "--namespace", "tablesync-system", "--create-namespace")

Without a kubeconfig it renders and lints, and reaches no cluster, whatever the environment says.
"""

import os
import subprocess
from pathlib import Path

from . import programs

TIMEOUT_S = 120


class HelmError(subprocess.CalledProcessError):
    """helm ended with an error; the text holds what it said."""

    def __str__(self) -> str:
        return f"helm {' '.join(self.cmd[1:])}: exit {self.returncode}\n{self.stderr}"


class Helm:
    def __init__(self, workdir: Path, kubeconfig: Path | None = None) -> None:
        self._command = str(programs.path("helm"))
        homes = {f"HELM_{name}_HOME": str(workdir / "helm" / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        self._environment = {**os.environ, **homes, "KUBECONFIG": str(kubeconfig or workdir / "no-kubeconfig")}
        self._environment.pop("HELM_NAMESPACE", None)

    def run(self, *args: str | Path, input: str | None = None, check: bool = True) -> subprocess.CompletedProcess:
        """With check an error is a HelmError."""
        command = [self._command, *map(str, args)]
        done = subprocess.run(command, input=input, text=True, env=self._environment, timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL if input is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise HelmError(done.returncode, command, done.stdout, done.stderr)
        return done
