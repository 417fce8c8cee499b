#include "unit/model/model_test.h"

#include "model/status.h"
#include "model/status_json.h"

static struct arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new(ARENA_CEILING_BYTES);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_freep(&arena);
    return 0;
}

static const char whole[] =
    "observedGeneration: 3\nserverVersion: 8.0.39\nserverUUID: u-u-i-d\n"
    "capabilities: {binlogFormat: ROW, rowImage: FULL, gtid: false,\n"
    "  binlogExpireSeconds: 0, liveBackends: 3, license: paid, actors: 140,\n"
    "  parallelism: 2, unavailableFeatures: [SecretManagement, CdcAutoSchemaChange]}\n"
    "sources:\n- {mysqlDatabase: shop, rwSource: tablesync.src, rwConnection: rw,\n"
    "   serverId: 5731, users: 12}\ninUseBy: 12\nusers: [items, orders]\n";

static struct json *again(const struct json *from)
{
    struct dbconn_status status;
    struct json *object = json_new_object();
    dbconn_status_read(from, arena, &status);
    dbconn_status_write(&status, object);
    return object;
}

static void survives_a_round_trip(void **state)
{
    (void)state;
    struct json *from AUTO(json_freep) = test_yaml_text(whole);
    struct json *to AUTO(json_freep) = again(json_at(from, 0));
    test_same(json_at(from, 0), to);
    test_fits_crd("crd/databaseconnections.yaml", to);
}

static void reads_every_value(void **state)
{
    (void)state;
    struct json *from AUTO(json_freep) = test_yaml_text(whole);
    struct dbconn_status status;
    dbconn_status_read(json_at(from, 0), arena, &status);
    assert_int_equal(status.observed_generation, 3);
    assert_string_equal(status.server_version, "8.0.39");
    assert_string_equal(status.server_uuid, "u-u-i-d");
    assert_string_equal(status.binlog_format, "ROW");
    assert_string_equal(status.row_image, "FULL");
    assert_int_equal(status.gtid, 0);
    assert_int_equal(status.binlog_expire_seconds, 0);
    assert_int_equal(status.live_backends, 3);
    assert_string_equal(status.license, "paid");
    assert_int_equal(status.unavailable_features.n, 2);
    assert_string_equal(status.unavailable_features.v[1], "CdcAutoSchemaChange");
    assert_int_equal(status.actors, 140);
    assert_int_equal(status.parallelism, 2);
    assert_int_equal(status.sources.n, 1);
    assert_string_equal(status.sources.v[0].database, "shop");
    assert_string_equal(status.sources.v[0].rw_connection, "rw");
    assert_int_equal(status.sources.v[0].server_id, 5731);
    assert_int_equal(status.sources.v[0].users, 12);
    assert_int_equal(status.in_use_by, 12);
    assert_int_equal(status.users.n, 2);
    assert_string_equal(status.users.v[0], "items");
    assert_string_equal(status.users.v[1], "orders");
}

