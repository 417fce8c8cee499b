"""The RisingWave stand-in against what a real 3.0.3 was recorded to answer.

risingwave_statements.jsonl and risingwave_chain.jsonl hold the recorded statements
with their tags, notices and error texts; here is what they need, and the cases whose
answers are rows.
"""

from __future__ import annotations

from pathlib import Path

from cluster.mysql import Server

from .connections import MySqlConn
from .lab import Lab, new_database
from .process import StandIn
from .replay import Replay, load_steps
from .sources import mariadb  # noqa: F401 - a fixture

_HERE = Path(__file__).parent

_ORDERS = (
    "CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer VARCHAR(64), "
    "amount DECIMAL(10,2), qty INT UNSIGNED DEFAULT 1, status ENUM('new','paid','shipped'), "
    "note TEXT, flag TINYINT(1), created_at DATETIME(3), updated_at TIMESTAMP(6) NULL, d DATE, "
    "t TIME(3), j LONGTEXT, b VARBINARY(8), f DOUBLE, u BIGINT UNSIGNED, y YEAR, bits BIT(8))",
    "INSERT INTO orders (customer, amount, status, u) VALUES "
    "('alice', 12.50, 'new', 18446744073709551615), ('bob', 99.99, 'paid', NULL), "
    "('carol', 0.01, 'shipped', 0)")
_OTHERS = (
    "CREATE TABLE nopk (a INT)", "CREATE TABLE ac (id INT PRIMARY KEY, w VARCHAR(20))",
    "CREATE TABLE p1 (id INT PRIMARY KEY, v VARCHAR(20))",
    "INSERT INTO p1 VALUES (1,'a'),(2,'b'),(3,'c')",
    "CREATE TABLE big (id BIGINT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20))",
    "INSERT INTO big (v) VALUES ('x'), ('y'), ('z')",
    *["INSERT INTO big (v) SELECT v FROM big"] * 10)
_TARGETS = (
    "CREATE DATABASE demo",
    *(f"CREATE TABLE demo.`{name}` (id BIGINT NOT NULL, {columns}) {key} KEY (id) DISTRIBUTED BY "
      "HASH (id) BUCKETS 1 PROPERTIES ('replication_num' = '1')"
      for name, columns, key in (
          ("orders", "customer VARCHAR(256), amount DECIMAL(10, 2), status VARCHAR(64)", "PRIMARY"),
          ("dup", "customer VARCHAR(256), amount DECIMAL(10, 2), status VARCHAR(64)", "DUPLICATE"),
          ("narrow", "customer VARCHAR(256)", "PRIMARY"),
          ("wrongtype", "customer BIGINT, amount DECIMAL(10, 2), status VARCHAR(64)", "PRIMARY"),
          ("full", "customer VARCHAR(256), amount DECIMAL(10, 2), qty BIGINT, status VARCHAR(64), "
           "note VARCHAR(65533), flag SMALLINT, created_at DATETIME, updated_at DATETIME, d DATE, "
           "t VARCHAR(17), j JSON, b VARCHAR(16), f DOUBLE, u DECIMAL(20, 0), y INT", "PRIMARY"))),
    "CREATE DATABASE ods",
    "CREATE TABLE ods.big (id BIGINT NOT NULL, v VARCHAR(80)) PRIMARY KEY (id) DISTRIBUTED BY "
    "HASH (id) BUCKETS 1 PROPERTIES ('replication_num' = '1')")


def _replay(lab: Lab, name: str, replace: dict[str, str]) -> None:
    mysql = MySqlConn(lab.mysql.host, lab.mysql.port, "root", database="shop")
    conns = {"risingwave": lab.root, "mysql": mysql, "starrocks": lab.sr()}
    assert lab.starrocks is not None
    ports = lab.starrocks.ports
    found = {"'3316'": f"'{lab.mysql.port}'", "'3399'": "'1'", "'9199'": "'1'",
             "'9131'": f"'{ports['mysql']}'", "'9030'": f"'{ports['mysql']}'",
             "'8131'": f"'{ports['http']}'", **replace}
    Replay(conns, found).run(load_steps(_HERE / name))


def test_recorded_statements(mariadb: Server, starrocks: StandIn) -> None:
    """Every option of source, table and sink that was tried on the real server."""
    new_database(mariadb, "shop", *_ORDERS, *_OTHERS)
    with Lab(mariadb, starrocks) as lab:
        lab.on_starrocks(*_TARGETS)
        _replay(lab, "risingwave_statements.jsonl",
                {"starrocks.password='x'": "starrocks.password=''"})


def test_recorded_chain(mariadb: Server, starrocks: StandIn) -> None:
    """Names, keys, pauses, dependants and connector changes."""
    new_database(mariadb, "shop", *_ORDERS, *_OTHERS)
    with Lab(mariadb, starrocks) as lab:
        lab.on_starrocks(*_TARGETS)
        lab.do("CREATE SCHEMA lab")
        lab.do("CREATE SOURCE lab.src WITH (connector='mysql-cdc', hostname='127.0.0.1', "
               f"port='{mariadb.port}', username='rw', password='rwpass', database.name='shop', "
               "server.id='5999', debezium.bigint.unsigned.handling.mode='precise', "
               "debezium.schema.history.internal.skip.unparseable.ddl='true')")
        _replay(lab, "risingwave_chain.jsonl", {})
