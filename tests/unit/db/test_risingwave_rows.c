#include "base/secret.h"
#include "db/risingwave_rows.h"
#include "unit.h"

static void versions(void **state)
{
    assert_string_equal(
        risingwave_rows_version("PostgreSQL 13.14.0-RisingWave-3.0.3 (unknown)", *state),
        "3.0.3");
    assert_string_equal(
        risingwave_rows_version("PostgreSQL 13.14.0-RisingWave-3.1.0-alpha", *state),
        "3.1.0-alpha");
    assert_string_equal(risingwave_rows_version("PostgreSQL 15.4 on x86", *state),
                        "PostgreSQL 15.4 on x86");
}

static void recovery_of_our_database(void **state)
{
    struct rows rows = RECORDED(*state, 3, "database_name", "recovery_state",
                                "in_global_recovering", "dev", "RUNNING", "f", "other",
                                "RECOVERING", "f", "third", "RUNNING", "t");

    assert_false(risingwave_rows_recovering(&rows, "dev"));
    assert_true(risingwave_rows_recovering(&rows, "other"));
    assert_true(risingwave_rows_recovering(&rows, "third"));
    assert_false(risingwave_rows_recovering(&rows, "unknown"));
}

static struct rows schemas(struct arena *arena)
{
    return RECORDED(arena, 2, "id", "name", "2", "public", "6", "tablesync");
}

static void sources_without_their_passwords(void **state)
{
    struct rw_catalog catalog = {0};
    struct rows names = schemas(*state);
    struct rows rows = RECORDED(
        *state, 4, "id", "name", "schema_id", "connector_props", /**/
        "7", "src_store", "6",
        "{\"connector\": {\"type\": \"plaintext\", \"value\": \"mysql-cdc\"}, "
        "\"hostname\": {\"type\": \"plaintext\", \"value\": \"127.0.0.1\"}, "
        "\"port\": {\"type\": \"plaintext\", \"value\": \"3317\"}, "
        "\"username\": {\"type\": \"plaintext\", \"value\": \"cdc2\"}, "
        "\"password\": {\"type\": \"plaintext\", \"value\": \"cdc'pw\"}, "
        "\"database.name\": {\"type\": \"plaintext\", \"value\": \"store\"}, "
        "\"server.id\": {\"type\": \"plaintext\", \"value\": \"5731\"}}",
        "8", "secretive", "2",
        "{\"hostname\": {\"type\": \"secret\", \"value\": {\"value\": \"s\"}}}", /**/
        "10", "by_secret", "2",
        "{\"password\": {\"type\": \"secret\", \"value\": {\"value\": \"s\"}}}", /**/
        "9", "broken", "99", "{not json");

    risingwave_rows_sources(&rows, &names, *state, &catalog);
    assert_int_equal(catalog.sources.n, 4);
    const struct rw_source *s = catalog.sources.v;
    assert_int_equal(s[0].id, 7);
    assert_string_equal(s[0].schema, "tablesync");
    assert_string_equal(s[0].name, "src_store");
    assert_string_equal(s[0].connector, "mysql-cdc");
    assert_string_equal(s[0].hostname, "127.0.0.1");
    assert_string_equal(s[0].port, "3317");
    assert_string_equal(s[0].username, "cdc2");
    assert_string_equal(s[0].database, "store");
    assert_string_equal(s[0].server_id, "5731");
    assert_null(s[0].ssl_mode);
    char digest[SECRET_DIGEST_SIZE];
    secret_digest(SV("cdc'pw"), digest);
    assert_string_equal(s[0].password_digest, digest);
    assert_null(s[1].password_digest); /* no such option */
    assert_string_equal(s[1].schema, "public");
    assert_null(s[1].hostname);
    assert_null(s[2].password_digest); /* a SECRET's name, not its value */
    assert_string_equal(s[3].schema, "");
    assert_null(s[3].connector);
    assert_null(s[3].password_digest);
}

static struct rw_catalog two_tables(struct arena *arena)
{
    struct rw_catalog catalog = {0};
    struct rows rows =
        RECORDED(arena, 2, "id", "name", "17", "t_orders", "18", "t_lines");

    risingwave_rows_tables(&rows, arena, &catalog);
    return catalog;
}

static void comments_of_tables_not_of_columns(void **state)
{
    struct rw_catalog catalog = two_tables(*state);
    struct rows rows = RECORDED(*state, 3, "objoid", "objsubid", "description", /**/
                                "17", "1", "a column's", "17", NULL, "the mark", "18",
                                NULL, NULL, "99", NULL, "another's");

    risingwave_rows_comments(&rows, *state, &catalog);
    assert_string_equal(catalog.tables.v[0].comment, "the mark");
    assert_null(catalog.tables.v[1].comment);
}

