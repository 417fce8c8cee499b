"""Least privilege and capacity: what an account of its own may do, and how full the node is."""

from __future__ import annotations

import re

import psycopg2
import pytest

from cluster.mysql import Server

from .lab import CDC_OPTIONS, Lab, new_database
from .sources import oracle  # noqa: F401 - fixture

_TABLE = "CREATE TABLE {} (id INT, v VARCHAR, PRIMARY KEY (id)) FROM {} TABLE '{}.t'"
_SOURCE = ("CREATE SOURCE {} WITH (connector='mysql-cdc', hostname='127.0.0.1', port='{}', username='root', "
           f"password='', database.name='{{}}', server.id='5610', {CDC_OPTIONS})")
_GRANTOR = "root"
_SINK = "CREATE SINK {} FROM {} WITH (connector='blackhole')"


def _acl(lab: Lab) -> list[str]:
    return lab.value("SELECT acl FROM rw_catalog.rw_databases WHERE name = 'dev'")


def test_what_the_database_grants(oracle: Server) -> None:
    """verified.md 39; RisingWave 3.0.3 create_user.rs, acl/mod.rs: C is CREATE, c CONNECT."""
    with Lab(oracle) as lab:
        assert _acl(lab) == ["root=Cc/root", "postgres=Cc/root", "rwadmin=Cc/root"]
        lab.do("CREATE USER lowly WITH PASSWORD 'pw'")
        assert _acl(lab)[3:] == [f"lowly=c*/{_GRANTOR}"]
        lowly = lab.login("lowly", "pw")
        assert "Permission denied: permission denied for database \"dev\": \"CREATE\"" in lab.refused(
            "CREATE SCHEMA lowly_s", lowly)
        lab.do("GRANT CREATE, CONNECT ON DATABASE dev TO lowly")
        assert _acl(lab)[3:] == [f"lowly=c*C/{_GRANTOR}"]
        assert lowly.execute("CREATE SCHEMA lowly_s").tag == "CREATE_SCHEMA"
        assert lowly.execute("SELECT is_super FROM rw_catalog.rw_users WHERE name = 'lowly'").rows == [[False]]
        # An account sees the same of itself as root does.
        assert lowly.execute("SELECT acl FROM rw_catalog.rw_databases").rows == [[_acl(lab)]]
        lab.do("REVOKE CONNECT ON DATABASE dev FROM lowly")
        assert _acl(lab)[3:] == [f"lowly=C/{_GRANTOR}"]
        lowly.close()
        with pytest.raises(psycopg2.OperationalError, match="User does not have CONNECT privilege"):
            lab.login("lowly", "pw")
        lab.do("GRANT CONNECT ON DATABASE dev TO lowly")
        assert _acl(lab)[3:] == [f"lowly=cC/{_GRANTOR}"]


