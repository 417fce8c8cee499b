"""Random schemas in two real servers arrive as the type table says, and random changes of them converge or stall with a reason.

SCHEMA_SEED=<number> runs one seed again; a failure names it.
"""

import os
import random

import pymysql
import pytest

from .random_tables import Table, any_column, quoted
from .system import Group, condition_of

SEED = int(os.environ.get("SCHEMA_SEED") or random.SystemRandom().randrange(2**32))
TABLES = [f"{server}{number}" for server in ("oracle", "maria") for number in range(6)]
LIVING = ("oracle0", "oracle1", "maria0", "maria1")
CHANGES = 3
REASONS = {"ChangeUnsupported", "ChangeBlockedByPolicy", "TableReplaced", "IncompatibleSchema", "DestructiveChange", "UnsupportedType",
           "UnsupportedKey", "InvalidColumns"}
pytestmark = pytest.mark.together


class Random:
    """One random table and its TableSync."""

    def __init__(self, group: Group, name: str):
        self.group, self.name, self.rng = group, name, random.Random(f"{SEED} {name}")
        self.table = Table(self.rng, group.mysql, group.database, name)

    def explain(self, error: Exception) -> AssertionError:
        shown = self.table.execute(f"SHOW CREATE TABLE `{self.name}`")[0][1]
        return AssertionError(f"SCHEMA_SEED={SEED} {self.name}\n{shown}\n{error}")

    def wait_equal(self) -> None:
        """Until columns with their types and all rows are those that are wanted."""
        seen = {}

        def equal(_):
            seen["types"], seen["rows"] = self.table.wanted()
            seen["found"] = self.group.target_columns(self.name)
            if seen["found"] != seen["types"]:
                return False
            listed = ", ".join(f"`{name}`" for name in seen["types"])
            try:
                found = self.group.system.starrocks.query(f"SELECT {listed} FROM {self.group.database}.{self.name}")
            except pymysql.err.MySQLError:  # it is just being made anew
                return False
            seen["missing"], seen["more"] = seen["rows"] - set(found), set(found) - seen["rows"]
            return len(found) == len(seen["rows"]) and not seen["missing"] and not seen["more"]

        try:
            self.group.wait(self.name, "columns and rows are as the type table says", equal)
        except AssertionError as late:
            told = [f"{key}: {str(seen.get(key))[:3000]}" for key in ("types", "found", "missing", "more")]
            raise AssertionError("\n".join([*told, str(late)])) from late

    # --- changes ---

    def alter(self) -> str | None:
        """Changes the table in some way; what was done, or None where MySQL would not."""
        rng, table = self.rng, self.table
        column = rng.choice([*table.columns]) if table.columns else None
        kind = rng.choice(("add", "add", "drop", "modify", "modify", "rename", "key", "truncate", "swap"))
        new = any_column(rng, table.maria)
        if kind == "add":
            name = table.names.pop()
            statement = f"ADD COLUMN `{name}` {new.definition} {rng.choice(('', 'FIRST'))}"
        elif kind == "drop" and len(table.columns) > 1:
            statement = f"DROP COLUMN `{column}`"
        elif kind == "modify" and column:
            statement = f"MODIFY `{column}` {new.definition}"
        elif kind == "rename" and column:
            name = table.names.pop()
            statement = f"CHANGE `{column}` `{name}` {table.columns[column].definition}"
        elif kind == "key" and not table.extra:
            name = table.names.pop()
            statement = f"ADD COLUMN `{name}` INT NOT NULL DEFAULT 7, DROP PRIMARY KEY, ADD PRIMARY KEY ({self.key()}, `{name}`)"
        elif kind == "truncate":
            table.execute(f"TRUNCATE TABLE `{self.name}`")
            return kind
        else:
            kind, name = "swap", table.names.pop()
            statement = f"ADD COLUMN `{name}` {new.definition}"
        try:
            self.run(kind, statement)
        except pymysql.err.MySQLError:
            self.group.sql(f"DROP TABLE IF EXISTS `_{self.name}_gho`")
            return None
        if kind in ("drop", "rename"):
            moved = table.columns.pop(column)
            if kind == "rename":
                table.columns[name] = moved
        elif kind in ("add", "swap"):
            table.columns[name] = new
        elif kind == "modify":
            table.columns[column] = new
        return statement

    def key(self) -> str:
        return ", ".join(f"`{name}`" for name in self.table.described()[1])

    def run(self, kind: str, statement: str) -> None:
        name = self.name
        if kind != "swap":
            self.group.sql("SET sql_mode = ''", f"ALTER TABLE `{name}` {statement}")
            return
        number = self.rng.randrange(10**6)
        self.group.sql("SET sql_mode = ''", f"CREATE TABLE `_{name}_gho` LIKE `{name}`")
        listed = ", ".join(f"`{row[0]}`" for row in self.group.sql(f"SHOW COLUMNS FROM `{name}`") if "GENERATED" not in row[5])
        self.group.sql("SET sql_mode = ''", f"ALTER TABLE `_{name}_gho` {statement}",
                       f"INSERT INTO `_{name}_gho` ({listed}) SELECT {listed} FROM `{name}`",
                       f"RENAME TABLE `{name}` TO `_{name}_{number}_del`, `_{name}_gho` TO `{name}`")

    def outcome(self, before: str, change: str) -> str | None:
        """Waits until the change was carried through, or for the reason why it was not."""
        def decided(resource):
            ready, stalled = condition_of(resource, "Ready"), condition_of(resource, "Stalled")
            noticed = change == "truncate" or resource["status"]["source"].get("schemaHash") != before
            return noticed and (stalled or (change != "truncate" and ready["status"] == "True" and not condition_of(
                resource, "Reconciling") and [len(found) for found in self.group.streams(self.name)] == [1, 1]))

        resource = self.group.wait(self.name, f"'{change}' is carried through or refused", decided)
        return condition_of(resource, "Stalled").get("reason")


