"""Connections a replay uses: every answer becomes a plain `Result`.

Values are brought into the form of the recordings: integers, floats and booleans
as themselves, decimals and times as text, bytea as hex, JSON as objects.
"""

from __future__ import annotations

import datetime
import decimal
from dataclasses import dataclass, field
from typing import Any

_MYSQL_INTEGERS = {1, 2, 3, 8, 9, 13}
_MYSQL_FLOATS = {4, 5}


@dataclass
class Result:
    tag: str | None = None
    columns: list[tuple[str, int]] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    affected: int | None = None
    notices: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None


class MySqlConn:
    """One connection to MySQL or to StarRocks' MySQL port."""

    def __init__(self, host: str, port: int, user: str, password: str = "",
                 database: str | None = None, **options: Any):
        import pymysql
        self._module = pymysql
        # Without converters every value arrives as the text that was on the wire.
        self._conn = pymysql.connect(host=host, port=port, user=user, password=password,
                                     database=database, charset="utf8mb4", autocommit=None,
                                     conv={}, **options)

    def execute(self, sql: str) -> Result:
        try:
            with self._conn.cursor() as cursor:
                affected = cursor.execute(sql)
                if cursor.description is None:
                    return Result(affected=affected)
                columns = [(column[0], column[1]) for column in cursor.description]
                rows = [[_from_mysql(kind, value) for (_, kind), value in zip(columns, row)]
                        for row in cursor.fetchall()]
                return Result(columns=columns, rows=rows)
        except self._module.MySQLError as error:
            code, message = (error.args + ("",))[:2]
            return Result(error={"code": code, "message": message})

    def close(self) -> None:
        self._conn.close()


def _from_mysql(kind: int, value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None:
        return None
    if kind in _MYSQL_INTEGERS:
        return int(value)
    if kind in _MYSQL_FLOATS:
        return float(value)
    return value


class PostgresConn:
    """One connection to RisingWave."""

    def __init__(self, host: str, port: int, user: str, password: str = "",
                 database: str = "dev", **options: Any):
        import psycopg2
        self._module = psycopg2
        self._conn = psycopg2.connect(host=host, port=port, user=user, password=password,
                                      dbname=database, **options)
        self._conn.autocommit = True

    def execute(self, sql: str) -> Result:
        self._conn.notices.clear()
        try:
            with self._conn.cursor() as cursor:
                cursor.execute(sql)
                result = Result(tag=cursor.statusmessage)
                if cursor.description is not None:
                    result.columns = [(column.name, column.type_code)
                                      for column in cursor.description]
                    result.rows = [[_from_postgres(value) for value in row]
                                   for row in cursor.fetchall()]
                result.notices = [notice.strip() for notice in self._conn.notices]
                return result
        except self._module.Error as error:
            message = (error.pgerror or str(error)).strip()
            return Result(error={"sqlstate": error.pgcode, "message": message})

    def close(self) -> None:
        self._conn.close()


def _from_postgres(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value).hex()
    if isinstance(value, (decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_from_postgres(item) for item in value]
    return value
