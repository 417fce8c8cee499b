"""PostgreSQL's protocol as RisingWave speaks it, byte for byte where it matters."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .pgraw import PgRaw, fields, kinds, row_texts
from .process import StandIn


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with StandIn("standins.risingwave", "--port", "0", "--barrier-ms", "50") as running:
        yield running


@pytest.fixture()
def client(server: StandIn) -> Iterator[PgRaw]:
    connection = PgRaw(server.ports["port"])
    connection.start()
    yield connection
    connection.close()


def test_login_without_password(server: StandIn) -> None:
    client = PgRaw(server.ports["port"])
    messages = client.start(application_name="probe")
    assert kinds(messages).startswith("R") and kinds(messages).endswith("Z")
    assert "K" in kinds(messages)
    status = dict(body.rstrip(b"\0").decode().split("\0") for kind, body in messages if kind == "S")
    assert status == {"server_version": "13.14.0", "client_encoding": "UTF8", "TimeZone": "UTC",
                      "standard_conforming_strings": "on", "application_name": "probe"}


def test_login_with_password(server: StandIn, client: PgRaw) -> None:
    client.query("CREATE USER pat WITH PASSWORD 'se''cret'")
    good = PgRaw(server.ports["port"])
    messages = good.start("se'cret", user="pat")
    assert kinds(messages).endswith("Z")
    assert "K" not in kinds(messages), "no cancel key for a session with a password"
    assert row_texts(good.query("SELECT current_user")) == [["pat"]]
    bad = PgRaw(server.ports["port"])
    refused = fields(bad.start("wrong", user="pat")[-1][1])
    assert refused == {"S": "FATAL", "C": "XX000", "M": "Invalid password"}


def test_unknown_user_and_database(server: StandIn) -> None:
    refused = fields(PgRaw(server.ports["port"]).start(user="nobody")[-1][1])
    assert refused["S"] == "FATAL" and "nobody" in refused["M"]
    refused = fields(PgRaw(server.ports["port"]).start(database="other")[-1][1])
    assert refused["C"] == "3D000" and refused["M"].endswith("database not found: other")


def test_encryption_requests_without_tls(server: StandIn) -> None:
    client = PgRaw(server.ports["port"])
    assert client.negotiate(80877104) == b"N"
    assert client.negotiate(80877103) == b"N"
    assert kinds(client.start()).endswith("Z")


def test_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    with StandIn("standins.risingwave", "--port", "0", "--tls-cert", str(cert), "--tls-key",
                 str(key)) as running:
        client = PgRaw(running.ports["port"], ssl.create_default_context(cafile=str(cert)))
        assert kinds(client.start()).endswith("Z")
        assert row_texts(client.query("SELECT 1")) == [["1"]]


def test_an_error_has_three_fields(client: PgRaw) -> None:
    messages = client.query("SELECT nosuch FROM rw_catalog.rw_tables")
    assert kinds(messages) == "EZ"
    assert fields(messages[0][1]) == {
        "S": "ERROR", "C": "XX000", "M": "Failed to run the query\n\nCaused by these errors "
        "(recent errors listed first):\n  1: Failed to bind expression: nosuch\n"
        "  2: Item not found: Invalid column: nosuch"}


def test_one_cause_is_not_numbered(client: PgRaw) -> None:
    messages = client.query("ALTER SYSTEM SET")
    assert fields(messages[0][1])["M"].startswith(
        "Failed to run the query\n\nCaused by:\n  sql parser error: expected identifier, found: EOF"
        "\nLINE 1: ALTER SYSTEM SET\n")


def test_notices(client: PgRaw) -> None:
    messages = client.query("DROP SINK IF EXISTS nothing")
    assert kinds(messages) == "NCZ"
    assert fields(messages[0][1]) == {"S": "NOTICE", "C": "00000",
                                      "M": 'sink "nothing" does not exist, skipping'}
    assert messages[1][1] == b"DROP_SINK\0"


def test_several_statements_run_until_one_fails(client: PgRaw) -> None:
    messages = client.query("CREATE SCHEMA several; DROP TABLE nothing; CREATE SCHEMA never")
    assert kinds(messages) == "CEZ"
    found = client.query("SELECT name FROM rw_catalog.rw_schemas WHERE name IN ('several','never')")
    assert row_texts(found) == [["several"]]


def test_a_syntax_error_runs_nothing(client: PgRaw) -> None:
    assert kinds(client.query("CREATE SCHEMA halfway; CREATE NONSENSE x")) == "EZ"
    found = client.query("SELECT name FROM rw_catalog.rw_schemas WHERE name = 'halfway'")
    assert row_texts(found) == []


def test_an_empty_query(client: PgRaw) -> None:
    assert kinds(client.query("  ")) == "IZ"


def test_begin_opens_nothing(client: PgRaw) -> None:
    messages = client.query("BEGIN")
    assert kinds(messages) == "NCZ" and messages[-1][1] == b"I"
    assert "Read-write transaction is not supported yet" in fields(messages[0][1])["M"]


def test_parameters_in_select(client: PgRaw) -> None:
    messages = client.execute("SELECT name, id = $2 FROM rw_catalog.rw_users WHERE name = $1",
                              "root", "1")
    assert kinds(messages) == "12TDCZ"
    assert row_texts(messages) == [["root", "t"]]


def test_a_statement_without_rows_in_the_extended_protocol(client: PgRaw) -> None:
    messages = client.execute("SET background_ddl = true")
    assert kinds(messages) == "12nCZ"
    assert row_texts(client.query("SHOW background_ddl")) == [["true"]]


def test_the_headline_tells_the_stage(client: PgRaw) -> None:
    unparsed = client.execute("SELEC 1")
    assert kinds(unparsed) == "EZ"
    assert fields(unparsed[0][1])["M"].startswith("Failed to prepare the statement\n\n")
    failed = client.execute("DROP TABLE nothing")
    assert kinds(failed) == "12nEZ"
    assert fields(failed[3][1])["M"].startswith("Failed to execute the statement\n\n")
    assert fields(failed[3][1])["C"] == "42704"


def test_no_parameters_in_ddl(client: PgRaw) -> None:
    messages = client.execute("DROP TABLE $1", "t")
    assert "sql parser error" in fields(messages[0][1])["M"]


def test_text_format_of_values(client: PgRaw) -> None:
    messages = client.query(
        "SELECT true, 1.50, 1::double, 1e300::double, '2026-01-01 00:00:00.5'::timestamp, "
        "'2026-01-01 00:00:00.123456+02'::timestamptz, NULL, '{\"b\":1,\"a\":[]}'::jsonb")
    assert row_texts(messages) == [["t", "1.50", "1", "1e+300", "2026-01-01 00:00:00.500",
                                    "2025-12-31 22:00:00.123456+00:00", None,
                                    '{"a": [], "b": 1}']]


def test_options_at_login(server: StandIn) -> None:
    client = PgRaw(server.ports["port"])
    client.start(options="-c background_ddl=true -c streaming_parallelism=1")
    assert row_texts(client.query("SHOW streaming_parallelism")) == [["1"]]
    assert row_texts(client.query("SHOW background_ddl")) == [["true"]]


def test_unknown_settings_are_refused(client: PgRaw) -> None:
    message = fields(client.query("SHOW license_key")[0][1])["M"]
    assert message.endswith("1: Failed to get/set session config\n"
                            "  2: Unrecognized config entry `license_key`")
    assert "Invalid value" in fields(client.query("SET background_ddl = 'maybe'")[0][1])["M"]


def test_json_operators_and_aggregates(client: PgRaw) -> None:
    messages = client.query(
        "SELECT info -> 'metaNodeStart' ->> 'listenAddr', count(*) FILTER (WHERE event_type LIKE "
        "'META\\_%') AS n FROM rw_catalog.rw_event_logs WHERE event_type = 'META_NODE_START' "
        "GROUP BY 1")
    assert row_texts(messages) == [["127.0.0.1:5690", "1"]]


@pytest.mark.parametrize("sql", [
    "CREATE TABLE plain (id INT PRIMARY KEY)", "CREATE MATERIALIZED VIEW v AS SELECT 1",
    "UPDATE t SET a = 1", "TRUNCATE t", "CREATE DATABASE other", "VACUUM",
    "SELECT * FROM information_schema.tables", "SELECT * FROM pg_catalog.pg_class",
    "SELECT nosuchfunction(1)"])
def test_what_the_contract_does_not_describe_is_refused(client: PgRaw, sql: str) -> None:
    messages = client.query(sql)
    assert kinds(messages) == "EZ"
    assert fields(messages[0][1])["M"].startswith("Failed to run the query\n\nCaused by")
    assert "stand-in" not in fields(messages[0][1])["M"]


@pytest.mark.parametrize(("written", "text"), [
    ("VARCHAR(10)", "expected ',' or ')' after column definition, found: ("),
    ("CHAR(10)", "CHAR is not supported, please use VARCHAR instead"),
    ("DECIMAL(10,2)", "unsupported data type: NUMERIC(10,2)"),
    ("INT(11)", "found: ("), ("TINYINT", "unsupported data type: TINYINT"),
    ("TIMESTAMP(6)", "found: ("), ("DATETIME", "unsupported data type: DATETIME"),
    ("SERIAL", "Column type SERIAL is not supported"), ("JSON", "unsupported data type: JSON")])
def test_type_syntax(client: PgRaw, written: str, text: str) -> None:
    sql = f"CREATE TABLE ty (id INT PRIMARY KEY, c {written}) FROM s TABLE 'd.t'"
    assert text in fields(client.query(sql)[0][1])["M"]
