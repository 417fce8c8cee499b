"""The fence of a session is asked right before a statement goes out, not only before the driver is."""

from .probe import Probe, refused


def test_risingwave_asks_before_each_statement(risingwave):
    """A statement with a trace is two: a controller may be stopped while the first is answered."""
    with Probe("RisingWave", risingwave.ports["port"], user="root", password="", database="dev") as probe:
        for passing in (0, 1):
            refused(probe.call("createSchema", name="fenced", tag="tablesync a/b 1", statements=passing), "Cancelled",
                    "NotLeader")
            assert not probe.value("catalog", schema="fenced")["schemaExists"]
        assert probe.call("createSchema", name="fenced", tag="tablesync a/b 2", statements=2)["ok"]
        assert probe.value("catalog", schema="fenced")["schemaExists"]


def test_starrocks_asks_before_a_statement(starrocks):
    with Probe("StarRocks", starrocks.ports["mysql"], user="root", password="") as probe:
        refused(probe.call("createDatabase", name="fenced", tag="tablesync a/b 1", statements=0), "Cancelled", "NotLeader")
        assert not probe.value("catalog", database="fenced")["databaseExists"]
        assert probe.call("createDatabase", name="fenced", statements=1)["ok"]
        assert probe.value("catalog", database="fenced")["databaseExists"]
