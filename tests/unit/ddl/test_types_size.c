#include "unit.h"

#include "ddl/types.h"

#include <string.h>

struct size {
    const char *mysql, *charset;
    int64_t bytes_per_character, length;
    enum loss_kind loss;
    int64_t loss_limit;
};

#define FITS LOSS_NONE, 0
#define LOSES(limit) LOSS_LENGTH, limit

static const struct size sizes[] = {
    /* by character set: 1, 3 and 4 bytes of UTF-8, listed or not */
    {"varchar(10)", "ascii", 0, 10, FITS},
    {"varchar(10)", "binary", 0, 10, FITS},
    {"varchar(10)", "utf8mb3", 0, 30, FITS},
    {"varchar(10)", "UTF8", 0, 30, FITS},
    {"varchar(10)", "ucs2", 0, 30, FITS},
    {"varchar(10)", "latin1", 0, 30, FITS},
    {"varchar(10)", "gb2312", 0, 30, FITS},
    {"varchar(10)", "big5", 0, 30, FITS},
    {"varchar(10)", "sjis", 0, 30, FITS},
    {"varchar(10)", "cp932", 0, 30, FITS},
    {"varchar(10)", "ujis", 0, 30, FITS},
    {"varchar(10)", "eucjpms", 0, 30, FITS},
    {"varchar(10)", "euckr", 0, 30, FITS},
    {"varchar(10)", "tis620", 0, 30, FITS},
    {"varchar(10)", "geostd8", 0, 30, FITS},
    {"varchar(10)", "utf8mb4", 0, 40, FITS},
    {"varchar(10)", "utf16", 0, 40, FITS},
    {"varchar(10)", "utf16le", 0, 40, FITS},
    {"varchar(10)", "utf32", 0, 40, FITS},
    {"varchar(10)", "gb18030", 0, 40, FITS},
    {"varchar(10)", NULL, 0, 40, FITS},
    {"varchar(10)", "klingon", 0, 40, FITS},
    /* columns.charBytesPerCharacter */
    {"varchar(10)", "latin1", 4, 40, FITS},
    {"varchar(10)", "utf8mb4", 3, 30, LOSES(30)},
    {"char(10)", "utf8mb4", 1, 10, LOSES(10)},
    {"char(10)", "latin1", 1, 10, LOSES(3)},
    {"varchar(10)", "utf16", 3, 30, LOSES(15)},
    {"varchar(10)", "ascii", 1, 10, FITS},
    {"text", "utf8mb4", 1, 65535, FITS},
    {"enum('a','bb')", "utf8mb4", 1, 256, FITS},
    /* the largest there are, and the ceiling */
    {"varchar(16383)", "utf8mb4", 0, 65532, FITS},
    {"varchar(21844)", "utf8mb3", 0, 65532, FITS},
    {"varchar(65535)", "latin1", 0, 196605, FITS},
    {"varchar(262144)", "utf8mb4", 0, 1048576, FITS},
    {"varchar(262145)", "utf8mb4", 0, 1048576, LOSES(1048576)},
    {"varchar(349526)", "latin1", 0, 1048576, LOSES(349525)},
    {"varchar", "utf8mb4", 0, 1048576, FITS}, /* no length was told */
    {"char(0)", "utf8mb4", 0, 1, FITS},
    /* TEXT counts bytes of its own encoding */
    {"tinytext", "ascii", 0, 255, FITS},
    {"tinytext", "utf8mb4", 0, 255, FITS},
    {"tinytext", "gbk", 0, 765, FITS},
    {"text", "utf16", 0, 196605, FITS},
    {"text", "koi8r", 0, 196605, FITS},
    {"text", NULL, 0, 196605, FITS},
    {"mediumtext", "utf8mb4", 0, 1048576, LOSES(1048576)},
    {"mediumtext", "latin1", 0, 1048576, LOSES(349525)},
    {"mediumtext", "gbk", 0, 1048576, LOSES(524288)},
    {"longtext", "utf8mb3", 0, 1048576, LOSES(1048576)},
    /* hexadecimal text takes two bytes for one */
    {"binary(255)", NULL, 0, 510, FITS},
    {"varbinary(524288)", NULL, 0, 1048576, FITS},
    {"varbinary(524289)", NULL, 0, 1048576, LOSES(524288)},
    {"varbinary", NULL, 0, 1048576, FITS},
    {"blob", NULL, 0, 131070, FITS},
    {"mediumblob", NULL, 0, 1048576, LOSES(524288)},
    {"longblob", NULL, 0, 1048576, LOSES(524288)},
    {"bit(57)", NULL, 0, 16, FITS},
};

static void sizes_text(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const struct size *s = &sizes[i];
        struct mysql_column column = column_of("c", s->mysql);
        struct types_options options = {.bytes_per_character = s->bytes_per_character};
        struct column_map map;
        struct fault fault = FAULT_INIT;

        column.charset = s->charset;
        ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
        if (map.sr.length != s->length || map.loss != s->loss ||
            map.loss_limit != s->loss_limit) {
            fail_msg("%s %s: length %lld, loss %d over %lld", s->mysql,
                     s->charset == NULL ? "" : s->charset, (long long)map.sr.length,
                     (int)map.loss, (long long)map.loss_limit);
        }
        assert_true(map.loss == LOSS_NONE || map.note != NULL);
    }
}

