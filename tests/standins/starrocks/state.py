"""What one server process holds: catalog, accounts, storage, backends, settings."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .catalog import Catalog
from .errors import SqlError, plain
from .store import Store
from .users import Accounts

if TYPE_CHECKING:
    from .session import Session

VERSION = "4.1.0-26a4a59"
MYSQL_VERSION = "8.0.33"


@dataclass
class Config:
    host: str = "127.0.0.1"
    mysql_port: int = 0
    http_port: int = 0
    be_http_port: int = 0
    backends: int = 1
    tick_ms: int = 10_000


@dataclass
class Faults:
    """What the control port asks to go wrong."""

    load: dict[str, str] = field(default_factory=dict)  # operation -> message
    create: str | None = None
    alter: str | None = None
    hold_jobs: bool = False


class State:
    def __init__(self, config: Config):
        self.config = config
        self.catalog = Catalog()
        self.accounts = Accounts(self.catalog)
        self.store = Store()
        self.faults = Faults()
        self.alive_backends = config.backends
        self.frontend_config = {"default_replication_num": "3"}
        self.global_variables: dict[str, str] = {}
        self.sessions: dict[int, Session] = {}
        self.started = time.time()
        self.cluster_id = random.randrange(1 << 30, 1 << 31)
        self._thread = 2 << 24
        self._loads = 0

    def new_thread_id(self) -> int:
        """FE id in the top byte, then a counter."""
        self._thread += 1
        return self._thread

    def alive_ids(self) -> list[int]:
        return [10001 + number for number in range(self.alive_backends)]

    def backend_ip(self, number: int) -> str:
        return f"127.0.0.{10 + number}"

    def need_backend(self) -> None:
        """Whatever a BE has to execute fails while none is alive."""
        if self.alive_backends == 0:
            raise backend_not_found(self)


def backend_not_found(state: State) -> SqlError:
    listed = " ".join(f"[{state.backend_ip(number)} alive: false inBlacklist: false]"
                      for number in range(state.config.backends))
    return plain("Backend node not found. Check if any backend node is down."
                 f"backend: {listed} ")
