#include "unit.h"

#include "ddl/types.h"

#include <string.h>

struct sentence {
    const char *mysql;
    bool key, to_string;
    const char *starrocks_version;
    const char *text;
};

#define LEAVE_OUT ", or leave it out by columns.exclude or columns.unsupported: Skip"
#define USE_A_KEY "; use a primary key of integer, date or short text columns"

static const struct sentence sentences[] = {
    {"set('x','y')", false, false, NULL,
     "column 'c' of type set('x','y') cannot be replicated: RisingWave has no type for "
     "it; change it to VARCHAR" LEAVE_OUT},
    {"set('x','y')", false, true, NULL,
     "column 'c' of type set('x','y') cannot be replicated: columns.unsupported: "
     "ToString cannot carry it either, as RisingWave has no type for it; change it to "
     "VARCHAR" LEAVE_OUT},
    {"uuid", true, true, NULL,
     "column 'c' of type uuid cannot be replicated: RisingWave has no type for it; "
     "change it to CHAR(36)"},
    {"point", false, true, "4.1.0",
     "column 'c' of type point cannot be replicated: columns.unsupported: ToString "
     "cannot carry it either, as RisingWave has no spatial types; store it as "
     "text" LEAVE_OUT},
    {"xmltype", false, false, NULL,
     "column 'c' of type xmltype cannot be replicated: the type is unknown; change it to "
     "VARCHAR or drop it" LEAVE_OUT},
    {"decimal(39,2)", false, false, "3.5.2",
     "column 'c' of type decimal(39,2) cannot be replicated: StarRocks before 4.0 holds "
     "38 digits and RisingWave 28; change it to DECIMAL(38, s) or VARCHAR, or set "
     "columns.unsupported: ToString" LEAVE_OUT},
    {"decimal(39,2)", true, true, "3.5.2",
     "primary key column 'c' of type decimal(39,2) cannot be used as a key: RisingWave "
     "keeps 28 digits, and rows with longer keys would be merged into one" USE_A_KEY},
    {"decimal(5,6)", false, true, NULL,
     "column 'c' of type decimal(5,6) cannot be replicated: a DECIMAL has at most 65 "
     "digits, and no more of them behind the point than in all; change it to "
     "VARCHAR" LEAVE_OUT},
    {"double", true, false, NULL,
     "primary key column 'c' of type double cannot be used as a key: StarRocks has no "
     "floating point keys" USE_A_KEY},
    {"float(7,3)", true, true, NULL,
     "primary key column 'c' of type float(7,3) cannot be used as a key: StarRocks has "
     "no floating point keys" USE_A_KEY},
    {"text", true, false, NULL,
     "primary key column 'c' of type text cannot be used as a key: only a prefix of it "
     "is unique in MySQL" USE_A_KEY},
    {"json", true, false, NULL,
     "primary key column 'c' of type json cannot be used as a key: StarRocks has no JSON "
     "keys" USE_A_KEY},
    {"binary(16)", true, true, NULL,
     "primary key column 'c' of type binary(16) cannot be used as a key: RisingWave "
     "cannot page through a binary key" USE_A_KEY},
    {"bit(2)", true, true, NULL,
     "primary key column 'c' of type bit(2) cannot be used as a key: RisingWave cannot "
     "page through a binary key" USE_A_KEY},
    {"decimal(29,0)", true, true, NULL,
     "primary key column 'c' of type decimal(29,0) cannot be used as a key: RisingWave "
     "keeps 28 digits, and rows with longer keys would be merged into one" USE_A_KEY},
    {"decimal(65,30)", true, true, "4.0.0",
     "primary key column 'c' of type decimal(65,30) cannot be used as a key: RisingWave "
     "keeps 28 digits, and rows with longer keys would be merged into one" USE_A_KEY},
};

static void refuses_in_sentences(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(sentences); i++) {
        const struct sentence *s = &sentences[i];
        struct mysql_column column = column_of("c", s->mysql);
        struct types_options options = {.flavor = MYSQL_MARIADB,
                                        .to_string = s->to_string,
                                        .starrocks_version = s->starrocks_version};
        struct column_map map = {.rw = RW_DATE};
        struct fault fault = FAULT_INIT;

        assert_false(types_map(&column, s->key, &options, f->arena, &map, &fault));
        assert_string_equal(fault.text, s->text);
        assert_int_equal(fault.class, FAULT_REFUSED);
        assert_int_equal(map.rw, RW_DATE); /* untouched */
    }
}