@pytest.fixture(scope="module")
def tables(running, mariadb):
    print(f"SCHEMA_SEED={SEED}")
    groups = {"oracle": Group(running, "random-oracle"), "maria": Group(running, "random-maria", mariadb)}
    made = {name: Random(groups[name.rstrip("0123456789")], name) for name in TABLES}
    for name, one in made.items():
        one.table.create()
        one.table.insert(one.rng.randint(4, 12))
        one.policy = one.rng.choice(("AddOnly", "Evolve"))
    for server, group in groups.items():
        group.apply({name: {"columns": {"unsupported": "Skip"}, "schemaChange": {"policy": one.policy}}
                     for name, one in made.items() if name.startswith(server)})
    yield made
    for group in groups.values():
        group.finish()


@pytest.mark.parametrize("name", TABLES)
def test_a_random_table_arrives_and_lives(tables, name):
    """By snapshot, then by changes; a few are altered at random, and a re-sync always leads to equal tables."""
    one = tables[name]
    try:
        one.group.wait_ready(name)
        one.wait_equal()
        one.table.insert(6)
        one.table.change()
        one.wait_equal()
        for number in range(CHANGES if name in LIVING else 0):
            change_and_repair(one, number)
    except (AssertionError, pymysql.err.MySQLError) as error:
        raise one.explain(error) from error


def change_and_repair(one: Random, number: int) -> None:
    before, change = one.group.status(one.name)["source"]["schemaHash"], one.alter()
    if change is None:
        return
    reason = one.outcome(before, change)
    assert reason is None or reason in REASONS, f"{change}: {reason}"
    one.table.insert(2)
    one.group.patch(one.name, resyncToken=f"{number}", resyncMode="Recreate")
    try:
        one.wait_equal()
        one.group.wait_settled(one.name)
    except AssertionError as error:
        raise AssertionError(f"after '{change}' ({reason}): {error}") from error