def test_a_user_of_its_own_schema(oracle: Server) -> None:
    """chain.md, "A user without superuser, with CREATE and CONNECT on the database only"."""
    new_database(oracle, "least", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60))", "INSERT INTO t VALUES (1, 'a')")
    with Lab(oracle, arguments=("--restart-barriers", "2")) as lab:
        lab.do("CREATE SCHEMA other", _SOURCE.format("other.s", oracle.port, "least"),
               _TABLE.format("other.t", "other.s", "least"), _SINK.format("other.k", "other.t"),
               "CREATE USER lowly WITH PASSWORD 'pw'", "GRANT CREATE, CONNECT ON DATABASE dev TO lowly")
        lowly = lab.login("lowly", "pw")
        for sql, tag in [("create schema lowly_s", "CREATE_SCHEMA"),
                         (_SOURCE.format("lowly_s.s", oracle.port, "least"), "CREATE_SOURCE"),
                         (_TABLE.format("lowly_s.t", "lowly_s.s", "least"), "CREATE_TABLE"),
                         ("comment on table lowly_s.t is 'mark'", "COMMENT"),
                         ("alter source lowly_s.s connector with (password='')", "ALTER_SOURCE"),
                         ("alter table lowly_s.t add column n int", "ALTER_TABLE"),
                         (_SINK.format("lowly_s.k", "lowly_s.t"), "CREATE_SINK")]:
            assert lowly.execute(sql).tag == tag, sql
        assert lowly.execute("select name from rw_catalog.rw_sinks").rows == [["k"]]
        assert lowly.execute("select schema_id from rw_catalog.rw_tables").rows == lab.rows(
            "select id from rw_catalog.rw_schemas where name = 'lowly_s'")
        names = [row[0] for row in lowly.execute("select name from rw_catalog.rw_internal_tables").rows]
        assert sorted(re.sub(r"\d+", "N", name) for name in names) == [
            "__internal_k_N_sink_N", "__internal_k_N_streamscan_N", "__internal_s_N_source_N",
            "__internal_t_N_streamcdcscan_N"]
        assert len(lab.rows("select name from rw_catalog.rw_internal_tables")) == 2 * len(names)
        assert "sink rate limit is only supported for kv log store" in lab.refused(
            "alter sink lowly_s.k set sink_rate_limit to 0", lowly)
        assert lowly.execute("select event_type from rw_catalog.rw_event_logs limit 1").error is None
        assert "permission denied for table" in lab.refused("select * from other.t", lowly)
        assert "Only the relation owner" in lab.refused("drop sink other.k", lowly)
        # A name in use is in use, also when its row is hidden; here even the schema says no first.
        assert 'permission denied for schema "other": "CREATE"' in lab.refused(
            _TABLE.format("other.t", "lowly_s.s", "least"), lowly)
        for sql, tag in [("drop sink lowly_s.k", "DROP_SINK"), ("drop table lowly_s.t", "DROP_TABLE"),
                         ("drop source lowly_s.s", "DROP_SOURCE"), ("drop schema lowly_s", "DROP_SCHEMA")]:
            assert lowly.execute(sql).tag == tag, sql
        lowly.close()


_ACTORS = "SELECT worker_id, count(*) FROM rw_catalog.rw_actors GROUP BY worker_id"


def test_actors_and_their_limit(oracle: Server) -> None:
    """verified.md 18: above 100 for each unit a NOTICE, above 400 no CREATE; fewer with parallelism 1."""
    new_database(oracle, "cap", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60))")
    with Lab(oracle) as lab:
        assert lab.rows(_ACTORS) == []
        lab.create_source("cap")
        lab.do(_TABLE.format("t1", "src", "cap"))
        default = lab.rows(_ACTORS)[0]
        assert lab.rows("SELECT id, parallelism FROM rw_catalog.rw_worker_nodes WHERE is_streaming") == [
            [default[0], 2]]
        lab.do("SET streaming_parallelism = 1", _TABLE.format("t2", "src", "cap"))
        two = lab.rows(_ACTORS)[0][1]
        assert 0 < two - default[1] < default[1]
        assert lab.rows("SELECT DISTINCT a.state, f.table_id = t.id FROM rw_catalog.rw_actors a JOIN "
                        "rw_catalog.rw_fragments f ON f.fragment_id = a.fragment_id JOIN rw_catalog.rw_tables t "
                        "ON f.table_id = t.id WHERE t.name = 't2'") == [["RUNNING", True]]


def test_the_actor_limit(oracle: Server) -> None:
    new_database(oracle, "cap", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60))")
    with Lab(oracle, barrier_ms=20, arguments=("--cores", "1")) as lab:
        lab.create_source("cap")
        notices: list[str] = []
        made = 0
        while not notices:
            made += 1
            assert made < 100, "no notice"
            answer = lab.ask(_TABLE.format(f"t{made}", "src", "cap"))
            assert answer.tag == "CREATE_TABLE", answer.error
            notices = [text for text in answer.notices if "Actor count" in text]
        assert "Actor count per parallelism exceeds the recommended limit." in notices[0]
        before = lab.rows(_ACTORS)[0][1] - 3  # what was counted when the notice came
        assert 100 < before <= 103
        # Sinks are made faster than tables.
        refusal = None
        for number in range(1, 400):
            refusal = lab.ask(_SINK.format(f"k{number}", "t1")).error
            if refusal:
                break
        assert refusal is not None and "Protocol error: Actor count per parallelism exceeds the critical limit." in \
            refusal["message"]
        assert lab.rows(_ACTORS)[0][1] == 401
        assert "exceeds the critical limit" in lab.refused(_TABLE.format("more", "src", "cap"))
        lab.do("SET bypass_cluster_limits TO true", _TABLE.format("more", "src", "cap"))