static void columns_that_show(void **state)
{
    struct rw_catalog catalog = two_tables(*state);
    struct rows rows = RECORDED(
        *state, 5, "relation_id", "name", "data_type", "is_hidden", "is_primary_key", /**/
        "17", "id", "numeric", "f", "t", "17", "customer", "character varying", "f", "f",
        "17", "_rw_timestamp", "timestamp with time zone", "t", "f", "99", "x", "integer",
        "f", "f");

    risingwave_rows_columns(&rows, *state, &catalog);
    assert_int_equal(catalog.tables.v[0].columns.n, 2);
    assert_true(catalog.tables.v[0].columns.v[0].primary_key);
    assert_string_equal(catalog.tables.v[0].columns.v[1].type, "character varying");
    assert_false(catalog.tables.v[0].columns.v[1].primary_key);
    assert_int_equal(catalog.tables.v[1].columns.n, 0);
}

#define PROP(key, value)                                                                 \
    "\"" key "\": {\"type\": \"plaintext\", \"value\": \"" value "\"}"

static void sinks_their_jobs_and_limits(void **state)
{
    struct rw_catalog catalog = {0};
    struct rows rows =
        RECORDED(*state, 3, "id", "name", "connector_props", /**/
                 "27", "k_v1",
                 "{" PROP("commit_checkpoint_interval", "10") ", " PROP(
                     "primary_key", "id") ", " PROP("starrocks.database",
                                                    "ods2") ", " PROP("starrocks.host",
                                                                      "sr") ", " //
                 PROP("starrocks.httpport", "8131") ", " PROP("starrocks.mysqlport",
                                                              "9030") ", " //
                 PROP("starrocks.password", "secret") ", " PROP("starrocks.table",
                                                                "orders") ", " //
                 PROP("starrocks.user", "root") "}",
                 "50", "k_v2", "{}");
    struct rows jobs =
        RECORDED(*state, 3, "id", "name", "status", "27", "k_v1", "CREATED", "50", "k_v2",
                 "CREATING", "7", "src", "CREATED");
    struct rows limits =
        RECORDED(*state, 3, "table_id", "node_name", "rate_limit", "27", "SINK", "0",
                 "50", "STREAM_SCAN", "5", "99", "SINK", "1");

    risingwave_rows_sinks(&rows, *state, &catalog);
    risingwave_rows_jobs(&jobs, &limits, &catalog);
    const struct rw_sink *k = catalog.sinks.v;
    assert_int_equal(catalog.sinks.n, 2);
    assert_int_equal(k[0].id, 27);
    assert_string_equal(k[0].host, "sr");
    assert_string_equal(k[0].mysql_port, "9030");
    assert_string_equal(k[0].http_port, "8131");
    assert_string_equal(k[0].user, "root");
    assert_string_equal(k[0].database, "ods2");
    assert_string_equal(k[0].table, "orders");
    assert_string_equal(k[0].primary_key, "id");
    assert_string_equal(k[0].commit_checkpoint_interval, "10");
    assert_false(k[0].creating);
    assert_int_equal(k[0].rate_limit, 0);
    char digest[SECRET_DIGEST_SIZE];
    secret_digest(SV("secret"), digest);
    assert_string_equal(k[0].password_digest, digest);
    assert_null(k[1].password_digest);
    assert_null(k[1].host);
    assert_true(k[1].creating);
    assert_int_equal(k[1].rate_limit, -1); /* the backfill's limit is not the sink's */
}

static void relations_edges_internals(void **state)
{
    struct rw_catalog catalog = {0};
    struct rows names = schemas(*state);
    struct rows relations =
        RECORDED(*state, 4, "id", "name", "relation_type", "schema_id", /**/
                 "17", "t", "table", "6", "3", "rw_tables", "system table", "2", "28",
                 "mv", "materialized view", "2");
    struct rows depend = RECORDED(*state, 2, "objid", "refobjid", "17", "7");
    struct rows internals = RECORDED(*state, 2, "job_id", "name", "17",
                                     "__internal_t_orders_7_streamcdcscan_5");

    risingwave_rows_relations(&relations, &names, *state, &catalog);
    risingwave_rows_edges(&depend, *state, &catalog);
    risingwave_rows_internals(&internals, *state, &catalog);
    assert_int_equal(catalog.relations.n, 2);
    assert_string_equal(catalog.relations.v[1].kind, "materialized view");
    assert_string_equal(catalog.relations.v[1].schema, "public");
    assert_int_equal(catalog.edges.v[0].object, 17);
    assert_int_equal(catalog.edges.v[0].referenced, 7);
    assert_int_equal(catalog.internals.v[0].job, 17);
    assert_string_equal(catalog.internals.v[0].name,
                        "__internal_t_orders_7_streamcdcscan_5");
}

