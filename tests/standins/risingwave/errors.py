"""Errors in RisingWave's shape: one code and a chain of causes, newest first."""

from __future__ import annotations

EXISTS = "42710"
NOT_FOUND = "42704"
NO_DATABASE = "3D000"
OTHER = "XX000"

BUG_REPORT = ("\nThis is a bug. We would appreciate a bug report at:\n"
              "  https://github.com/risingwavelabs/risingwave/issues/new"
              "?labels=type%2Fbug&template=bug_report.yml")


class PgError(Exception):
    """A refused statement. `causes` are printed one per line, the root last."""

    def __init__(self, *causes: str, code: str = OTHER):
        super().__init__(causes[-1])
        self.causes = causes
        self.code = code

    def text(self, headline: str) -> str:
        if len(self.causes) == 1:
            return f"{headline}\n\nCaused by:\n  {self.causes[0]}"
        lines = "\n".join(f"  {number}: {cause}" for number, cause in enumerate(self.causes, 1))
        return f"{headline}\n\nCaused by these errors (recent errors listed first):\n{lines}"


class Panic(Exception):
    """RisingWave's frontend panicked: the client gets the text and loses the connection."""

    def text(self) -> str:
        return f"Panicked when handling the request: {self}{BUG_REPORT}"


class LoginError(Exception):
    """A refused login; sent as FATAL."""


def catalog_error(text: str, code: str) -> PgError:
    return PgError("Catalog error", text, code=code)


def not_found(kind: str, name: str) -> PgError:
    return catalog_error(f"{kind} not found: {name}", NOT_FOUND)


def exists(kind: str, name: str, creating: bool = False) -> PgError:
    suffix = " but under creation" if creating else ""
    return catalog_error(f"{kind} with name {name} exists{suffix}", EXISTS)


def denied(text: str) -> PgError:
    return PgError(f"Permission denied: {text}")


def invalid_syntax(text: str) -> PgError:
    return PgError(f"Invalid input syntax: {text}")


def invalid_parameter(text: str) -> PgError:
    return PgError(f"Invalid Parameter Value: Invalid parameter: {text}")


def not_implemented(text: str) -> PgError:
    return PgError(f"Feature is not yet implemented: {text}\n"
                   "No tracking issue yet. Feel free to submit a feature request at "
                   "https://github.com/risingwavelabs/risingwave/issues/new"
                   "?labels=type%2Ffeature&template=feature_request.yml")


def meta_call(call: str, *causes: str, code: str = OTHER) -> PgError:
    """An error that came back from the meta node's service."""
    return PgError(f"gRPC request to meta service (call `/{call}`) failed: Internal error",
                   *causes, code=code)


def ddl_call(call: str, *causes: str) -> PgError:
    return meta_call(f"ddl_service.DdlService/{call}", *causes)


RECOVERING = ("The cluster is recovering", "database 1 report failure from 2")
