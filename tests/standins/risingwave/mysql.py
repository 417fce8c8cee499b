"""What RisingWave asks MySQL when a source or a table is created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pymysql

from . import rwtypes as t
from .errors import PgError
from .values import MyColumn

CONNECT_TIMEOUT_S = 30  # the real driver has none of its own
_PRIVILEGES = ("SELECT", "REPLICATION SLAVE", "REPLICATION CLIENT")
# Types whose DDL the connector's parser does not know.
UNPARSEABLE = ("uuid", "inet6", "inet4", "vector", "xmltype")
_LINK_FAILURE = ("Internal error: Communications link failure\n\n"
                 "The last packet sent successfully to the server was 0 milliseconds ago. "
                 "The driver has not received any packets from the server.")


class Invalid(Exception):
    """The validator's last line."""


def connect(props: Mapping[str, str], **options: Any) -> pymysql.connections.Connection:
    """A session in UTC. Raises pymysql's errors."""
    tls = _tls(props.get("ssl.mode", "disabled"))
    settings: dict[str, Any] = {
        "host": props["hostname"], "port": int(props["port"]), "user": props["username"],
        "password": props["password"].encode(), "charset": "utf8mb4", "autocommit": True,
        "connect_timeout": CONNECT_TIMEOUT_S, "init_command": "SET time_zone = '+00:00'"}
    return pymysql.connect(**{**settings, **tls, **options})


def connect_snapshot(props: Mapping[str, str]) -> pymysql.connections.Connection:
    """As the snapshot's reader connects, which knows no TLS that is merely preferred (contract 1.4)."""
    if props.get("ssl.mode") in ("preferred", "prefer"):
        props = {**props, "ssl.mode": "disabled"}
    return connect(props)


def _tls(mode: str) -> dict[str, Any]:
    """What PyMySQL is told. Nothing in RisingWave 3.0.3 verifies the certificate (contract 1.4);
    what its verifying modes do is not known, so they are refused."""
    if mode in ("disabled", "disable"):
        return {"ssl_disabled": True}
    if mode in ("preferred", "prefer"):
        return {}  # TLS when it is offered
    if mode in ("required", "require"):
        return {"ssl": {"check_hostname": False, "verify_mode": "none"}}
    raise Invalid(f"INVALID_ARGUMENT: stand-in: ssl.mode '{mode}' is not described")


def query(connection: pymysql.connections.Connection, sql: str, *arguments: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments or None)
        return list(cursor.fetchall())


def open_checked(props: Mapping[str, str]) -> pymysql.connections.Connection:
    """Logs in, or raises Invalid with the text of RisingWave's MySQL driver."""
    for key in ("hostname", "port", "username", "password", "database.name"):
        if key not in props:
            raise Invalid(f"INVALID_ARGUMENT: '{key}' is not found. "
                          "Please check the WITH properties")
        if key != "password" and not props[key].strip():
            raise Invalid(f"INVALID_ARGUMENT: '{key}' cannot be empty. "
                          "Please check the WITH properties")
    try:
        return connect(props)
    except ValueError:
        raise Invalid(f"INVALID_ARGUMENT: invalid port '{props['port']}'") from None
    except pymysql.err.MySQLError as error:
        code, text = (error.args + ("",))[:2]
        if code in (2003, 2013, 2005):
            raise Invalid(_LINK_FAILURE) from error
        raise Invalid(f"Internal error: {text}") from error


def check_server(connection: pymysql.connections.Connection, props: Mapping[str, str]) -> None:
    """Databases, binary log and grants; RisingWave 3.0.3 MySqlValidator."""
    for database in props["database.name"].split(","):
        database = database.strip()
        if not query(connection, "SELECT 1 FROM information_schema.SCHEMATA "
                                 "WHERE SCHEMA_NAME = %s", database):
            raise Invalid(f"INVALID_ARGUMENT: MySQL database '{database}' doesn't exist")
    if _variable(connection, "log_bin") not in (None, "ON"):
        raise Invalid("INTERNAL: MySQL doesn't enable binlog.\nPlease set the value of log_bin to "
                      "'ON' and restart your MySQL server.")
    for name, wanted, line_end in (("binlog_format", "ROW", "\n"),
                                   ("binlog_row_image", "FULL", "\\n")):
        if _variable(connection, name) not in (None, wanted):
            raise Invalid(f"INTERNAL: MySQL {name} should be '{wanted}'.{line_end}Please modify "
                          "the config and restart your MySQL server.")
    _check_grants(connection)


