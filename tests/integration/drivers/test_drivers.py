"""The drivers against real MySQL and MariaDB and the two stand-ins."""

import contextlib
import os
import signal

import pytest

from cluster.processes import free_port, freeze, wait_until
from standins.conformance.connections import MySqlConn, PostgresConn

from .probe import PASSWORD, USER, Probe, refused

MARK = "tablesync:v1 uid=7b6c hash=0a1b2c3d4e5f"
KINDS = ["MySQL", "RisingWave", "StarRocks"]
# What a wait may last beyond its end; the machine may be busy.
WAKE_MS = 1000
HOSTILE = ["plain", "we ird", "dash-ed", "do.t", "semi;colon", "qu'ote", "dou\"ble", "back\\slash",
           "表格", "SELECT", "9lives", "pa%ce_nt", "-- x", "/* c */"]


@contextlib.contextmanager
def frozen(pid: int):
    freeze(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def endpoint(request, maria, risingwave, starrocks):
    """(arguments of Probe, pid) of the kind the test is parametrized with."""
    return {
        "MySQL": (dict(kind="MySQL", port=maria.port), maria.daemon.pid),
        "RisingWave": (dict(kind="RisingWave", port=risingwave.ports["port"], user="root",
                            password="", database="dev"), risingwave.process.pid),
        "StarRocks": (dict(kind="StarRocks", port=starrocks.ports["mysql"], user="root",
                           password=""), starrocks.process.pid),
    }[request.param]


# --- what every kind of server has in common ---

@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_closed_port(endpoint):
    with Probe(**{**endpoint[0], "port": free_port()}) as probe:
        refused(probe.opened, "Unavailable", "Unreachable", "127.0.0.1:", "spec.port")


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_unknown_host(endpoint):
    with Probe(**{**endpoint[0], "host": "no-such-host.invalid"}) as probe:
        refused(probe.opened, "Unavailable", "UnknownHost", "no-such-host.invalid", "spec.host")


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_host_name_is_resolved(endpoint):
    with Probe(**{**endpoint[0], "host": "localhost"}) as probe:
        assert probe.value("probe")["version"]


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_frozen_server_does_not_outlast_the_deadline(endpoint):
    with Probe(**endpoint[0]) as probe:
        probe.value("probe")
        with frozen(endpoint[1]):
            answer = probe.call("probe", timeoutMs=700)
        refused(answer, "Unavailable", "Timeout")
        assert 700 <= answer["ms"] < 700 + 500 + WAKE_MS * 2
        # The session is over; it says so and waits for nothing.
        again = probe.call("probe")
        refused(again, "Unavailable", "Unreachable", "lost")
        assert again["ms"] < WAKE_MS


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_frozen_server_at_login(endpoint):
    with frozen(endpoint[1]), Probe(**endpoint[0], timeoutMs=500) as probe:
        refused(probe.opened, "Unavailable", "Timeout")
        assert 500 <= probe.opened["ms"] < 500 + WAKE_MS * 2


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_stop_signal_wakes_a_wait(endpoint):
    with Probe(**endpoint[0]) as probe:
        with frozen(endpoint[1]):
            answer = probe.call("probe", timeoutMs=20000, cancelAfterMs=300)
        refused(answer, "Cancelled", "Cancelled", "shutdown")
        assert 300 <= answer["ms"] < 300 + WAKE_MS


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_stop_signal_wakes_a_login(endpoint):
    with frozen(endpoint[1]), Probe(**endpoint[0], timeoutMs=20000, cancelAfterMs=300) as probe:
        refused(probe.opened, "Cancelled", "Cancelled")
        assert 300 <= probe.opened["ms"] < 300 + WAKE_MS


@pytest.mark.parametrize("endpoint", KINDS, indirect=True)
def test_nothing_is_asked_after_the_stop_signal(endpoint):
    with Probe(**endpoint[0]) as probe:
        with frozen(endpoint[1]):
            probe.call("probe", cancelAfterMs=50)
        answer = probe.call("probe")
        assert not answer["ok"] and answer["ms"] < WAKE_MS


# --- MySQL ---

def test_wrong_password(source):
    with Probe("MySQL", source.port, password="wrong-password") as probe:
        refused(probe.opened, "Denied", "AuthFailed", f"login as {USER}", "Secret")
        assert probe.opened["code"] == "1045"


def test_password_of_other_letters(source):
    source.execute("GRANT USAGE ON *.* TO 'letters'@'%' IDENTIFIED BY 'wört-密碼'")
    with Probe("MySQL", source.port, user="letters", password="wört-密碼") as probe:
        assert probe.value("probe")["currentUser"] == "'letters'@'%'"


def test_source_probe(source):
    with Probe("MySQL", source.port) as probe:
        server = probe.value("probe")
    maria = source.kind == "mariadb"
    assert server["version"] == source.execute("SELECT @@version")[0][0]
    assert server["mariadb"] is maria
    assert server["serverUuid"] == ("" if maria else source.variable("server_uuid"))
    assert str(server["serverId"]) == source.variable("server_id")
    assert (server["logBin"], server["gtid"]) == (True, True)
    assert (server["binlogFormat"], server["binlogRowImage"]) == ("ROW", "FULL")
    assert server["currentUser"] == f"'{USER}'@'%'"
    [grant] = server["grants"]
    assert "SELECT, REPLICATION SLAVE" in grant and "*" + "A" not in grant
    password_hash = source.execute(
        f"SELECT {'authentication_string' if maria else 'Password'} FROM mysql.user "
        f"WHERE user = '{USER}'")[0][0]
    assert password_hash not in grant and len(password_hash) > 30


def test_source_expiry(source):
    set_it = ("SET GLOBAL binlog_expire_logs_seconds = 7200" if source.kind == "mariadb"
              else "SET GLOBAL expire_logs_days = 2")
    before = source.variable("expire_logs_days")
    source.execute(set_it)
    try:
        with Probe("MySQL", source.port) as probe:
            expected = 7200 if source.kind == "mariadb" else 2 * 86400
            assert probe.value("probe")["expireSeconds"] == expected
    finally:
        source.execute(f"SET GLOBAL expire_logs_days = {before}")


def test_source_table(source):
    source.execute(
        "DROP TABLE IF EXISTS shop.orders",
        "CREATE TABLE shop.orders (line INT UNSIGNED NOT NULL, id BIGINT UNSIGNED NOT NULL "
        "AUTO_INCREMENT, note VARCHAR(20) NULL DEFAULT 'web', bin BINARY(3) NOT NULL DEFAULT 'a', "
        "ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
        "kind ENUM('a','b''c') COMMENT 'it''s', n DECIMAL(10,2), PRIMARY KEY (id, line)) "
        "DEFAULT CHARSET=utf8mb4 COMMENT='customer orders'",
        "INSERT INTO shop.orders (line, id) VALUES (1, 5), (1, 6)")
    with Probe("MySQL", source.port) as probe:
        value = probe.value("table", database="shop", table="orders")
        table, columns = value["table"], {c["name"]: c for c in value["table"]["columns"]}
        assert table["primaryKey"] == ["id", "line"]
        assert (table["type"], table["comment"], table["autoIncrement"]) == \
            ("BASE TABLE", "customer orders", 7)
        assert [c["ordinal"] for c in table["columns"]] == [1, 2, 3, 4, 5, 6, 7]
        assert columns["id"]["columnType"] == "bigint(20) unsigned"
        assert columns["id"]["extra"] == "auto_increment" and columns["id"]["key"] == "PRI"
        assert columns["kind"]["columnType"] == "enum('a','b''c')"
        assert columns["kind"]["comment"] == "it's"
        assert columns["note"]["charset"] == "utf8mb4" and columns["note"]["nullable"]
        assert (columns["n"]["numericPrecision"], columns["n"]["numericScale"]) == (10, 2)
        assert "defaultValue" not in columns["n"], "NULL is no default in either dialect"
        assert "on update" in columns["ts"]["extra"]
        assert value["keyMax"] == {**dict.fromkeys(columns, 0), "id": 6}

        source.execute("INSERT INTO shop.orders (line, id) VALUES (1, 18446744073709551610)")
        value = probe.value("table", database="shop", table="orders")
        assert value["keyMax"]["id"] == -1 and value["table"]["autoIncrement"] == -1


def test_source_table_that_is_not_there(source):
    source.execute("CREATE TABLE IF NOT EXISTS shop.cased (id INT PRIMARY KEY)")
    with Probe("MySQL", source.port) as probe:
        assert probe.value("table", database="shop", table="nope") == \
            {"databaseExists": True, "exists": False}
        assert probe.value("table", database="nope", table="orders") == \
            {"databaseExists": False, "exists": False}
        # On these servers names differ by case, whatever information_schema's collation says.
        assert not probe.value("table", database="shop", table="CASED")["exists"]
        assert not probe.value("table", database="SHOP", table="cased")["databaseExists"]


def test_source_hostile_names(source):
    def quoted(name):
        return "`" + name + "`"

    def kept(name):  # the table's file name has no room for these
        return name.strip()

    with Probe("MySQL", source.port) as probe:
        for name in HOSTILE:
            columns = ", ".join(f"{quoted(c)} INT" for c in HOSTILE)
            source.execute(f"DROP DATABASE IF EXISTS {quoted(name)}",
                           f"CREATE DATABASE {quoted(name)}",
                           f"CREATE TABLE {quoted(name)}.{quoted(name)} ({quoted('k ' + name)} "
                           f"BIGINT UNSIGNED PRIMARY KEY, {columns})",
                           f"INSERT INTO {quoted(name)}.{quoted(name)} ({quoted('k ' + name)}) "
                           "VALUES (41)")
            value = probe.value("table", database=name, table=name)
            assert value["exists"], name
            table = value["table"]
            assert (table["database"], table["name"]) == (kept(name), kept(name))
            assert [c["name"] for c in table["columns"]] == ["k " + name, *HOSTILE]
            assert table["primaryKey"] == ["k " + name]
            assert value["keyMax"]["k " + name] == 41
            source.execute(f"DROP DATABASE {quoted(name)}")


def test_source_generated_column(maria):
    maria.execute("DROP TABLE IF EXISTS shop.gen",
                  "CREATE TABLE shop.gen (id INT PRIMARY KEY, twice INT AS (id * 2) STORED, "
                  "v INT AS (id + 1) VIRTUAL, n VARCHAR(4) DEFAULT NULL)")
    with Probe("MySQL", maria.port) as probe:
        columns = {c["name"]: c for c in
                   probe.value("table", database="shop", table="gen")["table"]["columns"]}
    assert "id" in columns["twice"]["generationExpression"]
    assert "stored generated" in columns["twice"]["extra"]
    assert "generationExpression" not in columns["id"]
    assert "defaultValue" not in columns["n"], "MariaDB prints the word NULL"


def test_source_view(source):
    source.execute("CREATE OR REPLACE VIEW shop.looks AS SELECT 1 AS one")
    with Probe("MySQL", source.port) as probe:
        table = probe.value("table", database="shop", table="looks")["table"]
    assert table["type"] == "VIEW" and "engine" not in table and table["primaryKey"] == []


def test_source_unique_keys(source):
    source.execute(
        "DROP TABLE IF EXISTS shop.keyed",
        "CREATE TABLE shop.keyed (id INT PRIMARY KEY, a INT NOT NULL, big BIGINT UNSIGNED NOT NULL, "
        "maybe INT NULL, s VARCHAR(50) NOT NULL, UNIQUE KEY zz_both (big, a), UNIQUE KEY maybe (maybe), "
        "UNIQUE KEY begins (s(5)), UNIQUE KEY mixed (a, maybe), KEY plain (a), UNIQUE KEY aa_s (s)) "
        "DEFAULT CHARSET=latin1",
        "INSERT INTO shop.keyed VALUES (1, 2, 77, NULL, 'x')")
    with Probe("MySQL", source.port) as probe:
        value = probe.value("table", database="shop", table="keyed")
    assert value["table"]["primaryKey"] == ["id"]
    assert value["uniqueKeys"] == {"aa_s": ["s"], "zz_both": ["big", "a"]}
    assert list(value["uniqueKeys"]) == ["aa_s", "zz_both"], "by name"
    assert value["keyMax"]["big"] == 77, "it may become the target's key"


def test_source_creation_time(source):
    def created():
        with Probe("MySQL", source.port) as probe:
            one = probe.value("table", database="shop", table="dated")["createdAt"]
            [table] = probe.value("like", database="shop", part="date")["tables"].values()
            assert table["createdAt"] == one
            return one

    source.execute("DROP TABLE IF EXISTS shop.dated",
                   "CREATE TABLE shop.dated (id INT PRIMARY KEY)")
    before = created()
    assert before
    zone = source.variable("time_zone")
    source.execute("SET GLOBAL time_zone = '+05:00'")
    try:
        assert created() == before, "the server's zone moves, the table does not"
    finally:
        source.execute(f"SET GLOBAL time_zone = '{zone}'")
    wait_until("the clock's next second",
               lambda: source.execute("SELECT CAST(UTC_TIMESTAMP() AS CHAR)")[0][0] > before, 5)
    source.execute("DROP TABLE shop.dated", "CREATE TABLE shop.dated (id INT PRIMARY KEY)")
    assert created() > before


LOSSES = [("at", "timeRange", 3), ("digits", "digits", 2), ("day", "zeroDate", 3),
          ("moment", "zeroDate", 1), ("name", "length", 2), ("flag", "boolean", 1),
          ("name", "notNull", 5), ("day", "notNull", 5)]


@pytest.fixture
def lossy(source):
    source.execute("DROP TABLE IF EXISTS shop.lossy")
    with source.connect() as connection, connection.cursor() as cursor:
        for statement in (
                "SET SESSION sql_mode = ''",
                "CREATE TABLE shop.lossy (id INT PRIMARY KEY, at TIME(3), digits DECIMAL(65,30), "
                "day DATE, moment DATETIME(6), name VARCHAR(20) CHARACTER SET utf8mb4, flag TINYINT(1))",
                "INSERT INTO shop.lossy VALUES "
                "(1, '00:00:00', 1.5, '2024-02-29', '2024-02-29 10:00:00', 'four', 1), "
                "(2, '-00:00:00.5', 0.0000000000000000000000000015, '0000-00-00', "
                "'0000-00-00 00:00:00', 'fivev', 0), "
                "(3, '24:00:00', -1234567890123456789012345678.5, '2024-00-10', "
                "'2024-10-10 00:00:00', '\u8868\u8868', 2), "
                "(4, '838:59:59', 0.000000000000000000000000000001, '2024-10-00', NULL, '', NULL), "
                "(5, '23:59:59.999', 0, '0001-01-01', '0001-10-20 00:00:00', 'abcd', 1), "
                "(6, NULL, NULL, NULL, NULL, NULL, NULL)"):
            cursor.execute(statement)
    return source


def _losses(probe, wanted=LOSSES, **arguments):
    return probe.value("losses", database="shop", table="lossy",
                       checks=[{"column": c, "kind": k, "limit": 4} for c, k, _ in wanted],
                       **arguments)


def test_source_losses(lossy):
    """1.5 in DECIMAL(65,30) is stored with 31 digits, 0 with none that counts."""
    for mode in ("", "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE"):
        before = lossy.variable("sql_mode")
        lossy.execute(f"SET GLOBAL sql_mode = '{mode}'")
        try:
            with Probe("MySQL", lossy.port) as probe:
                answer = _losses(probe)
                assert answer["complete"]
                assert [int(n) for n in answer["counts"]] == [n for _, _, n in LOSSES], mode
        finally:
            lossy.execute(f"SET GLOBAL sql_mode = '{before}'")


def test_source_losses_are_bounded(lossy):
    with Probe("MySQL", lossy.port) as probe:
        answer = _losses(probe, [("id", "notNull", 0)], rowsMax=4)
        assert answer == {"complete": False, "counts": ["4"]}
        assert _losses(probe, [("id", "notNull", 0)], rowsMax=7)["complete"]
        many = _losses(probe, [("id", "notNull", 0)] * 290)
        assert many == {"complete": True, "counts": ["6"] * 290}
        assert _losses(probe, []) == {"complete": True, "counts": []}
        assert probe.value("rows", database="shop", table="lossy", rowsMax=4) == {"rows": 4}
        assert probe.value("rows", database="shop", table="lossy") == {"rows": 6}
        assert probe.value("all", database="shop", table="lossy") == {"rows": 6}
        # What was dropped since the schema was read is not the server's trouble.
        refused(probe.call("losses", database="shop", table="lossy",
                           checks=[{"column": "gone", "kind": "notNull"}]), "Conflict", "Conflict",
                "gone")
        refused(probe.call("rows", database="shop", table="never"), "Conflict", "Conflict", "never")


def test_source_counting_gives_up(lossy):
    """Whatever keeps the server busy: no count, no fault, and the session goes on."""
    with lossy.connect() as holder, Probe("MySQL", lossy.port) as probe:
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLES shop.lossy WRITE")
        answer = probe.call("losses", database="shop", table="lossy", timeoutMs=30000,
                            checks=[{"column": "id", "kind": "notNull"},
                                    {"column": "day", "kind": "zeroDate"}])
        assert answer["ok"] and answer["value"] == {"complete": False, "counts": ["-1", "-1"]}
        assert 2900 <= answer["ms"] < 6000
        assert probe.value("rows", database="shop", table="lossy", timeoutMs=30000) == {"rows": -1}
        with holder.cursor() as cursor:
            cursor.execute("UNLOCK TABLES")
        assert probe.value("rows", database="shop", table="lossy") == {"rows": 6}


def test_source_tables_alike(source):
    names = ["or_ders", "_or_ders_old", "orXders", "or%ders", "or|ders", "_or|ders_gho"]
    for name in names:
        source.execute(f"DROP TABLE IF EXISTS shop.`{name}`",
                       f"CREATE TABLE shop.`{name}` (id BIGINT PRIMARY KEY, `v 1` VARCHAR(9))")
    try:
        with Probe("MySQL", source.port) as probe:
            def like(part, database="shop"):
                return probe.value("like", database=database, part=part)["tables"]

            assert sorted(like("or_ders")) == ["_or_ders_old", "or_ders"]
            assert sorted(like("or%ders")) == ["or%ders"]
            assert sorted(like("or|ders")) == ["_or|ders_gho", "or|ders"]
            assert like("no such") == {} and like("or", database="nope") == {}
            columns = like("or_ders")["_or_ders_old"]["columns"]
            assert columns == {"id": columns["id"], "v 1": "varchar(9)"}
            assert columns["id"].startswith("bigint")
            source.execute("DROP DATABASE IF EXISTS crowd", "CREATE DATABASE crowd",
                           *[f"CREATE TABLE crowd.t{n} (id INT PRIMARY KEY)" for n in range(55)])
            assert len(like("t", database="crowd")) == 50
            source.execute("DROP DATABASE crowd")
    finally:
        for name in names:
            source.execute(f"DROP TABLE shop.`{name}`")


def test_source_missing_grants(source):
    with Probe("MySQL", source.port, user="narrow", password="narrow-pw") as probe:
        assert probe.value("replicas") == {"ids": []}
        assert not probe.value("table", database="mysql", table="user")["exists"]


def test_source_slow_read_is_killed(source):
    """The key's maximum waits for a lock; giving up leaves no query behind."""
    def waiting():
        return [row for row in source.execute("SHOW FULL PROCESSLIST")
                if row[1] == USER and row[4] == "Query"]

    source.execute("DROP TABLE IF EXISTS shop.locked",
                   "CREATE TABLE shop.locked (id BIGINT UNSIGNED PRIMARY KEY)")
    with source.connect() as holder, Probe("MySQL", source.port) as probe:
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLES shop.locked WRITE")
        answer = probe.call("table", database="shop", table="locked", timeoutMs=500)
        refused(answer, "Unavailable", "Timeout", "shop.locked")
        wait_until("the query's end", lambda: not waiting(), 5)


def test_source_is_not_a_mysql_server(risingwave):
    with Probe("MySQL", risingwave.ports["port"], timeoutMs=1000) as probe:
        refused(probe.opened, "Unavailable", probe.opened["reason"])
        assert probe.opened["reason"] in ("Timeout", "Unreachable")


# --- StarRocks ---

@pytest.fixture
def ods(starrocks, request):
    """A StarRocks session of the driver and a database of its own."""
    name = "ods_" + request.node.name.replace("[", "_").replace("]", "").replace("-", "_")[5:40]
    with Probe("StarRocks", starrocks.ports["mysql"], user="root", password="") as probe:
        probe.value("createDatabase", name=name)
        yield probe, name


def test_target_wrong_password(starrocks):
    with Probe("StarRocks", starrocks.ports["mysql"], user="root", password="not-it") as probe:
        refused(probe.opened, "Denied", "AuthFailed", "login as root")


def test_target_catalog(ods):
    probe, name = ods
    assert not probe.value("catalog", database="nope_" + name)["databaseExists"]
    assert probe.value("catalog", database=name)["tables"] == {}
    probe.value("createTable", database=name, name="t", column="amount", comment=MARK,
                replicas="1", tag="tablesync shop/orders */ DROP 7")
    catalog = probe.value("catalog", database=name)
    assert catalog["liveBackends"] == 1
    assert catalog["tables"]["t"] == {
        "comment": MARK, "model": "PRIMARY_KEYS", "primaryKey": ["id"],
        "columns": {"id": "bigint(20)", "amount": "decimal(10, 2)"}, "defaults": {},
        "altering": False, "alterFailed": ""}
    assert probe.value("all", database=name, table="t") == {"rows": 0}
    assert not probe.call("all", database=name, table="never")["ok"]
    refused(probe.call("createTable", database=name, name="t", column="amount", comment=MARK,
                       replicas="1"), "Refused", "AlreadyExists", "Table 't' already exists")
    refused(probe.call("createTable", database=name, name="t3", column="amount", comment=MARK,
                       replicas="3"), "Refused", "ReplicationImpossible", "replication_num", "[10001]")


def test_target_schema_changes(ods, starrocks):
    """A job of the FE: seen while it runs, seen when it was cancelled, a wait for others."""
    probe, name = ods
    probe.value("createTable", database=name, name="t", column="amount", comment=MARK, replicas="1")
    probe.value("createTable", database=name, name="other", column="v", comment=MARK, replicas="1")

    def table(which="t"):
        return probe.value("catalog", database=name)["tables"][which]

    def alter(op, **more):
        return probe.call(op, database=name, name="t", **more)

    assert alter("addColumn", column="channel")["ok"]
    seen = table()
    assert seen["columns"]["channel"] == "varchar(64)" and seen["defaults"] == {"channel": "x"}
    assert not seen["altering"], "ADD COLUMN is done at once"
    refused(alter("addColumn", column="channel"), "Refused", "AlreadyExists", "channel")
    starrocks.control("/alter", {"hold": True})
    try:
        assert alter("widenColumn", column="channel")["ok"]
        assert table()["altering"] and not table("other")["altering"]
        assert table()["columns"]["channel"] == "varchar(64)", "accepted is not done"
        refused(alter("commentTable", comment="x"), "Unavailable", "AlterInProgress")
        starrocks.control("/backends", {"alive": 0})
        try:
            assert table()["altering"], "the FE knows its jobs without a backend"
            assert table()["defaults"] == {"channel": "x"}
        finally:
            starrocks.control("/backends", {"alive": 1})
    finally:
        starrocks.control("/alter", {"hold": False})
    wait_until("the schema change's end", lambda: not table()["altering"], 60)
    assert table()["columns"]["channel"] == "varchar(128)" and table()["alterFailed"] == ""
    refused(alter("widenColumn", column="channel", bytes=9), "Refused", "AlterFailed", "shorten")
    refused(alter("dropColumn", column="id"), "Refused", "AlterFailed", "key column")
    refused(alter("dropColumn", column="nope"), "Refused", "AlterFailed", "nope")
    refused(probe.call("dropColumn", database=name, name="gone", column="v"), "Refused",
            "TableMissing", "gone")
    assert alter("commentTable", comment="other words")["ok"]
    assert table()["comment"] == "other words"


def test_target_cancelled_schema_change(ods, starrocks):
    probe, name = ods
    probe.value("createTable", database=name, name="t", column="amount", comment=MARK, replicas="1")
    probe.value("addColumn", database=name, name="t", column="channel")
    starrocks.control("/alter", {"hold": True, "fail": "no disk left"})
    try:
        probe.value("widenColumn", database=name, name="t", column="channel")
        starrocks.control("/alter", {"step": 2})
        seen = probe.value("catalog", database=name)["tables"]["t"]
    finally:
        starrocks.control("/alter", {"hold": False, "fail": None})
    assert not seen["altering"] and "no disk left" in seen["alterFailed"], seen
    assert seen["columns"]["channel"] == "varchar(64)"
    probe.value("dropColumn", database=name, name="t", column="channel")
    seen = probe.value("catalog", database=name)["tables"]["t"]
    assert seen["alterFailed"] == "" and "channel" not in seen["columns"], "the newest job counts"


def test_target_hostile_names(ods):
    probe, name = ods
    fitting = [n for n in HOSTILE if n not in ("-- x", "/* c */")]
    for column in fitting:
        answer = probe.call("createTable", database=name, name="t " + column, column=column,
                            comment=MARK + " it's \\ " + column, replicas="1")
        assert answer["ok"], answer
    tables = probe.value("catalog", database=name)["tables"]
    for column in fitting:
        assert list(tables["t " + column]["columns"]) == ["id", column]
        assert tables["t " + column]["comment"] == MARK + " it's \\ " + column
        assert tables["t " + column]["primaryKey"] == ["id"]


def test_target_without_backends(ods, starrocks):
    probe, name = ods
    probe.value("createTable", database=name, name="t", column="v", comment=MARK, replicas="1")
    probe.value("createTable", database=name, name="other", column="v", comment="", replicas="1")
    starrocks.control("/backends", {"alive": 0})
    try:
        catalog = probe.value("catalog", database=name)
        refused(probe.call("createTable", database=name, name="t2", column="v", comment=MARK,
                           replicas="1"), "Unavailable", "NoBackends")
    finally:
        starrocks.control("/backends", {"alive": 1})
    assert catalog["liveBackends"] == 0
    table = catalog["tables"]["t"]
    assert table["model"] == "" and table["comment"] == MARK
    assert table["primaryKey"] == ["id"]
    assert table["columns"] == {"id": "bigint", "v": "decimal(10,2)"}
    assert catalog["tables"]["other"]["columns"] == {}, "only marked tables are asked for"


def test_target_without_privileges(starrocks):
    admin = MySqlConn("127.0.0.1", starrocks.ports["mysql"], "root")
    admin.execute("CREATE USER 'low'@'%' IDENTIFIED BY 'low-password'")
    admin.close()
    with Probe("StarRocks", starrocks.ports["mysql"], user="low", password="low-password") as probe:
        assert probe.value("probe")["liveBackends"] == -1
        refused(probe.call("createDatabase", name="mine"), "Denied", "NotPermitted",
                "CREATE DATABASE")


# --- RisingWave ---

@pytest.fixture
def stream(risingwave):
    with Probe("RisingWave", risingwave.ports["port"], user="root", password="",
               database="dev") as probe:
        yield probe


def _source(server, schema, name, **changes):
    return {"schema": schema, "name": name, "sourceHost": "127.0.0.1",
            "sourcePort": str(server.port), "sourceUser": USER, "sourcePassword": PASSWORD,
            "sourceDatabase": "shop", **changes}


def test_stream_probe(stream, risingwave):
    told = stream.value("probe")
    assert {key: told[key] for key in ("version", "user", "database", "recovering")} == {
        "version": "3.0.3", "user": "root", "database": "dev", "recovering": False}
    risingwave.control("/recovering", {"on": True})
    try:
        assert stream.value("probe")["recovering"] is True
    finally:
        risingwave.control("/recovering", {"on": False})


def test_stream_login(risingwave):
    admin = PostgresConn("127.0.0.1", risingwave.ports["port"], "root")
    made = admin.execute("CREATE USER locked WITH PASSWORD 'the-right-one'")
    assert made.error is None, made
    admin.close()
    port = risingwave.ports["port"]
    with Probe("RisingWave", port, user="locked", password="the-wrong-one", database="dev") as p:
        refused(p.opened, "Denied", "AuthFailed", "login as locked")
    with Probe("RisingWave", port, user="locked", password="the-right-one", database="dev") as p:
        refused(p.call("createSchema", name="mine"), "Denied", "SchemaDenied", "GRANT CREATE")
    with Probe("RisingWave", port, user="nobody", password="", database="dev") as p:
        refused(p.opened, "Denied", "AuthFailed")
    with Probe("RisingWave", port, user="root", password="", database="elsewhere") as p:
        refused(p.opened, "Refused", "Blocked", "elsewhere", "spec.database")


def test_stream_hostile_schema(stream):
    for name in [n for n in HOSTILE if '"' not in n]:
        stream.value("createSchema", name=name)
        assert stream.value("catalog", schema=name)["schemaExists"], name
    assert not stream.value("catalog", schema="never made")["schemaExists"]


def test_stream_source(stream, maria):
    stream.value("createSchema", name="ts")
    assert not stream.value("catalog", schema="ts")["sources"]
    done = stream.value("createSource", **_source(maria, "ts", "src_shop"), background=True,
                        parallelism=1, tag="tablesync default/orders 7")
    assert done["tag"] == "CREATE_SOURCE"
    assert any("wildcard" in notice for notice in done["notices"])
    # The next statement wants neither: both settings go back to their defaults.
    assert stream.value("createSchema", name="ts")["tag"] == "CREATE_SCHEMA"
    catalog = stream.value("catalog", schema="ts")
    [source] = catalog["sources"]
    assert len(source.pop("passwordDigest")) == 16
    assert source == {"schema": "ts", "name": "src_shop", "hostname": "127.0.0.1", "database": "shop",
                      "serverId": "5733"}
    assert "source ts.src_shop" in catalog["relations"]
    [internal] = [n for n in catalog["internals"] if n.startswith("__internal_src_shop_")]
    assert stream.value("offset", schema="ts", name=internal)["file"].startswith("mysql-bin.")


def test_stream_whole_pipeline(stream, maria, risingwave, starrocks, ods):
    """Table, sink, progress, backlog and pause, as the catalogs tell them."""
    target, name = ods
    maria.execute("DROP TABLE IF EXISTS shop.flow",
                  "CREATE TABLE shop.flow (id BIGINT PRIMARY KEY, v DECIMAL(10,2))",
                  "INSERT INTO shop.flow VALUES (1, 1.5), (2, 2.5)")
    target.value("createTable", database=name, name="flow", column="v", comment=MARK,
                 replicas="1")
    stream.value("createSchema", name="flow")
    stream.value("createSource", **_source(maria, "flow", "src_flow"))
    admin = PostgresConn("127.0.0.1", risingwave.ports["port"], "root")
    for statement in (
            'CREATE TABLE flow."t_flow" (id BIGINT, v DECIMAL, PRIMARY KEY (id)) '
            "FROM flow.\"src_flow\" TABLE 'shop.flow'",
            f"COMMENT ON TABLE flow.\"t_flow\" IS '{MARK}'",
            'CREATE SINK flow."k_flow_v1" AS SELECT id, v FROM flow."t_flow" WITH ('
            "connector='starrocks', type='upsert', primary_key='id', starrocks.host='127.0.0.1', "
            f"starrocks.mysqlport='{starrocks.ports['mysql']}', "
            f"starrocks.httpport='{starrocks.ports['http']}', starrocks.user='root', "
            f"starrocks.password='', starrocks.database='{name}', starrocks.table='flow')",
            'ALTER SINK flow."k_flow_v1" SET sink_rate_limit TO 0'):
        result = admin.execute(statement)
        assert result.error is None, result
    admin.close()

    catalog = stream.value("catalog", schema="flow")
    assert catalog["tables"] == {"t_flow": {
        "comment": MARK, "key": ["id"], "columns": {"id": "bigint", "v": "numeric"}}}
    sink = catalog["sinks"]["k_flow_v1"]
    assert len(sink.pop("passwordDigest")) == 16
    assert sink == {"host": "127.0.0.1", "mysqlPort": str(starrocks.ports["mysql"]),
                    "httpPort": str(starrocks.ports["http"]), "user": "root", "database": name,
                    "table": "flow", "primaryKey": "id", "creating": sink["creating"],
                    "rateLimit": 0}
    assert catalog["users of t_flow"] == ["sink flow.k_flow_v1"]
    assert stream.value("catalog", schema="other")["tables"] == {}

    def internal(infix):
        return next(n for n in stream.value("catalog", schema="flow")["internals"]
                    if n.startswith("__internal_") and "flow" in n and infix in n)

    def progress():
        return stream.value("snapshot", schema="flow", name=internal("_streamcdcscan_"))

    def backlog():
        return stream.value("backlog", schema="flow", name=internal("_sink_"))

    def rows(**arguments):
        return stream.value("rows", schema="flow", name="t_flow", **arguments)["rows"]

    wait_until("the snapshot", lambda: progress()["finished"], 30)
    assert progress() == {"present": True, "finished": True, "rows": 2}
    assert (rows(), rows(rowsMax=1)) == (2, 1)
    maria.execute("INSERT INTO shop.flow VALUES (3, 3.5)")
    wait_until("undelivered rows", lambda: backlog()["undelivered"] > 0, 30)
    seen = backlog()
    assert 0 <= seen["nowMs"] - seen["oldestMs"] < 60_000, seen
    assert seen["nowMs"] > 1_700_000_000_000


def test_stream_two_sinks_and_new_columns(stream, maria, risingwave, starrocks, ods):
    """Two versions of a sink stand side by side; the table under them changes."""
    target, name = ods
    maria.execute("DROP TABLE IF EXISTS shop.wide",
                  "CREATE TABLE shop.wide (id BIGINT PRIMARY KEY, v DECIMAL(10,2))")
    target.value("createTable", database=name, name="wide", column="v", comment=MARK, replicas="1")
    stream.value("createSchema", name="wide")
    stream.value("createSource", **_source(maria, "wide", "src_wide"))
    admin = PostgresConn("127.0.0.1", risingwave.ports["port"], "root")
    for statement in (
            'CREATE TABLE wide."t_wide" (id BIGINT, v DECIMAL, PRIMARY KEY (id)) '
            "FROM wide.\"src_wide\" TABLE 'shop.wide'",
            *[f'CREATE SINK wide."k_wide_v{n}" AS SELECT id, v FROM wide."t_wide" WITH ('
              "connector='starrocks', type='upsert', primary_key='id', starrocks.host='127.0.0.1', "
              f"starrocks.mysqlport='{starrocks.ports['mysql']}', "
              f"starrocks.httpport='{starrocks.ports['http']}', starrocks.user='root', "
              f"starrocks.password='', starrocks.database='{name}', starrocks.table='wide')"
              for n in (1, 2)]):
        result = admin.execute(statement)
        assert result.error is None, result
    admin.close()

    catalog = stream.value("catalog", schema="wide")
    assert sorted(catalog["sinks"]) == ["k_wide_v1", "k_wide_v2"]
    assert sorted(catalog["users of t_wide"]) == ["sink wide.k_wide_v1", "sink wide.k_wide_v2"]
    assert len([n for n in catalog["internals"] if "k_wide" in n and "_sink_" in n]) == 2

    def alter(op, column):
        return stream.call(op, schema="wide", name="t_wide", column=column)

    assert alter("addColumn", "note")["value"]["tag"] == "ALTER_TABLE"
    columns = stream.value("catalog", schema="wide")["tables"]["t_wide"]["columns"]
    assert columns == {"id": "bigint", "v": "numeric", "note": "character varying"}
    refused(alter("addColumn", "note"), "Refused", "AlreadyExists", "note")
    assert alter("dropColumn", "note")["ok"]
    refused(alter("dropColumn", "v"), "Refused", "DependantsExist", "referenced")


def test_stream_missing_internal_table(stream):
    answer = stream.call("snapshot", schema="flow", name="__internal_never_1_streamcdcscan_2")
    refused(answer, "Refused", "Blocked", "not found")


@pytest.mark.parametrize("changes, cls, reason, words", [
    ({"sourcePassword": "wrong-password"}, "Denied", "SourceFailed", "Access denied for user"),
    ({"sourceDatabase": "nosuch"}, "Refused", "SourceFailed", "'nosuch' doesn't exist"),
    ({"sourcePort": "1"}, "Unavailable", "SourceFailed", "Communications link failure"),
    ({"schema": "nosuch"}, "Refused", "Blocked", "schema not found"),
])
def test_stream_source_refused(stream, maria, changes, cls, reason, words):
    stream.value("createSchema", name="ts")
    answer = stream.call("createSource", **{**_source(maria, "ts", "bad"), **changes})
    refused(answer, cls, reason, words)
    assert "gRPC" not in answer["text"] and "\n" not in answer["text"]
    assert "wrong-password" not in str(answer) and PASSWORD not in str(answer)


def test_stream_exists_and_recovering(stream, maria, risingwave):
    stream.value("createSchema", name="ts")
    stream.call("createSource", **_source(maria, "ts", "src_twice"))
    refused(stream.call("createSource", **_source(maria, "ts", "src_twice")), "Refused",
            "AlreadyExists", "src_twice exists")
    risingwave.control("/recovering", {"on": True})
    try:
        refused(stream.call("createSource", **_source(maria, "ts", "src_later")), "Unavailable",
                "Recovering")
    finally:
        risingwave.control("/recovering", {"on": False})