static void events_newest_first_and_redacted(void **state)
{
    const struct dbconn conn = {.host = "rw", .port = 4566};
    struct secret *password = secret_new(SV("own-secret"));
    struct peer *peer = peer_new(
        &(struct db_endpoint){.conn = &conn, .user = "root", .password = password},
        DB_RISINGWAVE);
    struct rw_catalog catalog = {0};
    struct rows rows = RECORDED(
        *state, 3, "event_type", "timestamp", "info", /**/
        "SINK_FAIL", "2026-11-23 02:39:44.989+00:00",
        "{\"sinkFail\": {\"connector\": \"starrocks\", \"error\": \"Connection refused "
        "(os "
        "error 111) own-secret\", \"sinkId\": 94, \"sinkName\": \"k\"}}",
        "CREATE_STREAM_JOB_FAIL", "2026-11-23 02:40:00+00:00",
        "{\"createStreamJobFail\": {\"id\": 12, \"name\": \"t\", \"definition\": "
        "\"CREATE "
        "... password='foreign'\", \"error\": \"no WITH (password = 'foreign')\"}}",
        "COLLECT_BARRIER_FAIL", "2026-11-23 02:00:00.1+00:00",
        "{\"collectBarrierFail\": {\"error\": \"database 1 reset\"}}", /**/
        "SINK_FAIL", "gibberish", "not json");

    risingwave_rows_events(&rows, peer, *state, &catalog);
    const struct rw_event *e = catalog.events.v;
    assert_int_equal(catalog.events.n, 4);
    assert_string_equal(e[0].type, "CREATE_STREAM_JOB_FAIL");
    assert_int_equal(e[0].object_id, 12);
    assert_lacks(e[0].error, "foreign");
    assert_string_equal(e[1].object, "k");
    assert_int_equal(e[1].object_id, 94);
    assert_true(e[1].at_ms == INT64_C(1795401584989));
    assert_contains(e[1].error, "Connection refused");
    assert_lacks(e[1].error, "own-secret");
    assert_string_equal(e[2].error, "database 1 reset");
    assert_string_equal(e[2].object, "");
    assert_int_equal(e[3].at_ms, 0);
    assert_string_equal(e[3].error, "");
    peer_free(peer);
    secret_free(password);
}

static void snapshots_add_up(void **state)
{
    struct rows none = RECORDED(*state, 2, "row_count", "backfill_finished");
    struct rows done = RECORDED(*state, 2, "row_count", "backfill_finished", "2", "t");
    struct rows split =
        RECORDED(*state, 2, "row_count", "backfill_finished", "2", "t", "40", "f");
    struct rows fresh = RECORDED(*state, 2, "row_count", "backfill_finished", NULL, NULL);
    struct rw_snapshot s = risingwave_rows_snapshot(&none);

    assert_false(s.present);
    assert_false(s.finished);
    s = risingwave_rows_snapshot(&done);
    assert_true(s.present);
    assert_true(s.finished);
    assert_int_equal(s.rows, 2);
    s = risingwave_rows_snapshot(&split);
    assert_false(s.finished);
    assert_int_equal(s.rows, 42);
    s = risingwave_rows_snapshot(&fresh);
    assert_true(s.present);
    assert_false(s.finished);
    assert_int_equal(s.rows, 0);
}

static void backlogs(void **state)
{
    /* 2026-11-22 06:54:21.500 UTC, as (ms - 1617235200000) << 16 less 2^63. */
    struct rows rows =
        RECORDED(*state, 3, "undelivered", "oldest", "now", "3", "-9211700385797111808",
                 "2026-11-22 06:54:24.123456+00:00");
    struct rows empty = RECORDED(*state, 3, "undelivered", "oldest", "now", "0", NULL,
                                 "2026-11-22 06:54:24+00:00");
    struct rows none = RECORDED(*state, 3, "undelivered", "oldest", "now");
    struct rw_backlog b = risingwave_rows_backlog(&rows);

    assert_true(b.present);
    assert_int_equal(b.undelivered, 3);
    assert_true(b.oldest_ms == INT64_C(1795330461500));
    assert_true(b.now_ms == INT64_C(1795330464123));
    b = risingwave_rows_backlog(&empty);
    assert_int_equal(b.undelivered, 0);
    assert_int_equal(b.oldest_ms, 0);
    assert_true(b.now_ms == INT64_C(1795330464000));
    b = risingwave_rows_backlog(&none);
    assert_false(b.present);
    assert_int_equal(b.undelivered, -1);
}