/* Every job moves the number: what is written moves in steps. */
static void actors_are_rounded_up(void **state)
{
    (void)state;
    static const struct {
        int64_t actors, written;
    } rows[] = {
        {-1, -1},    {0, 0},       {1, 1},       {99, 99},
        {100, 100},  {101, 110},   {140, 140},   {399, 400},
        {991, 1000}, {1000, 1000}, {1001, 1100}, {999999999999999, 1000000000000000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct dbconn_status status = {.actors = rows[i].actors, .parallelism = 399};
        struct json *written AUTO(json_freep) = json_new_object();
        dbconn_status_write(&status, written);
        assert_int_equal(json_path_int(written, "capabilities.actors", -1),
                         rows[i].written);
        assert_int_equal(json_path_int(written, "capabilities.parallelism", -1), 399);
    }
    struct dbconn_status most = {.actors = INT64_MAX};
    struct json *overflowing AUTO(json_freep) = json_new_object();
    dbconn_status_write(&most, overflowing);
    assert_non_null(json_path(overflowing, "capabilities.actors"));
}

static void nothing_reads_as_unknown_and_writes_nothing(void **state)
{
    (void)state;
    struct dbconn_status status;
    dbconn_status_read(NULL, arena, &status);
    assert_int_equal(status.gtid, -1);
    assert_int_equal(status.binlog_expire_seconds, -1);
    assert_int_equal(status.live_backends, -1);
    assert_null(status.license);
    assert_int_equal(status.actors, -1);
    assert_int_equal(status.parallelism, -1);
    assert_int_equal(status.unavailable_features.n + status.users.n, 0);
    struct json *unseen AUTO(json_freep) =
        test_yaml_text("{observedGeneration: -1, inUseBy: 0}\n");
    struct json *written AUTO(json_freep) = again(NULL);
    test_same(json_at(unseen, 0), written);
}

/* Somebody may write anything into a status; reading it must not fail the connection. */
static void garbage_reads_as_nothing(void **state)
{
    (void)state;
    struct json *from AUTO(json_freep) = test_yaml_text(
        "observedGeneration: seven\nserverVersion: {a: b}\n"
        "capabilities: {gtid: 'true', liveBackends: many, license: [1], actors: {},\n"
        "  unavailableFeatures: {a: b}, parallelism: null}\n"
        "sources: [5, {rwSource: alone}, {rwConnection: alone}, null]\n"
        "inUseBy: null\nusers: [1, null, orders, {}, []]\n");
    struct dbconn_status status;
    dbconn_status_read(json_at(from, 0), arena, &status);
    assert_int_equal(status.observed_generation, -1);
    assert_null(status.server_version);
    assert_null(status.license);
    assert_int_equal(status.gtid, -1);
    assert_int_equal(status.live_backends, -1);
    assert_int_equal(status.actors, -1);
    assert_int_equal(status.parallelism, -1);
    assert_int_equal(status.unavailable_features.n + status.sources.n, 0);
    assert_int_equal(status.in_use_by, 0);
    assert_int_equal(status.users.n, 1);
    assert_string_equal(status.users.v[0], "orders");
    struct json *list AUTO(json_freep) = test_yaml_text("[]\n");
    dbconn_status_read(json_at(list, 0), arena, &status);
    assert_int_equal(status.observed_generation, -1);
}

static void too_much_is_cut_to_what_the_crd_allows(void **state)
{
    (void)state;
    char *longer = arena_alloc(arena, 6001);
    memset(longer, 'x', 6000);
    struct dbconn_status status = {.server_version = longer,
                                   .server_uuid = longer,
                                   .binlog_format = longer,
                                   .row_image = longer,
                                   .license = longer,
                                   .actors = 12345678,
                                   .parallelism = 12345678};
    struct dbconn_source source = {
        .database = longer, .rw_source = longer, .rw_connection = longer};
    for (int i = 0; i < 300; i++) {
        VEC_PUSH(arena, &status.sources, source);
        VEC_PUSH(arena, &status.unavailable_features, longer);
        VEC_PUSH(arena, &status.users, longer);
    }
    struct json *written AUTO(json_freep) = json_new_object();
    dbconn_status_write(&status, written);
    test_fits_crd("crd/databaseconnections.yaml", written);
    /* And what is read is as short, whoever wrote it. */
    assert_int_equal(json_size(json_get(written, "users")), 50);
    struct json *anew AUTO(json_freep) = again(written);
    test_same(written, anew);
    struct json *users = json_set_array(written, "users");
    for (int i = 0; i < 300; i++) {
        json_push_string(users, longer);
    }
    struct dbconn_status read;
    dbconn_status_read(written, arena, &read);
    assert_int_equal(read.users.n, 50);
    assert_int_equal(strlen(read.users.v[49]), 253);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_round_trip),
        cmocka_unit_test(reads_every_value),
        cmocka_unit_test(actors_are_rounded_up),
        cmocka_unit_test(nothing_reads_as_unknown_and_writes_nothing),
        cmocka_unit_test(garbage_reads_as_nothing),
        cmocka_unit_test(too_much_is_cut_to_what_the_crd_allows),
    };
    return cmocka_run_group_tests_name("model/dbconn_status", tests, make_arena,
                                       free_arena);
}
