/*
 * Column defaults. The lines of column.h, a line with COLUMN_TYPE, and all that is left
 * is COLUMN_DEFAULT: as the server sent it, and as a value that is written down first as
 * each server does. Whatever StarRocks is to get must be a value of the column's type.
 */
#include "column.h"
#include "fuzz.h"

#include "base/json.h"
#include "ddl/default.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX ((size_t)4096)

static bool all_digits(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
    }
    return text.n > 0;
}

static bool is_integer(struct sv text, int64_t low, int64_t high)
{
    int64_t value = 0;
    struct sv digits = sv_starts(text, SV("-")) ? sv_sub(text, 1, text.n) : text;

    return all_digits(digits) && sv_int64(text, &value) && value >= low && value <= high;
}

static bool is_decimal(struct sv text, const struct sr_type *type)
{
    struct sv rest = sv_starts(text, SV("-")) ? sv_sub(text, 1, text.n) : text;
    struct sv whole = sv_cut(&rest, '.');

    while (whole.n > 1 && whole.p[0] == '0') {
        whole = sv_sub(whole, 1, whole.n);
    }
    int64_t before = sv_eq(whole, SV("0")) ? 0 : (int64_t)whole.n;
    return all_digits(whole) && (rest.n == 0 || all_digits(rest)) &&
           (int64_t)rest.n <= type->scale && before <= type->precision - type->scale;
}

static bool is_floating(struct sv text)
{
    char *end = NULL;
    double value = strtod(text.p, &end);

    return text.n > 0 && strspn(text.p, "0123456789.eE+-") == text.n &&
           end == text.p + text.n && isfinite(value);
}

/* "0": a digit; anything else: itself. */
static bool has_shape(struct sv text, struct sv shape)
{
    for (size_t i = 0; i < text.n && i < shape.n; i++) {
        bool digit = text.p[i] >= '0' && text.p[i] <= '9';
        if (shape.p[i] == '0' ? !digit : text.p[i] != shape.p[i]) {
            return false;
        }
    }
    return text.n == shape.n;
}

static int64_t number_at(struct sv text, size_t at, size_t count)
{
    int64_t value = -1;

    (void)sv_int64(sv_sub(text, at, count), &value);
    return value;
}

