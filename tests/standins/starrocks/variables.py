"""Session and global variables: SET, @@name and SHOW VARIABLES.

Only variables that clients were seen to use exist; others fail with 1193, as an
unknown one does on the real server. Source: FE transcript 1 and 9.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import TYPE_CHECKING, Any

from ..common import mysqlwire as wire
from .cursor import most_similar
from .errors import SqlError, analyzing, plain
from .tree import SetVariables

if TYPE_CHECKING:
    from .session import Session

# name: (kind, default); a read-only variable has kind "fixed".
_KNOWN: dict[str, tuple[str, str]] = {
    "version": ("fixed", "8.0.33"), "version_comment": ("fixed", "4.1.0-26a4a59"),
    "sql_mode": ("mode", "ONLY_FULL_GROUP_BY"), "autocommit": ("bool", "1"),
    "max_allowed_packet": ("int", "33554432"), "wait_timeout": ("int", "28800"),
    "interactive_timeout": ("int", "3600"), "query_timeout": ("positive", "300"),
    "insert_timeout": ("positive", "14400"), "net_write_timeout": ("int", "60"),
    "net_read_timeout": ("int", "60"), "tx_isolation": ("text", "REPEATABLE-READ"),
    "transaction_isolation": ("text", "REPEATABLE-READ"), "tx_read_only": ("bool", "0"),
    "transaction_read_only": ("bool", "0"), "character_set_client": ("charset", "utf8"),
    "character_set_connection": ("charset", "utf8"), "character_set_results": ("charset", "utf8"),
    "character_set_server": ("charset", "utf8"), "character_set_database": ("charset", "utf8"),
    "collation_connection": ("text", "utf8_general_ci"),
    "collation_database": ("text", "utf8_general_ci"),
    "collation_server": ("text", "utf8_general_ci"), "lower_case_table_names": ("int", "0"),
    "auto_increment_increment": ("int", "1"), "time_zone": ("zone", "UTC"),
    "system_time_zone": ("fixed", "UTC"), "license": ("fixed", "Apache License 2.0"),
    "init_connect": ("text", ""), "query_cache_size": ("int", "1048576"),
    "query_cache_type": ("int", "0"), "performance_schema": ("bool", "0"),
    "sql_safe_updates": ("int", "0"), "sql_select_limit": ("int", "9223372036854775807"),
    "sql_auto_is_null": ("bool", "0"), "enable_insert_strict": ("bool", "1"),
    "parallel_fragment_exec_instance_num": ("int", "1"), "pipeline_dop": ("int", "0"),
    "query_mem_limit": ("int", "0"), "activate_all_roles_on_login": ("bool", "0"),
    "max_execution_time": ("int", "0"), "forward_to_leader": ("bool", "0"),
}
_MODES = {
    "", "ONLY_FULL_GROUP_BY", "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES", "NO_ENGINE_SUBSTITUTION", "NO_ZERO_DATE", "NO_ZERO_IN_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO", "NO_AUTO_CREATE_USER", "NO_AUTO_VALUE_ON_ZERO",
    "PIPES_AS_CONCAT", "TRADITIONAL", "ANSI", "REAL_AS_FLOAT", "IGNORE_SPACE",
    "NO_UNSIGNED_SUBTRACTION", "PAD_CHAR_TO_FULL_LENGTH", "SORT_NULLS_LAST"}
_CHARSETS_REFUSED = {"gbk"}


def unknown(name: str) -> SqlError:
    similar = ", ".join(f"'{other}'" for other in most_similar(name, list(_KNOWN), 3))
    return analyzing(f"Unknown system variable '{name}', the most similar variables are "
                     f"{{{similar}}}", 1193)


def value(session: Session, name: str, is_global: bool = False) -> str:
    lowered = name.lower()
    if lowered not in _KNOWN:
        raise unknown(name)
    default = session.state.global_variables.get(lowered, _KNOWN[lowered][1])
    return default if is_global else session.variables.get(lowered, default)


def field(name: str, label: str) -> wire.Field:
    kind = _KNOWN[name.lower()][0]
    if kind in ("int", "positive"):
        return wire.Field(label, wire.LONGLONG, 20, 63)
    if kind == "bool":
        return wire.Field(label, wire.TINY, 1, 63)
    return wire.Field(label, wire.VAR_STRING, 192)


def listed(session: Session, is_global: bool) -> list[tuple[str, str]]:
    rows = []
    for name in sorted(_KNOWN):
        text = value(session, name, is_global)
        if _KNOWN[name][0] == "bool":
            text = "true" if text == "1" else "false"
        rows.append((name, text))
    return rows


def assign(session: Session, statement: SetVariables) -> None:
    for scope, name, given in statement.items:
        if scope == "names":
            _set_names(session, name)
        elif scope == "user":
            session.user_variables[name.lower()] = _literal(session, given) or ""
        else:
            _set_variable(session, scope, name, given)


def _check_charset(name: str) -> None:
    lowered = name.lower()
    if lowered in _CHARSETS_REFUSED:
        raise analyzing(f"charset name {name} is not supported yet")
    if not lowered.startswith("utf8"):
        raise analyzing(f"Unknown character set: '{name}'", 1115)


def _set_names(session: Session, name: str) -> None:
    _check_charset(name)
    for part in ("client", "connection", "results"):
        session.variables[f"character_set_{part}"] = name.lower()


def _literal(session: Session, given: Any) -> str | None:
    """The value of a SET: a text, None for DEFAULT, or an expression to evaluate."""
    if not isinstance(given, list):
        return None if given is None else str(given)
    from .query import evaluate
    return evaluate(session, given)


def _set_variable(session: Session, scope: str, name: str, given: Any) -> None:
    lowered = name.lower()
    if lowered not in _KNOWN:
        raise unknown(name)
    if scope == "global":
        session.accounts.need(session.who, "OPERATE", "SYSTEM")
    kind, default = _KNOWN[lowered]
    if kind == "fixed":
        raise analyzing(f"Variable '{lowered}' is a read only variable")
    text = _literal(session, given)
    text = default if text is None else _checked(lowered, kind, text)
    target = session.state.global_variables if scope == "global" else session.variables
    target[lowered] = text


def _checked(name: str, kind: str, text: str) -> str:
    if kind in ("int", "positive"):
        if not re.fullmatch(r"-?\d+", text):
            raise analyzing(f"{name} is not a number")
        if kind == "positive" and int(text) < 1:
            raise analyzing(f"{name} must be equal or greater than 1")
        return text
    if kind == "bool":
        known = {"on": "1", "true": "1", "1": "1", "off": "0", "false": "0", "0": "0"}
        if text.lower() not in known:
            raise plain(f"Variable '{name}' can't be set to the value of '{text}'", 1231)
        return known[text.lower()]
    if kind == "charset":
        if text.lower() != "null":
            _check_charset(text)
        return text.lower()
    if kind == "zone":
        return _checked_zone(text)
    if kind == "mode":
        return _checked_mode(text)
    return text


def _checked_mode(text: str) -> str:
    if text.isdigit():
        return "ONLY_FULL_GROUP_BY" if int(text) & 32 else ""
    for mode in text.split(","):
        if mode.strip().upper() not in _MODES:
            raise plain(f"Variable 'sql_mode' can't be set to the value of '{text}'", 1231)
    return text.upper()


def _checked_zone(text: str) -> str:
    if re.fullmatch(r"[+-]\d\d?:\d\d", text):
        return text
    try:
        if text.upper() in ("UTC", "GMT", "CST", "PRC"):
            return text
        zoneinfo.ZoneInfo(text)
        if "/" in text:
            return text
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise analyzing(f"Unknown or incorrect time zone: '{text}'", 1298)


def zone(text: str) -> datetime.tzinfo:
    match = re.fullmatch(r"([+-])(\d\d?):(\d\d)", text)
    if match:
        minutes = int(match.group(2)) * 60 + int(match.group(3))
        sign = -1 if match.group(1) == "-" else 1
        return datetime.timezone(datetime.timedelta(minutes=sign * minutes))
    if text.upper() in ("CST", "PRC"):
        return zoneinfo.ZoneInfo("Asia/Shanghai")
    return datetime.timezone.utc if text.upper() in ("UTC", "GMT") else zoneinfo.ZoneInfo(text)