def _variable(connection: pymysql.connections.Connection, name: str) -> str | None:
    rows = query(connection, "SHOW VARIABLES LIKE %s", name)
    return str(rows[0][1]).upper() if rows else None


def _check_grants(connection: pymysql.connections.Connection) -> None:
    lines = [str(row[0]).upper() for row in query(connection, "SHOW GRANTS FOR CURRENT_USER()")]
    if any("ALL" in line for line in lines):
        return
    missing = [name for name in _PRIVILEGES if not any(name in line for line in lines)]
    if "REPLICATION CLIENT" in missing and any("BINLOG MONITOR" in line for line in lines):
        missing.remove("REPLICATION CLIENT")
    if missing:
        raise Invalid("INTERNAL: MySQL user doesn't have enough privileges: "
                      f"[{', '.join(missing)}]")


def read_columns(connection: pymysql.connections.Connection, database: str,
                 table: str) -> list[MyColumn]:
    rows = query(connection,
                 "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLUMN_KEY "
                 "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s "
                 "ORDER BY ORDINAL_POSITION", database, table)
    return [MyColumn(name, kind.lower(), full, charset, key == "PRI")
            for name, kind, full, charset, key in rows]


def has_unparseable(connection: pymysql.connections.Connection, databases: str) -> bool:
    """Whether the connector's parser would stumble over a table of these databases."""
    for database in databases.split(","):
        kinds = query(connection, "SELECT DISTINCT LOWER(DATA_TYPE) FROM "
                      "information_schema.COLUMNS WHERE TABLE_SCHEMA = %s", database.strip())
        if any(kind in UNPARSEABLE for (kind,) in kinds):
            return True
    return False


def check_table(found: list[MyColumn], table: str, columns: list[tuple[str, t.Type]],
                key: list[str]) -> None:
    """The validator's checks of an explicit column list, in its order."""
    if not found:
        raise Invalid(f"INVALID_ARGUMENT: MySQL table '{table}' doesn't exist")
    by_name = {column.name.lower(): column for column in found}
    for name, wanted in columns:
        column = by_name.get(name.lower())
        if column is None:
            raise Invalid(f"INVALID_ARGUMENT: Column '{name}' not found in the upstream database")
        if not t.mysql_accepts(column.data_type, column.column_type, wanted):
            raise Invalid(f"INVALID_ARGUMENT: Incompatible data type of column {name}. MySQL "
                          f"type: {column.column_type}, RisingWave type: {wanted.proto}")
    upstream_key = {column.name.lower() for column in found if column.in_key}
    if len(key) != len(upstream_key):
        raise Invalid(f"INVALID_ARGUMENT: Primary key mismatch: the SQL schema defines {len(key)} "
                      "primary key columns, but the source table in MySQL has "
                      f"{len(upstream_key)} columns.")
    for name in key:
        if name.lower() not in upstream_key:
            raise Invalid("INVALID_ARGUMENT: Primary key mismatch: The primary key list of the "
                          f"source table in MySQL does not contain '{name}'.")


def derive(found: list[MyColumn]) -> tuple[list[tuple[str, t.Type]], list[str]]:
    """The columns and key of `(*)`."""
    columns = [(column.name.lower(), t.wildcard_type(column.data_type, column.column_type))
               for column in found]
    key = [column.name.lower() for column in found if column.in_key]
    if not key:
        raise PgError("failed to auto derive table schema",
                      "MySQL table doesn't define the primary key")
    return columns, key


def position(connection: pymysql.connections.Connection) -> dict[str, Any]:
    """The end of the binary log: file, pos and, with GTID on, gtids."""
    try:
        rows = query(connection, "SHOW MASTER STATUS")
    except pymysql.err.ProgrammingError:
        rows = query(connection, "SHOW BINARY LOG STATUS")
    if not rows:
        raise Invalid("expect exactly one row when reading binlog offset")
    found = {"file": rows[0][0], "pos": int(rows[0][1])}
    if len(rows[0]) > 4 and rows[0][4]:
        found["gtids"] = rows[0][4].replace("\n", "")
    return found


def is_mariadb(connection: pymysql.connections.Connection) -> bool:
    return "mariadb" in str(query(connection, "SELECT VERSION()")[0][0]).lower()