static void writes_wide_decimals_as_text_when_asked(void **state)
{
    static const char *const old[] = {"3.5.2", "3.3.16-abcdef", "3"};
    static const char *const new[] = {"4.0.0", "4.1.0-9a3c5d1", NULL, "main-1234",
                                      "10.0"};
    struct fixture *f = *state;
    struct mysql_column column = column_of("c", "decimal(65,30)");
    struct types_options options = {.to_string = true};
    struct column_map map;
    struct fault fault = FAULT_INIT;

    for (size_t i = 0; i < COUNT_OF(old); i++) {
        options.starrocks_version = old[i];
        ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
        assert_string_equal(sr_type_catalog(&map.sr, f->arena), "varchar(68)");
        assert_int_equal(map.expr, SINK_CAST_VARCHAR);
        assert_int_equal(map.rw, RW_DECIMAL);
        assert_int_equal(map.delivered, RW_VARCHAR);
        assert_int_equal(map.loss, LOSS_DIGITS);
        ASSERT_CONTAINS(map.note, "arrives as text; RisingWave keeps 28 digits");
    }
    for (size_t i = 0; i < COUNT_OF(new); i++) {
        options.starrocks_version = new[i];
        ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
        assert_string_equal(sr_type_catalog(&map.sr, f->arena), "decimal(65, 30)");
        assert_int_equal(map.loss, LOSS_DIGITS);
    }
    column = column_of("c", "decimal(38,2)");
    options.starrocks_version = "2.5.0";
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_string_equal(sr_type_catalog(&map.sr, f->arena), "decimal(38, 2)");
}

static const char *const hostile[] = {
    "",
    "(",
    ")",
    "varchar(",
    "varchar()",
    "varchar(9223372036854775807)",
    "varchar(-1)",
    "varchar(99999999999999999999999999)",
    "char(9223372036854775807)",
    "bit(9223372036854775807)",
    "bit()",
    "binary(9223372036854775807)",
    "decimal(9223372036854775807,9223372036854775807)",
    "decimal(10,9223372036854775807)",
    "enum(",
    "enum('",
    "enum('a",
    "enum('a\\",
    "enum('''",
    "enum()",
    "enum('a'b'c',,'d'",
    "int unsigned)unsigned(",
    "int(((((",
};

/* A server may send anything: nothing overflows, nothing is read past its end. */
static void survives_hostile_types(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(hostile) * 2; i++) {
        struct mysql_column column = column_of("c", "int");
        struct types_options options = {.bytes_per_character = INT64_MAX};
        struct column_map map = {0};
        struct fault fault = FAULT_INIT;
        struct sv text = sv_from(hostile[i / 2]);

        column.column_type = hostile[i / 2];
        column.data_type =
            arena_copy(f->arena, sv_sub(text, 0, strcspn(hostile[i / 2], "( ")));
        column.extra = NULL;
        if (i % 2 == 1) {
            column.char_max_length = column.numeric_precision = INT64_MAX;
            column.numeric_scale = INT64_MAX;
        }
        if (types_map(&column, false, &options, f->arena, &map, &fault)) {
            assert_true(map.sr.kind != SR_VARCHAR ||
                        (map.sr.length >= 1 && map.sr.length <= 1048576));
            assert_true(map.sr.kind != SR_DECIMAL || map.sr.precision <= 65);
        } else {
            assert_int_equal(fault.class, FAULT_REFUSED);
        }
    }
}

static void cuts_long_types_in_messages(void **state)
{
    struct fixture *f = *state;
    char *type = arena_alloc(f->arena, 100001);
    struct mysql_column column = column_of("c", "set");
    struct types_options options = {0};
    struct column_map map;
    struct fault fault = FAULT_INIT;

    memset(type, 'x', 100000);
    memcpy(type, "set('", 5);
    column.column_type = type;
    ASSERT_REFUSED(types_map(&column, false, &options, f->arena, &map, &fault), &fault,
                   "UnsupportedType");
    ASSERT_CONTAINS(fault.text, "xxx... cannot be replicated: RisingWave has no type");
    ASSERT_CONTAINS(fault.text, "columns.unsupported: Skip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_in_sentences),
        TEST(writes_wide_decimals_as_text_when_asked),
        TEST(survives_hostile_types),
        TEST(cuts_long_types_in_messages),
    };

    return cmocka_run_group_tests_name("types_refusals", tests, NULL, NULL);
}
