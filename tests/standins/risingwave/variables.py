"""Session variables: names, defaults, and which values they take."""

from __future__ import annotations

import re
from pathlib import Path

from .errors import PgError

_BOOLEANS = {"background_ddl", "bypass_cluster_limits", "implicit_flush", "upsert_dml",
             "dml_wait_persistence", "enable_serverless_backfill"}
_NUMBERS = {"backfill_rate_limit", "source_rate_limit", "dml_rate_limit", "sink_rate_limit",
            "cdc_source_wait_streaming_start_timeout", "slow_ddl_notification_secs",
            "streaming_max_parallelism", "batch_parallelism"}
_READ_ONLY = {"server_version", "server_version_num", "server_encoding"}
_PARALLELISM = re.compile(r"default|adaptive|\d+|(bounded|ratio)\([\d.]+\)")
_ALIASES = {"rw_implicit_flush": "implicit_flush", "time zone": "timezone"}


def defaults() -> dict[str, str]:
    text = (Path(__file__).parent / "variables.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def _config_error(text: str) -> PgError:
    return PgError("Failed to get/set session config", text)


def known(variables: dict[str, str], name: str) -> str:
    name = _ALIASES.get(name, name)
    if name not in variables:
        raise _config_error(f"Unrecognized config entry `{name}`")
    return name


def assign(variables: dict[str, str], given_name: str, value: str) -> None:
    name = known(variables, given_name)
    if name in _READ_ONLY:
        raise _config_error(f"Invalid value `{value}` for `{name}`: read-only")
    if value.lower() == "default" and not name.startswith(("streaming_par", "sink_decouple")):
        value = defaults()[name]
    elif name in _BOOLEANS:
        value = _boolean(name, value)
    elif name in _NUMBERS and not re.fullmatch(r"-?\d+", value):
        raise _config_error(f"Invalid value `{value}` for `{name}`")
    elif name == "sink_decouple":
        value = _choice(name, value, {"default": "default", "true": "enable", "enable": "enable",
                                      "false": "disable", "disable": "disable"})
    elif name.startswith("streaming_parallelism") and not _PARALLELISM.fullmatch(value.lower()):
        raise _config_error(f"Invalid value `{value}` for `{name}`")
    elif name == "client_encoding" and value.upper().replace("-", "") not in ("UTF8", "SQL_ASCII"):
        raise _config_error(f"Invalid value `{value}` for `{name}`")
    variables[name] = value


def _boolean(name: str, value: str) -> str:
    return _choice(name, value, {"true": "true", "on": "true", "t": "true", "1": "true",
                                 "false": "false", "off": "false", "f": "false", "0": "false"})


def _choice(name: str, value: str, choices: dict[str, str]) -> str:
    if value.lower() not in choices:
        raise _config_error(f"Invalid value `{value}` for `{name}`")
    return choices[value.lower()]
