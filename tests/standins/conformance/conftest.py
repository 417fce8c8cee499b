"""Servers the conformance tests share by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .process import StandIn

STARROCKS_OPTIONS = ["--control-port", "0", "--tick-ms", "60"]


@pytest.fixture()
def starrocks() -> Iterator[StandIn]:
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS) as running:
        yield running