static void offsets(void **state)
{
    struct rows rows =
        RECORDED(*state, 1, "offset_info",
                 "{\"split_info\": {\"citus_split\": null, \"mysql_split\": {\"inner\": "
                 "{\"snapshot_done\": false, \"split_id\": 7, \"start_offset\": "
                 "\"{\\\"sourcePartition\\\":{\\\"server\\\":\\\"RW_CDC_7\\\"},"
                 "\\\"sourceOffset\\\":{"
                 "\\\"ts_sec\\\":1795406461,\\\"file\\\":\\\"mysql-bin.000067\\\","
                 "\\\"pos\\\":6466,\\\"gtids\\\":\\\"3e11:1-7\\\"},"
                 "\\\"isHeartbeat\\\":true}\"}}}, \"split_type\": \"mysql-cdc\"}");
    struct rows fresh = RECORDED(*state, 1, "offset_info",
                                 "{\"split_info\": {\"mysql_split\": {\"inner\": "
                                 "{\"start_offset\": null}}}}",
                                 NULL, "not json");

    struct rows timeless = RECORDED(
        *state, 1, "offset_info",
        "{\"split_info\": {\"mysql_split\": {\"inner\": {\"start_offset\": "
        "\"{\\\"sourceOffset\\\":{\\\"ts_sec\\\":0,\\\"file\\\":\\\"b.1\\\"}}\"}}}}");

    struct rw_offset offset = risingwave_rows_offset(&rows, *state);
    assert_string_equal(offset.at.file, "mysql-bin.000067");
    assert_int_equal(offset.at.pos, 6466);
    assert_string_equal(offset.at.gtids, "3e11:1-7");
    assert_true(offset.event_ms == INT64_C(1795406461000));
    offset = risingwave_rows_offset(&fresh, *state);
    assert_null(offset.at.file);
    assert_true(offset.event_ms == 0);
    offset = risingwave_rows_offset(&timeless, *state);
    assert_string_equal(offset.at.file, "b.1");
    assert_int_equal(offset.at.pos, -1);
    assert_null(offset.at.gtids);
    assert_true(offset.event_ms == 0);
}

static void log_columns_without_the_stores_own(void **state)
{
    struct rows rows =
        RECORDED(*state, 6, "kv_log_store_epoch", "kv_log_store_seq_id",
                 "kv_log_store_vnode", "kv_log_store_row_op", "p1b_id", "p1b_v");
    struct strlist columns = {0};

    assert_int_equal(rows_count(&rows), 0);
    risingwave_rows_log_columns(&rows, *state, &columns);
    assert_int_equal(columns.n, 2);
    assert_string_equal(columns.v[0], "p1b_id");
    assert_string_equal(columns.v[1], "p1b_v");
}

static void times(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-11-23 02:39:44.989+00:00", INT64_C(1795401584989)},
        {"2026-11-23 02:39:44+00:00", INT64_C(1795401584000)},
        {"2026-11-23 10:39:44.989+08:00", INT64_C(1795401584989)},
        {"2026-11-22 23:09:44-03:30", INT64_C(1795401584000)},
        {"2026-11-23 02:39:44", INT64_C(1795401584000)},
        {"", 0},
        {"2026-11-23", 0},
        {"2026-11-23 02:39:44+x", 0},
        {"2026-11-23 02:39:44.000000000000000000000000000000000000+00:00", 0},
        {NULL, 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (risingwave_rows_time_ms(cases[i].text) != cases[i].ms) {
            fail_msg("%s: %lld", cases[i].text,
                     (long long)risingwave_rows_time_ms(cases[i].text));
        }
    }
}

int main(void)
{
#define ROWS_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)
    const struct CMUnitTest tests[] = {
        ROWS_TEST(versions),
        ROWS_TEST(recovery_of_our_database),
        ROWS_TEST(sources_without_their_passwords),
        ROWS_TEST(comments_of_tables_not_of_columns),
        ROWS_TEST(columns_that_show),
        ROWS_TEST(sinks_their_jobs_and_limits),
        ROWS_TEST(relations_edges_internals),
        ROWS_TEST(events_newest_first_and_redacted),
        ROWS_TEST(snapshots_add_up),
        ROWS_TEST(backlogs),
        ROWS_TEST(offsets),
        ROWS_TEST(log_columns_without_the_stores_own),
        ROWS_TEST(times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
