/* Names of what is created in RisingWave, and server ids, from identity alone. */
#include "unit.h"

#include <string.h>

static void makes_names_from_identity(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->arena;
    const char *long_name =
        "a_name_as_long_as_mysql_allows_it_to_be_which_is_sixty_four_ch";

    const char *source = name_source(a, "data", "uuid", "Sho-p.é");
    assert_true(sv_starts(sv_from(source), SV("src_sho_p____")));
    assert_string_equal(source, name_source(a, "data", "uuid", "Sho-p.é"));
    assert_string_not_equal(source, name_source(a, "other", "uuid", "Sho-p.é"));
    assert_string_not_equal(source, name_source(a, "data", "uuid2", "Sho-p.é"));
    assert_string_not_equal(source, name_source(a, "data", "uuid", "sho-p.é"));
    assert_string_not_equal(name_table(a, "u1", "d", "t"), name_table(a, "u2", "d", "t"));
    assert_string_not_equal(name_table(a, "u", "d_t", "x"),
                            name_table(a, "u", "d", "t_x"));
    assert_int_equal(strlen(name_source(a, "n", "i", long_name)), 63);

    const char *table = name_table(a, "u", long_name, long_name);
    const char *prefix = name_sink_prefix(a, "u", long_name, long_name);
    assert_in_range(strlen(table), 50, 63);
    assert_in_range(strlen(prefix) + strlen("99999"), 50, 63);
    assert_string_equal(prefix,
                        arena_printf(a, "k%s_v", table + 1)); /* one stem for both */
    for (const char *c = table; *c != '\0'; c++) {
        assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_');
    }
}

static void identifies_the_server(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(mysql_identity(&f->server, &f->source, f->arena),
                        f->server.server_uuid);
    f->server.server_uuid = NULL;
    assert_string_equal(mysql_identity(&f->server, &f->source, f->arena),
                        "mysql.shop.svc:3306");
}

static void spreads_server_ids(void **state)
{
    struct fixture *f = *state;
    bool seen[7] = {false};

    for (unsigned i = 0; i < 200; i++) {
        int64_t id = server_id_start(arena_printf(f->arena, "src_%u", i), 5400, 5406);
        assert_in_range(id, 5400, 5406);
        seen[id - 5400] = true;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        assert_true(seen[i]);
    }
    assert_int_equal(server_id_start("x", 9, 9), 9);
}

static void numbers_tables_and_sinks(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        int64_t table, sink;
    } rows[] = {
        {"t_a_1", 1, 0},     {"t_a_1_v2", 2, 0},    {"t_a_1_v31", 31, 0},
        {"t_a_1_v1", 0, 0},  {"t_a_1_v0", 0, 0},    {"t_a_1_v02", 0, 0},
        {"t_a_1_v", 0, 0},   {"t_a_1_v2x", 0, 0},   {"t_a_1_v+2", 0, 0},
        {"t_a_1_v-2", 0, 0}, {"t_a_12", 0, 0},      {"t_a_1_v99999999999999999999", 0, 0},
        {"k_a_1_v1", 0, 1},  {"k_a_1_v12", 0, 12},  {"k_a_1_v", 0, 0},
        {"k_a_1_v01", 0, 0}, {"k_a_1_v1_v2", 0, 0}, {"", 0, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sv name = sv_from(rows[i].name);
        assert_int_equal(name_table_version_of(SV("t_a_1"), name), rows[i].table);
        assert_int_equal(name_sink_version_of(SV("k_a_1_v"), name), rows[i].sink);
    }
    for (int64_t version = 1; version <= 99999; version += 9998) {
        char *name = name_table_version(f->arena, SV("t_a_1"), version);
        assert_int_equal(name_table_version_of(SV("t_a_1"), sv_from(name)), version);
    }
    assert_string_equal(name_table_version(f->arena, SV("t_a_1"), 1), "t_a_1");
}

/* The longest name a later version has is one RisingWave takes and shows whole. */
static void leaves_room_for_versions(void **state)
{
    struct arena *a = ((struct fixture *)*state)->arena;
    char *name = arena_alloc(a, 65);

    memset(name, 'x', 64);
    const char *table = name_table(a, "u", name, name);
    assert_int_equal(strlen(name_table_version(a, sv_from(table), 99999)), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(makes_names_from_identity), TEST(numbers_tables_and_sinks),
        TEST(leaves_room_for_versions),  TEST(identifies_the_server),
        TEST(spreads_server_ids),
    };

    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
