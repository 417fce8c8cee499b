"""Users, logins and grants."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from . import statements as ast
from .catalog import Granted, Relation, Sink, Source, Table, User
from .errors import denied, exists, not_found

if TYPE_CHECKING:
    from .server import Server
    from .session import Session

_KINDS: dict[str, type[Relation]] = {"table": Table, "source": Source, "sink": Sink}


def password_matches(user: User, given: str) -> bool:
    """`given` in clear text."""
    return user.password is None or user.password == given


def md5_response(user: User, salt: bytes) -> str:
    """What PostgreSQL's MD5 method expects."""
    inner = hashlib.md5(((user.password or "") + user.name).encode()).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt).hexdigest()


def create(session: Session, statement: ast.CreateUser) -> str:
    if not (session.user.is_super or session.user.create_user):
        raise denied("permission denied to create user")
    if statement.name in session.catalog.users:
        raise exists("user", statement.name)
    flags = statement.flags
    if statement.password == "":
        session.notice("empty string is not a valid password, clearing password")
    if flags.get("superuser") and not session.user.is_super:
        raise denied("must be superuser to create superusers")
    user = User(next(session.catalog.ids), statement.name, statement.password or None,
                flags.get("superuser", False), flags.get("createdb", False),
                flags.get("createuser", False), flags.get("login", True))
    session.catalog.users[statement.name] = user
    # There is no PUBLIC: a new user gets CONNECT on the session's database, and may pass it
    # on (RisingWave 3.0.3 create_user.rs).
    session.catalog.database_grants[user.id] = {"CONNECT"}
    session.catalog.changed()
    return "CREATE_USER"


def alter(session: Session, statement: ast.AlterUser) -> str:
    user = find(session, statement.name)
    if user is not session.user and not (session.user.is_super or session.user.create_user):
        raise denied("permission denied to alter user")
    user.password = statement.password
    session.catalog.changed()
    return "UPDATE_USER"


def find(session: Session, name: str) -> User:
    if name not in session.catalog.users:
        raise not_found("user", name)
    return session.catalog.users[name]


def drop(session: Session, statement: ast.Drop) -> str:
    name = statement.name.name
    if name not in session.catalog.users:
        if not statement.if_exists:
            raise not_found("user", name)
        session.notice(f'user "{name}" does not exist, skipping')
        return "DROP_USER"
    if not (session.user.is_super or session.user.create_user):
        raise denied("permission denied to drop user")
    user = session.catalog.users[name]
    owned: list[Granted] = [*session.catalog.relations.values(), *session.catalog.schemas.values()]
    if any(thing.owner is user for thing in owned):
        raise denied(f"PermissionDenied: user {name} has objects")
    del session.catalog.users[name]
    session.catalog.changed()
    return "DROP_USER"


def grant(session: Session, statement: ast.Grant) -> str:
    for user_name in statement.users:
        user = find(session, user_name)
        for grants in _targets(session, statement):
            have = grants.setdefault(user.id, set())
            if not statement.revoke:
                have.update(statement.privileges)
            elif "ALL" in statement.privileges:
                have.clear()
            else:
                have.difference_update(statement.privileges)
            if statement.kind == "database" and "CONNECT" not in have:
                user.may_grant_connect = False
    session.catalog.changed()
    return "REVOKE_PRIVILEGE" if statement.revoke else "GRANT_PRIVILEGE"


def _targets(session: Session, statement: ast.Grant) -> list[dict[int, set[str]]]:
    """The grants of every object the statement names."""
    catalog = session.catalog
    found: list[dict[int, set[str]]] = []
    for name in statement.names:
        if statement.kind == "database":
            if name.name != catalog.database:
                raise not_found("database", name.name)
            _need_grantor(session, None)
            found.append(catalog.database_grants)
        elif statement.kind == "schema":
            schema = catalog.schema(name.name)
            _need_grantor(session, schema)
            found.append(schema.grants)
        elif statement.kind.startswith("all "):
            schema = catalog.schema(name.name)
            kind = _KINDS.get(statement.kind[4:].rstrip("s"), Relation)
            found += [relation.grants for relation in catalog.of(kind)
                      if relation.schema is schema]
        else:
            relation = session.find(_KINDS.get(statement.kind, Relation), name)
            if relation is None:
                raise not_found(statement.kind, name.name)
            _need_grantor(session, relation)
            found.append(relation.grants)
    return found


def _need_grantor(session: Session, thing: Granted | None) -> None:
    if not session.user.is_super and (thing is None or thing.owner is not session.user):
        raise denied("PermissionDenied: Don't have grant option")


def may_connect(server: Server, user: User) -> bool:
    return server.catalog.may_in_database(user, "CONNECT")
