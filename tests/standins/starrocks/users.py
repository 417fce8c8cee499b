"""Accounts, roles and privileges.

Grants on single tables hold the table's id, so they follow it through SWAP and
RENAME and are gone after DROP + CREATE. Creating a database grants nothing.
Sources: the contract's starrocks.md 5.1, verified.md 25 and 33, FE transcript 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..common.mysqlwire import native_hash
from .catalog import Catalog, Database, Table
from .errors import SqlError, analyzing, denied
from .parse_users import BY_OBJECT
from .tree import Grant, RoleChange, UserChange, UserName

BUILTIN_ROLES = {
    "root": "built-in root role which has all privileges on all objects",
    "db_admin": "built-in database administration role",
    "cluster_admin": "built-in cluster administration role",
    "user_admin": "built-in user administration role",
    "public": "built-in public role which is owned by any user",
    "security_admin": "built-in security administration role",
}
_TYPE_ORDER = ["TABLE", "DATABASE", "CATALOG", "SYSTEM"]

# Scope of a grant: (object type, database id or None for all, table id or None for all).
Scope = tuple[str, int | None, int | None]


@dataclass
class Holder:
    """Whoever can hold privileges: a user or a role."""

    grants: dict[Scope, set[str]] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)


@dataclass
class User(Holder):
    name: UserName = UserName("")
    password: bytes = b""
    default_roles: list[str] = field(default_factory=list)


@dataclass
class Identity:
    """Who a session is: stays what it was at login, also when the user is dropped."""

    user: UserName
    active_roles: list[str]

    @property
    def is_root(self) -> bool:
        return "root" in self.active_roles


class Accounts:
    def __init__(self, catalog: Catalog):
        self.catalog = catalog
        root = User(name=UserName("root"), roles=["root"], default_roles=["root"])
        self.users: dict[UserName, User] = {root.name: root}
        self.roles: dict[str, Holder] = {name: Holder() for name in BUILTIN_ROLES}
        self.version = 0

    def find(self, user: str) -> User | None:
        return next((u for u in self.users.values() if u.name.user == user), None)

    def get(self, name: UserName) -> User:
        found = self.users.get(name)
        if found is None:
            raise analyzing(f"cannot find user {name}!")
        return found

    def role(self, name: str) -> Holder:
        if name not in self.roles:
            raise analyzing(f"cannot find role {name}!")
        return self.roles[name]

    def login(self, user: User) -> Identity:
        return Identity(user.name, list(user.default_roles))

    # What somebody may do

    def _holders(self, who: Identity) -> list[Holder]:
        user = self.users.get(who.user)
        holders: list[Holder] = [user] if user else []
        if user is None:
            return holders
        return holders + [self.roles[role] for role in who.active_roles if role in self.roles]

    def allowed(self, who: Identity, privilege: str, kind: str, database: Database | None = None,
                table: Table | None = None) -> bool:
        """`privilege` ANY asks for whichever; on a database, also for one on a table in it."""
        if who.is_root and who.user in self.users:
            return not (database and database.is_system and privilege == "DROP")
        for holder in self._holders(who):
            for (granted_kind, db_id, table_id), privileges in holder.grants.items():
                inside = (privilege == "ANY" and kind == "DATABASE" and granted_kind == "TABLE"
                          and database is not None and self._touches(database, db_id, table_id))
                if inside:
                    return True
                if granted_kind != kind or not (privilege == "ANY" or privilege in privileges):
                    continue
                if db_id is not None and (database is None or database.id != db_id):
                    continue
                if table_id is None or (table is not None and table.id == table_id):
                    return True
        return False

    @staticmethod
    def _touches(database: Database, db_id: int | None, table_id: int | None) -> bool:
        if db_id is not None and database.id != db_id:
            return False
        return table_id is None or any(t.id == table_id for t in database.tables.values())

    def need(self, who: Identity, privilege: str, kind: str, database: Database | None = None,
             table: Table | None = None) -> None:
        if not self.allowed(who, privilege, kind, database, table):
            raise self.denial(who, privilege, kind, database, table)

    def denial(self, who: Identity, privilege: str, kind: str, database: Database | None = None,
               table: Table | None = None) -> SqlError:
        user = self.users.get(who.user)
        inactive = [r for r in (user.roles if user else []) if r not in who.active_roles]
        names = {"SYSTEM": "SYSTEM", "CATALOG": "CATALOG default_catalog",
                 "DATABASE": f"DATABASE {database.name if database else ''}",
                 "TABLE": f"TABLE {table.name if table else ''}"}
        return denied(privilege, names[kind], who.active_roles, inactive)

    def sees_database(self, who: Identity, database: Database) -> bool:
        return database.name == "information_schema" or self.allowed(
            who, "ANY", "DATABASE", database)

    def sees_table(self, who: Identity, database: Database, table: Table) -> bool:
        return self.allowed(who, "ANY", "TABLE", database, table)

    # Changes

    def change_user(self, change: UserChange) -> None:
        self.version += 1
        assert change.user is not None
        exists = change.user in self.users
        if change.action == "create":
            if exists:
                if change.lenient:
                    return
                raise analyzing(f"user {change.user} already exists!")
            self.users[change.user] = User(name=change.user, password=_hash(change.password))
            return
        if not exists and change.lenient:
            return
        user = self.get(change.user)
        if change.action == "alter":
            user.password = _hash(change.password)
        else:
            del self.users[user.name]

    def change_role(self, change: RoleChange) -> None:
        self.version += 1
        name = change.roles[0]
        if change.action == "create":
            if name in self.roles and not change.lenient:
                raise analyzing(f"Role {name} already exists!")
            self.roles.setdefault(name, Holder())
        elif change.action == "drop":
            if name not in self.roles and not change.lenient:
                raise analyzing(f"Can not drop role {name}: cannot find role")
            self.roles.pop(name, None)
        elif change.action == "default":
            assert change.user is not None
            user = self.get(change.user)
            user.default_roles = self.expand(user, change.roles)
        else:
            holder: Holder = (self.get(change.user) if change.user
                              else self.role(change.role or ""))
            for role in change.roles:
                self.role(role)
                if change.action == "grant" and role not in holder.roles:
                    holder.roles.append(role)
                if change.action == "revoke" and role in holder.roles:
                    holder.roles.remove(role)

    @staticmethod
    def expand(user: User, roles: list[str]) -> list[str]:
        if roles == ["ALL"]:
            return list(user.roles)
        if roles == ["NONE"]:
            return []
        if roles == ["DEFAULT"]:
            return list(user.default_roles)
        for role in roles:
            if role not in user.roles:
                raise analyzing(f"Role {role} is not granted to {user.name}")
        return list(roles)

    def change_grant(self, grant: Grant, current_db: str | None) -> None:
        scope = self._scope(grant, current_db)
        holder: Holder = self.get(grant.user) if grant.user else self.role(grant.role or "")
        self.version += 1
        held = holder.grants.setdefault(scope, set())
        if grant.revoke:
            held.difference_update(grant.privileges)
            if not held:
                del holder.grants[scope]
        else:
            held.update(grant.privileges)

    def _scope(self, grant: Grant, current_db: str | None) -> Scope:
        db_name = current_db if grant.db == "" else grant.db
        if db_name is None:
            return grant.object, None, None
        database = self.catalog.databases.get(db_name)
        if database is None:
            raise analyzing(f"cannot find db: {db_name}")
        if grant.table is None:
            return grant.object, database.id, None
        table = database.tables.get(grant.table)
        if table is None:
            raise analyzing(f"cannot find table {grant.table} in db {db_name}")
        return grant.object, database.id, table.id

    def grant_lines(self, name: UserName) -> list[tuple[str | None, str]]:
        """Catalog and text of every line of SHOW GRANTS."""
        user = self.get(name)
        lines: list[tuple[str | None, str]] = []
        if user.roles:
            listed = ", ".join(f"'{role}'" for role in user.roles)
            lines.append((None, f"GRANT {listed} TO {name}"))
        for kind in _TYPE_ORDER:
            scopes = [scope for scope in user.grants if scope[0] == kind]
            for scope in sorted(scopes, key=lambda s: (s[1] is not None, s[2] is not None)):
                on = self._scope_text(scope)
                if on:
                    held = [p for p in BY_OBJECT[kind] if p in user.grants[scope]]
                    catalog = None if kind == "SYSTEM" else "default_catalog"
                    lines.append((catalog, f"GRANT {', '.join(held)} ON {on} TO USER {name}"))
        return lines

    def _scope_text(self, scope: Scope) -> str | None:
        """None for a table or database that is gone."""
        kind, db_id, table_id = scope
        if kind in ("SYSTEM", "CATALOG"):
            return "SYSTEM" if kind == "SYSTEM" else "CATALOG default_catalog"
        database = next((d for d in self.catalog.databases.values() if d.id == db_id), None)
        if db_id is not None and database is None:
            return None
        if table_id is not None:
            found = self.catalog.find_table_by_id(table_id)
            return f"TABLE {found[0].name}.{found[1].name}" if found else None
        where = f"DATABASE {database.name}" if database else "ALL DATABASES"
        if kind == "TABLE":
            return f"ALL TABLES IN {where}"
        return where


def _hash(password: str | None) -> bytes:
    return native_hash(password) if password else b""
