#include "unit.h"

#include "lexer.h"

#include <string.h>

static const struct {
    const char *name;
    enum sr_kind kind;
    bool key;
} table[] = {
    {"id", SR_INT, true},        {"day", SR_DATE, true}, {"moment", SR_DATETIME, true},
    {"Odd, name", SR_INT, true}, {"v", SR_DATE, false},  {"date_trunc", SR_INT, true},
    {"列", SR_VARCHAR, true},
};

static bool parse(struct arena *arena, const char *text, struct partition *out_partition,
                  struct fault *fault)
{
    struct partition_column columns[COUNT_OF(table)];

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fault bad = FAULT_INIT;
        columns[i].kind = table[i].kind;
        columns[i].key = table[i].key;
        /* "Odd, name" is no name for a load; the grammar takes it all the same. */
        ASSERT_OK(ident_parse(arena, sv_from(table[i].name), SQL_STARROCKS, IDENT_TABLE,
                              &columns[i].ident, &bad),
                  &bad);
    }
    return partition_parse(text, columns, COUNT_OF(table), arena, out_partition, fault);
}

static void writes_what_it_read(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    static const char *const rows[][2] = {
        {"", ""},
        {"  ", ""},
        {"id", " PARTITION BY (`id`)"},
        {"ID , \"day\",`Odd, name`", " PARTITION BY (`id`, `day`, `Odd, name`)"},
        {"列", " PARTITION BY (`列`)"},
        {"date_trunc", " PARTITION BY (`date_trunc`)"},
        {"date_trunc('day', day)", " PARTITION BY date_trunc('day', `day`)"},
        {" DATE_TRUNC ( \"MONTH\" , `moment` ) ",
         " PARTITION BY date_trunc('month', `moment`)"},
        {"date_trunc('hour',moment)", " PARTITION BY date_trunc('hour', `moment`)"},
        {"date_trunc('year', day)", " PARTITION BY date_trunc('year', `day`)"},
        {"time_slice(moment, INTERVAL 7 day)",
         " PARTITION BY time_slice(`moment`, INTERVAL 7 day)"},
        {"time_slice(moment, interval 12 HOUR)",
         " PARTITION BY time_slice(`moment`, INTERVAL 12 hour)"},
        {"time_slice(moment,interval 1 month)",
         " PARTITION BY time_slice(`moment`, INTERVAL 1 month)"},
        {"time_slice(moment, INTERVAL 1000 year)",
         " PARTITION BY time_slice(`moment`, INTERVAL 1000 year)"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct partition partition;
        struct fault fault = FAULT_INIT;
        struct stmt *s = stmt_new(arena, SQL_STARROCKS);
        ASSERT_OK(parse(arena, rows[i][0], &partition, &fault), &fault);
        partition_write(s, &partition);
        assert_string_equal(rendered(s, arena), rows[i][1]);
    }
}

static void refuses_with_the_rule(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    static const char *const rows[][2] = {
        {"v", "column 'v' is not part of the key; StarRocks: partition columns must be"},
        {"date_trunc('day', v)", "column 'v' is not part of the key"},
        {"gone", "the target has no column 'gone'"},
        {"id, ID", "column 'id' is named twice"},
        {"id,", "a column's name must stand before ''"},
        {"id day", "'day' cannot stand there"},
        {"id)", "')' cannot stand there"},
        {"(id)", "a column's name must stand before '(id)'"},
        {"`id", "a column's name must stand before '`id'"},
        {"\"\"", "a column's name must stand before"},
        {"date_trunc('day', id)", "needs a column of type DATE or DATETIME"},
        {"date_trunc('hour', day)", "cuts only a DATETIME to hours"},
        {"date_trunc('week', day)", "'week' is no unit StarRocks partitions by"},
        {"date_trunc(day, day)", "date_trunc begins with a unit in quotes"},
        {"date_trunc('day' day)", "',' must stand before 'day)'"},
        {"date_trunc('day', day", "')' must stand before ''"},
        {"date_trunc('day', day), id", "', id' cannot stand there"},
        {"date_trunc('day', date_trunc('day', day))",
         "')' must stand before '('day', day))'"},
        {"time_slice(day, INTERVAL 1 day)", "needs a column of type DATETIME"},
        {"time_slice(moment, 1 day)", "time_slice ends with INTERVAL n unit"},
        {"time_slice(moment, INTERVAL 0 day)", "a whole number from 1 to 1000"},
        {"time_slice(moment, INTERVAL 1001 day)", "a whole number from 1 to 1000"},
        {"time_slice(moment, INTERVAL -1 day)", "a whole number from 1 to 1000"},
        {"time_slice(moment, INTERVAL x day)", "a whole number from 1 to 1000"},
        {"time_slice(moment, INTERVAL 1 minute)", "'minute' is no unit"},
        {"time_slice(moment, INTERVAL 1 day, ceil)", "')' must stand before ', ceil)'"},
        {"id; DROP TABLE x", "'; DROP TABLE x' cannot stand there"},
        {"id) DISTRIBUTED BY RANDOM (", "cannot stand there"},
        {"id -- x", "cannot stand there"},
        {"RANGE(id)()", "the target has no column 'RANGE'"},
        {"substr(id, 1)", "the target has no column 'substr'"},
        {"\xff", "not valid UTF-8"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct partition partition;
        struct fault fault = FAULT_INIT;
        ASSERT_REFUSED(parse(arena, rows[i][0], &partition, &fault), &fault,
                       "InvalidColumns");
        ASSERT_CONTAINS(fault.text, "spec.target.partitionBy: ");
        ASSERT_CONTAINS(fault.text, rows[i][1]);
    }
}

static void holds_its_limit(void **state)
{
    struct arena *arena = ((struct fixture *)*state)->arena;
    char *text = arena_alloc(arena, PARTITION_BYTES_MAX + 2);
    struct partition partition;
    struct fault fault = FAULT_INIT;

    memset(text, 'x', PARTITION_BYTES_MAX + 1);
    assert_false(parse(arena, text, &partition, &fault));
    ASSERT_CONTAINS(fault.text, "longer than 1024 bytes");
}

/* Spoilt texts: taken or refused, and what is taken is written in our words alone. */
static void survives_spoilt_text(void **state)
{
    static const char *const good[] = {"id, day, `Odd, name`", "date_trunc('day', day)",
                                       "time_slice(moment, INTERVAL 7 day)"};
    static const char bytes[] = "()'\"`,;-/* 0xid\\\n";
    uint64_t seed = 7;
    size_t taken = 0;

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        char *text = arena_strdup(arena, good[i % COUNT_OF(good)]);
        struct partition partition;
        struct fault fault = FAULT_INIT;
        for (unsigned k = i % 4; k > 0; k--) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[(seed >> 33) % strlen(text)] = bytes[(seed >> 50) % (sizeof(bytes) - 1)];
        }
        if (parse(arena, text, &partition, &fault)) {
            struct stmt *s = stmt_new(arena, SQL_STARROCKS);
            partition_write(s, &partition);
            struct sv rest = sv_from(rendered(s, arena));
            struct token token;
            while ((token = lexer_next(SQL_STARROCKS, &rest, arena)).kind != TOKEN_END) {
                assert_int_not_equal(token.kind, TOKEN_BAD);
            }
            taken++;
        }
        arena_freep(&arena);
    }
    assert_in_range(taken, 12500, 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_what_it_read),
        TEST(refuses_with_the_rule),
        TEST(holds_its_limit),
        TEST(survives_spoilt_text),
    };

    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
