"""Starts a stand-in as its own process, the way everything else uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).resolve().parents[2]


class StandIn:
    """A running stand-in; `ports` holds what its ready line named."""

    def __init__(self, module: str, *arguments: str):
        environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=environment,
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            self.stop()
            raise RuntimeError(f"{module} did not start: {line!r}")
        pairs = (item.split("=", 1) for item in line.split()[1:])
        self.ports = {name: int(port) for name, port in pairs if port != "-"}

    def control(self, path: str, content: dict[str, Any] | None = None) -> Any:
        """Calls the control port: POST with content, GET without."""
        body = None if content is None else json.dumps(content).encode()
        url = f"http://127.0.0.1:{self.ports['control']}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
