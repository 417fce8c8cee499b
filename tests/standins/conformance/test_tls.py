"""TLS of the stand-ins: what they demand of clients, and RisingWave's own way to MySQL (contract 1.4, 5.6, 7.1)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pymysql
import pytest

from cluster.certificates import Certificates
from cluster.mysql import Server, start_mariadb

from .lab import CDC_GRANTS, CDC_OPTIONS, Lab, new_database
from .process import StandIn


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory, made: Certificates) -> Iterator[Server]:
    """`only` may log in with TLS alone."""
    with start_mariadb(tmp_path_factory.mktemp("mariadb") / "data", tls=made.server()) as server:
        new_database(server, "secure", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))",
                     "INSERT INTO t VALUES (1, 'a')")
        server.execute("CREATE USER only@'%' IDENTIFIED BY 'pw' REQUIRE SSL", f"GRANT {CDC_GRANTS} ON *.* TO only@'%'")
        yield server


def test_risingwave_enforces_tls(made: Certificates) -> None:
    with StandIn("standins.risingwave", "--port", "0", *made.server().arguments(), "--tls-enforce") as server:
        about = {"host": "127.0.0.1", "port": server.ports["port"], "user": "root", "dbname": "dev"}
        with pytest.raises(psycopg2.OperationalError, match="SSL connection is required but not established"):
            psycopg2.connect(**about, sslmode="disable")
        psycopg2.connect(**about, sslmode="verify-full", sslrootcert=str(made.ca)).close()


def test_starrocks_enforces_tls(made: Certificates) -> None:
    with StandIn("standins.starrocks", "--mysql-port", "0", *made.server().arguments(), "--tls-require") as server:
        about = {"host": "127.0.0.1", "port": server.ports["mysql"], "user": "root"}
        with pytest.raises(pymysql.err.MySQLError) as refusal:
            pymysql.connect(**about, ssl_disabled=True)
        assert refusal.value.args == (5205, "Connections using insecure transport are prohibited")
        pymysql.connect(**about, ssl_ca=str(made.ca), ssl_verify_identity=True).close()


def test_a_client_without_a_certificate_is_told(made: Certificates) -> None:
    """By an alert, before anything else is said; TLS 1.2 tells it within the handshake."""
    context = ssl.create_default_context(cafile=str(made.ca))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    arguments = [*made.server().arguments(), "--tls-client-ca", str(made.ca)]
    with StandIn("standins.starrocks", "--mysql-port", "0", *arguments) as server:
        about = {"host": "127.0.0.1", "port": server.ports["mysql"], "user": "root"}
        with pytest.raises(pymysql.err.OperationalError, match="(?i)alert handshake failure"):
            pymysql.connect(**about, ssl=context)
        client = made.client()
        context.load_cert_chain(client.cert, client.key)
        pymysql.connect(**about, ssl=context).close()


def test_a_replaced_certificate_is_shown(made: Certificates, tmp_path: Path) -> None:
    shown = {name: tmp_path / name for name in ("cert", "key")}

    def show(pair) -> None:
        shown["cert"].write_bytes(pair.cert.read_bytes())
        shown["key"].write_bytes(pair.key.read_bytes())

    show(made.expired())
    with StandIn("standins.risingwave", "--port", "0", "--tls-cert", str(shown["cert"]), "--tls-key",
                 str(shown["key"])) as server:
        about = {"host": "127.0.0.1", "port": server.ports["port"], "user": "root", "dbname": "dev",
                 "sslmode": "verify-full", "sslrootcert": str(made.ca)}
        with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
            psycopg2.connect(**about)
        show(made.server())
        psycopg2.connect(**about).close()


def _create(mysql: Server, mode: str, user: str = "only", password: str = "pw") -> str:
    return (f"CREATE SOURCE src WITH (connector='mysql-cdc', hostname='127.0.0.1', port='{mysql.port}', "
            f"username='{user}', password='{password}', database.name='secure', server.id='5640', "
            f"ssl.mode='{mode}', {CDC_OPTIONS})")


@pytest.mark.parametrize("mode", ["required", "preferred"])
def test_to_mysql_with_tls(mariadb: Server, mode: str) -> None:
    """Both reach an account that demands TLS, but the snapshot reads without TLS that is merely preferred."""
    with Lab(mariadb) as lab:
        lab.do(_create(mariadb, mode),
               "CREATE TABLE t (id INT, v VARCHAR, PRIMARY KEY (id)) FROM src TABLE 'secure.t'")
        if mode == "required":
            lab.eventually("SELECT id, v FROM t", [[1, "a"]])
        else:
            denied = "SHOW GLOBAL STATUS LIKE 'Access_denied_errors'"
            before = int(mariadb.execute(denied)[0][1])
            lab.barriers(20)
            assert int(mariadb.execute(denied)[0][1]) > before
            assert lab.rows("SELECT id FROM t") == []


def test_to_mysql_without_tls(mariadb: Server) -> None:
    with Lab(mariadb) as lab:
        assert "Access denied for user 'only'" in lab.refused(_create(mariadb, "disabled"))


def test_required_is_more_than_preferred(tmp_path: Path) -> None:
    """A server without TLS."""
    with start_mariadb(tmp_path / "data") as plain, Lab(plain) as lab:
        new_database(plain, "secure", "CREATE TABLE t (id INT PRIMARY KEY)")
        plain.execute("CREATE USER cdc@'%' IDENTIFIED BY 'pw'", f"GRANT {CDC_GRANTS} ON *.* TO cdc@'%'")
        assert "source cannot pass validation" in lab.refused(_create(plain, "required", "cdc"))
        lab.do(_create(plain, "preferred", "cdc"))


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full", "VERIFY_CA", "sometimes"])
def test_modes_that_are_not_described_are_refused(mariadb: Server, mode: str) -> None:
    with Lab(mariadb) as lab:
        assert f"ssl.mode '{mode}'" in lab.refused(_create(mariadb, mode))
