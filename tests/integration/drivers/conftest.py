"""Servers of these tests alone: they are frozen and locked."""

import pytest

from cluster.mysql import start_mariadb, start_oracle56
from standins.conformance.process import StandIn

from .probe import PASSWORD, USER


def _prepare(server):
    password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    server.execute(
        f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}'",
        f"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '{USER}'@'%'",
        "CREATE USER 'narrow'@'%' IDENTIFIED BY 'narrow-pw'",
        "CREATE DATABASE shop", "GRANT SELECT ON shop.* TO 'narrow'@'%'")
    return server


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    with start_oracle56(tmp_path_factory.mktemp("drivers-oracle") / "data") as server:
        yield _prepare(server)


@pytest.fixture(scope="session")
def maria(tmp_path_factory):
    with start_mariadb(tmp_path_factory.mktemp("drivers-maria") / "data", tls=True) as server:
        yield _prepare(server)


@pytest.fixture(scope="session", params=["oracle", "maria"])
def source(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def starrocks():
    with StandIn("standins.starrocks", "--mysql-port", "0", "--http-port", "0",
                 "--be-http-port", "0", "--control-port", "0") as server:
        yield server


@pytest.fixture(scope="session")
def risingwave():
    with StandIn("standins.risingwave", "--port", "0", "--control-port", "0") as server:
        yield server