/* Every character set of MySQL and MariaDB is listed; an unknown one is taken for the
 * worst. */
static void knows_every_charset(void **state)
{
    static const struct {
        const char *name;
        int64_t character_bytes, growth;
    } charsets[] = {
#define CHARSET(name, character_bytes, growth) {name, character_bytes, growth},
#include "ddl/types.def"
    };
    static const char *const servers[] = {
        "armscii8", "ascii",   "big5",     "binary", "cp1250",  "cp1251",  "cp1256",
        "cp1257",   "cp850",   "cp852",    "cp866",  "cp932",   "dec8",    "eucjpms",
        "euckr",    "gb18030", "gb2312",   "gbk",    "geostd8", "greek",   "hebrew",
        "hp8",      "keybcs2", "koi8r",    "koi8u",  "latin1",  "latin2",  "latin5",
        "latin7",   "macce",   "macroman", "sjis",   "swe7",    "tis620",  "ucs2",
        "ujis",     "utf16",   "utf16le",  "utf32",  "utf8",    "utf8mb3", "utf8mb4"};

    (void)state;
    assert_int_equal(COUNT_OF(charsets), COUNT_OF(servers));
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        size_t found = 0;

        for (size_t j = 0; j < COUNT_OF(charsets); j++) {
            found += strcmp(servers[i], charsets[j].name) == 0;
        }
        assert_int_equal(found, 1);
        assert_in_range(charsets[i].character_bytes, 1, 4);
        assert_in_range(charsets[i].growth, 1, 3);
    }
}

static void measures_enum_labels(void **state)
{
    struct fixture *f = *state;
    AUTO(buf_deinit) struct buf type = {0};
    struct types_options options = {0};
    struct column_map map;
    struct fault fault = FAULT_INIT;

    buf_init(&type, 4096);
    buf_addz(&type, "enum('a','");
    for (int i = 0; i < 70; i++) { /* doubled quotes and a wide one among them */
        buf_addz(&type, i == 3 ? "é" : i % 7 == 0 ? "''" : "x");
    }
    buf_addz(&type, "','b')");
    struct mysql_column column = column_of("c", buf_z(&type));
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_int_equal(map.sr.length, 4 * 70);
    column.charset = "latin1";
    column.char_max_length = 3; /* what MySQL says of the labels is not asked */
    options.bytes_per_character = 0;
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_int_equal(map.sr.length, 256); /* 210 would do */
    options.bytes_per_character = 8;
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_int_equal(map.sr.length, 560);
    assert_int_equal(map.loss, LOSS_NONE);
}

struct loss {
    const char *mysql;
    enum loss_kind loss;
    const char *note; /* part of it; NULL: none */
};

static const struct loss losses[] = {
    {"time(6)", LOSS_TIME_RANGE, "values below 0 or from 24 hours on arrive as NULL"},
    {"date", LOSS_ZERO_DATE, NULL},
    {"datetime(6)", LOSS_ZERO_DATE, NULL},
    {"timestamp", LOSS_ZERO_DATE, NULL},
    {"decimal(28,0)", LOSS_NONE, NULL},
    {"decimal(29,0)", LOSS_DIGITS, "RisingWave keeps 28 digits; a longer value"},
    {"decimal(65,30)", LOSS_DIGITS, "RisingWave keeps 28 digits; a longer value"},
    {"bigint unsigned", LOSS_NONE, NULL},
    {"year", LOSS_NONE, NULL},
    {"json", LOSS_NONE, "keys are reordered"},
    {"bit(1)", LOSS_NONE, NULL},
    {"double", LOSS_NONE, NULL},
    {"tinyint(1)", LOSS_NONE, NULL},
};

static void says_what_may_be_lost(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(losses); i++) {
        struct mysql_column column = column_of("c", losses[i].mysql);
        struct types_options options = {0};
        struct column_map map;
        struct fault fault = FAULT_INIT;

        ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
        assert_int_equal(map.loss, losses[i].loss);
        assert_int_equal(map.loss_limit, 0);
        if (losses[i].note == NULL) {
            assert_null(map.note);
        } else {
            ASSERT_CONTAINS(map.note, losses[i].note);
        }
    }
}

static void warns_of_zero_dates_where_invited(void **state)
{
    struct fixture *f = *state;
    struct mysql_column column = column_of("d", "datetime");
    struct types_options options = {.flavor = MYSQL_ORACLE, .mysql_version = "5.6.24"};
    struct column_map map;
    struct fault fault = FAULT_INIT;

    column.default_value = "0000-00-00 00:00:00";
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    ASSERT_CONTAINS(map.note, "zero dates arrive as NULL");
    options.flavor = MYSQL_MARIADB;
    options.mysql_version = "10.11.6-MariaDB";
    column.default_value = "'0000-00-00 00:00:00'";
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    ASSERT_CONTAINS(map.note, "zero dates arrive as NULL");
    column.default_value = "'2024-01-01 00:00:00'";
    ASSERT_OK(types_map(&column, false, &options, f->arena, &map, &fault), &fault);
    assert_null(map.note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sizes_text),
        TEST(knows_every_charset),
        TEST(measures_enum_labels),
        TEST(says_what_may_be_lost),
        TEST(warns_of_zero_dates_where_invited),
    };

    return cmocka_run_group_tests_name("types_size", tests, NULL, NULL);
}
