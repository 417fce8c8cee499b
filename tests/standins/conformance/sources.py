"""The two MySQL sources as fixtures, one server per test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.mysql import Server, start_mariadb, start_oracle56


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_mariadb(tmp_path_factory.mktemp("mariadb") / "data") as server:
        server.execute("CREATE USER rw@'%' IDENTIFIED BY 'rwpass'", "GRANT ALL ON *.* TO rw@'%'",
                       "GRANT ALL ON *.* TO root@'%' IDENTIFIED BY ''")
        yield server


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_oracle56(tmp_path_factory.mktemp("oracle") / "data") as server:
        yield server


@pytest.fixture(params=["oracle", "mariadb"])
def either(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)
