"""Which recorded values may differ from run to run, and what must still hold."""

from __future__ import annotations

import json
import re
from typing import Any

INTERNAL_NAME = re.compile(r"__internal_.+_\d+_[a-z]+_\d+")
_INTERNAL_ANYWHERE = re.compile(r"(__internal_\S*?)_\d+_([a-z]+)_\d+")

# Times on the day of the recording are times of the run; others are data.
_RECORDED_DAY = "2026-11-23"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)?")

_NUMBER_SHAPED = {
    "id", "schema_id", "table_id", "relation_id", "fragment_id", "job_id", "sink_id",
    "source_id", "ddl_id", "split_id", "objoid", "file_size",
    "system_total_memory_bytes", "system_total_cpu_cores", "parallelism",
    "jobid", "indexid", "originindexid", "transactionid", "connection_id()", "partitionid",
    "versionepoch",
}
_TEXT_SHAPED = {
    "version", "version()", "current_version()", "@@version", "@@version_comment",
    "@@server_uuid", "rw_version", "host", "port", "internal_rpc_host_addr",
}
_SCHEMA_VERSION = re.compile(r"\d+:\d+")
_LISTENS = re.compile(r"(?<=\d\.\d\.\d\.\d:)\d+|(?<=localhost:)\d+")

# SHOW BACKENDS and its kin: only these say something about the server's state.
_NODE_FACTS = {"backendid", "alive", "systemdecommissioned", "clusterdecommissioned", "errmsg",
               "statuscode", "role", "user", "db", "command", "state", "info", "catalog"}
_NODE_STATEMENTS = ("SHOW BACKENDS", "SHOW FRONTENDS", "SHOW PROCESSLIST", "SHOW FULL PROCESSLIST")


def same_value(column: str, want: Any, got: Any, statement: str) -> bool:
    name = column.lower()
    if statement.startswith(_NODE_STATEMENTS):
        return name not in _NODE_FACTS or want == got
    if name == "server_version" or (name == "name" and statement.startswith("SHOW SERVER_")):
        return isinstance(got, str) and bool(got)
    if want is None or got is None:
        return want is None and got is None
    if name in _TEXT_SHAPED and isinstance(want, str) and want != got:
        return isinstance(got, str) and bool(got)
    if name in _NUMBER_SHAPED:
        return _is_number(want) == _is_number(got)
    if name == "schemaversion":
        return bool(_SCHEMA_VERSION.fullmatch(str(got)))
    if isinstance(want, str) and isinstance(got, str):
        return same_text(want, got)
    if isinstance(want, (dict, list)):
        return _same_json(want, got)
    return type(want) is type(got) and bool(want == got)


def same_text(want: str, got: str) -> bool:
    return want == got or _normal(want) == _normal(got)


def _normal(text: str) -> str:
    text = _INTERNAL_ANYWHERE.sub(r"\1_#_\2_#", text)
    text = _TIME.sub(lambda match: _shape_of_time(match.group()), text)
    text = _LISTENS.sub("#", text)
    # Library versions and thread names inside messages of a Java stack differ.
    return re.sub(r"\b(conn|txn|epoch|actor)(ection)?[ _-]?id[=: ]+\d+", r"\1 id #", text)


def _shape_of_time(text: str) -> str:
    """A time near the recording or near now is a time of the run."""
    if text.startswith(_RECORDED_DAY) or abs(_days(text) - _today()) <= 1:
        return re.sub(r"\.\d+", "", re.sub(r"\d\d:\d\d:\d\d", "#", text[10:])) + "@run"
    return text


def _days(text: str) -> int:
    import datetime
    try:
        return datetime.date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return 0


def _today() -> int:
    import datetime
    return datetime.datetime.now(datetime.timezone.utc).date().toordinal()


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and bool(re.fullmatch(r"-?\d+", str(value)))


# Inside JSON: positions and ids of the run.
_POSITIONS = {"position", "pos", "ts_sec", "split_id", "server_id", "filename", "file",
              "gtids", "server", "event", "row"}


def _same_json(want: Any, got: Any, key: str = "") -> bool:
    if isinstance(want, dict):
        return (isinstance(got, dict) and want.keys() == got.keys()
                and all(_same_json(value, got[name], name) for name, value in want.items()))
    if isinstance(want, list):
        return (isinstance(got, list) and len(want) == len(got)
                and all(_same_json(a, b, key) for a, b in zip(want, got)))
    if key in _POSITIONS:
        return isinstance(got, type(want))
    if isinstance(want, str) and isinstance(got, str):
        inner = _parsed(want), _parsed(got)
        if isinstance(inner[0], dict):
            return _same_json(inner[0], inner[1])
        return same_text(want, got)
    return type(want) is type(got) and bool(want == got)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