static bool is_date(struct sv text)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (!has_shape(text, SV("0000-00-00"))) {
        return false;
    }
    int64_t year = number_at(text, 0, 4), month = number_at(text, 5, 2),
            day = number_at(text, 8, 2);
    if (year < 1 || month < 1 || month > 12) {
        return false;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static bool is_datetime(struct sv text)
{
    return has_shape(text, SV("0000-00-00 00:00:00")) && is_date(sv_sub(text, 0, 10)) &&
           number_at(text, 11, 2) < 24 && number_at(text, 14, 2) < 60 &&
           number_at(text, 17, 2) < 60;
}

static bool is_json(struct sv text)
{
    AUTO(json_freep) struct json *root = NULL;
    struct fault fault = FAULT_INIT;

    return json_parse(text, INPUT_BYTES_MAX * 2, &root, &fault);
}

/* What FE/sql/analyzer/ColumnDefAnalyzer.java takes (starrocks.md 1.10), and no more. */
static bool fits(struct sv text, const struct sr_type *type)
{
    switch (type->kind) {
    case SR_BOOLEAN:
        return sv_eq(text, SV("0")) || sv_eq(text, SV("1")) || sv_eq(text, SV("true")) ||
               sv_eq(text, SV("false"));
    case SR_TINYINT:
        return is_integer(text, INT8_MIN, INT8_MAX);
    case SR_SMALLINT:
        return is_integer(text, INT16_MIN, INT16_MAX);
    case SR_INT:
        return is_integer(text, INT32_MIN, INT32_MAX);
    case SR_BIGINT:
        return is_integer(text, INT64_MIN, INT64_MAX);
    case SR_DECIMAL:
        return is_decimal(text, type);
    case SR_FLOAT:
    case SR_DOUBLE:
        return is_floating(text);
    case SR_VARCHAR:
        return (int64_t)text.n <= type->length;
    case SR_DATE:
        return is_date(text);
    case SR_DATETIME:
        return is_datetime(text);
    case SR_JSON:
        return is_json(text);
    case SR_LARGEINT:
    case SR_UNSET:
    case SR_KIND_MAX:
        break;
    }
    return false;
}

static void check_mapped(const struct fuzz_column *column, struct column_default value,
                         bool key, struct arena *arena)
{
    struct types_options options = {.flavor = column->flavor,
                                    .mysql_version = column->version};
    struct column_map map = {0};
    struct fault fault = FAULT_INIT;

    if (!types_map(&column->column, key, &options, arena, &map, &fault)) {
        return;
    }
    fuzz_reached();
    const char *text = map.default_value;
    if (text == NULL) {
        return;
    }
    fuzz_require(fuzz_is_utf8(sv_from(text)), "%s", text);
    fuzz_require(fits(sv_from(text), &map.sr), "DEFAULT '%s' of %s %s", text,
                 column->column.column_type, sr_type_catalog(&map.sr, arena));
    fuzz_require(value.kind == DEFAULT_LITERAL, "of nothing: %s", text);
    fuzz_require(map.expr != SINK_AT_UTC, "a default in the zone of nobody knows: %s",
                 text);
}

static struct column_default check_read(const struct fuzz_column *column,
                                        struct arena *arena)
{
    struct column_default value =
        default_read(&column->column, column->flavor, column->version, arena);

    fuzz_require(value.kind >= DEFAULT_NONE && value.kind <= DEFAULT_EXPRESSION, "%d",
                 (int)value.kind);
    fuzz_require((value.text != NULL) == (value.kind == DEFAULT_LITERAL), "%d",
                 (int)value.kind);
    fuzz_require(column->column.default_value != NULL || value.kind == DEFAULT_NONE ||
                     value.kind == DEFAULT_NULL,
                 "made up");
    return value;
}

static void expect_literal(const struct fuzz_column *column, const char *wanted,
                           struct arena *arena)
{
    struct column_default value = check_read(column, arena);

    fuzz_require(value.kind == DEFAULT_LITERAL && strcmp(value.text, wanted) == 0,
                 "kind %d '%s' instead of '%s' from %s", (int)value.kind,
                 value.text == NULL ? "" : value.text, wanted,
                 column->column.default_value);
}

/* A text column whose default is `wanted`, as each server prints it. */
static void check_written(const char *wanted, struct arena *arena)
{
    AUTO(buf_deinit) struct buf quoted = {0};
    static const char plain[] = "'\\\n\r";
    static const char *const escape[] = {"''", "\\\\", "\\n", "\\r"};
    struct fuzz_column column = {
        .column = {.name = "c",
                   .data_type = "varchar",
                   .column_type = "varchar(300)",
                   .extra = "",
                   .key = "",
                   .default_value = wanted},
        .flavor = MYSQL_ORACLE,
        .version = "8.0.39",
    };

    expect_literal(&column, wanted, arena);
    column.flavor = MYSQL_MARIADB;
    column.version = "10.2.6-MariaDB";
    expect_literal(&column, wanted, arena);
    column.version = "10.11.6-MariaDB";
    buf_init(&quoted, INPUT_BYTES_MAX * 3);
    buf_addc(&quoted, '\'');
    for (const char *c = wanted; *c != '\0'; c++) {
        const char *at = strchr(plain, *c);
        if (at == NULL) {
            buf_addc(&quoted, *c);
        } else {
            buf_addz(&quoted, escape[at - plain]);
        }
    }
    buf_addc(&quoted, '\'');
    column.column.default_value = buf_z(&quoted);
    expect_literal(&column, wanted, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    AUTO(arena_freep) struct arena *arena = NULL;
    struct sv rest = {(const char *)data, size_bytes};
    struct fuzz_column column = {0};

    if (size_bytes > INPUT_BYTES_MAX) {
        return -1;
    }
    arena = arena_new(ARENA_CEILING_BYTES);
    fuzz_column(&rest, arena, &column);
    fuzz_column_typed(&column, fuzz_line(&rest), arena);
    fuzz_column_default(&column, rest, arena);
    struct column_default value = check_read(&column, arena);
    check_mapped(&column, value, false, arena);
    check_mapped(&column, value, true, arena);
    check_written(fuzz_text(arena, rest), arena);
    return 0;
}
