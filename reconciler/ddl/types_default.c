/*
 * Which of MySQL's defaults StarRocks surely takes, and how it wants them (starrocks.md
 * 1.10 and the transcript's "int column, default ...").
 */
#include "ddl/types_parts.h"

#include <string.h>

/* information_schema announces COLUMN_DEFAULT with 1024 characters. */
#define DEFAULT_BYTES_MAX ((size_t)1024)
#define DECIMAL_DIGITS_MAX ((int64_t)38)
#define DATE_BYTES ((size_t)10)
#define DATETIME_BYTES ((size_t)19)

static const char *integer(struct sv text, int64_t low, int64_t high, struct arena *arena)
{
    int64_t value;

    if (!sv_int64(text, &value) || value < low || value > high) {
        return NULL;
    }
    return arena_printf(arena, "%lld", (long long)value);
}

static bool digits_only(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
    }
    return true;
}

/* As it is but for leading zeros, which ZEROFILL prints. */
static const char *decimal(struct sv text, const struct sr_type *type,
                           struct arena *arena)
{
    bool negative = sv_starts(text, SV("-"));
    struct sv fraction = negative ? sv_sub(text, 1, text.n) : text;
    bool has_point = sv_contains(fraction, SV("."));
    struct sv whole = sv_cut(&fraction, '.');

    if (whole.n == 0 || (has_point && fraction.n == 0) || !digits_only(whole) ||
        !digits_only(fraction)) {
        return NULL;
    }
    while (whole.n > 0 && whole.p[0] == '0') {
        whole = sv_sub(whole, 1, whole.n);
    }
    if (type->precision > DECIMAL_DIGITS_MAX ||
        (int64_t)whole.n > type->precision - type->scale ||
        (int64_t)fraction.n > type->scale) {
        return NULL;
    }
    return arena_printf(arena, "%s%.*s%s%.*s", negative ? "-" : "",
                        whole.n == 0 ? 1 : (int)whole.n, whole.n == 0 ? "0" : whole.p,
                        has_point ? "." : "", SV_ARGS(fraction));
}

/* Counts bytes where StarRocks counts characters: never more than it allows. A control
 * byte is shown by no catalog in a way that could be compared. */
static const char *text_value(struct sv text, const struct sr_type *type,
                              struct arena *arena)
{
    if (text.n > DEFAULT_BYTES_MAX || (int64_t)text.n > type->length ||
        !sv_is_utf8(text) || sv_eq_nocase(text, SV("CURRENT_TIMESTAMP"))) {
        return NULL;
    }
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < ' ' || c == 0x7f) {
            return NULL;
        }
    }
    return arena_copy(arena, text);
}

/* The number in `count` digits at `at`; -1: something else stands there. */
static int64_t field(struct sv text, size_t at, size_t count)
{
    struct sv digits = sv_sub(text, at, count);
    int64_t value = -1;

    return digits.n == count && digits_only(digits) && sv_int64(digits, &value) ? value
                                                                                : -1;
}

static bool is_date(struct sv text)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = field(text, 0, 4), month = field(text, 5, 2), day = field(text, 8, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (text.n != DATE_BYTES || text.p[4] != '-' || text.p[7] != '-' || year < 1 ||
        month < 1 || month > 12 || day < 1) {
        return false;
    }
    return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* "10:00:00", and perhaps zeros behind a point. */
static bool is_time(struct sv text)
{
    int64_t hour = field(text, 0, 2), minute = field(text, 3, 2),
            second = field(text, 6, 2);

    if (text.n < 8 || text.p[2] != ':' || text.p[5] != ':' || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59) {
        return false;
    }
    if (text.n > 8 && (text.p[8] != '.' || text.n == 9)) {
        return false;
    }
    for (size_t i = 9; i < text.n; i++) {
        if (text.p[i] != '0') {
            return false;
        }
    }
    return true;
}

static const char *moment(struct sv text, struct arena *arena)
{
    if (!is_date(sv_sub(text, 0, DATE_BYTES)) || text.n < DATETIME_BYTES ||
        text.p[DATE_BYTES] != ' ' || !is_time(sv_sub(text, DATE_BYTES + 1, text.n))) {
        return NULL;
    }
    return arena_copy(arena, sv_sub(text, 0, DATETIME_BYTES));
}

static const char *of_kind(struct sv text, const struct sr_type *type,
                           struct arena *arena)
{
    switch (type->kind) {
    case SR_BOOLEAN:
        return integer(text, 0, 1, arena);
    case SR_TINYINT:
        return integer(text, INT8_MIN, INT8_MAX, arena);
    case SR_SMALLINT:
        return integer(text, INT16_MIN, INT16_MAX, arena);
    case SR_INT:
        return integer(text, INT32_MIN, INT32_MAX, arena);
    case SR_BIGINT:
    case SR_LARGEINT:
        return integer(text, INT64_MIN, INT64_MAX, arena);
    case SR_DECIMAL:
        return decimal(text, type, arena);
    case SR_VARCHAR:
        return text_value(text, type, arena);
    case SR_DATE:
        return is_date(text) ? arena_copy(arena, text) : NULL;
    case SR_DATETIME:
        return moment(text, arena);
    case SR_FLOAT:
    case SR_DOUBLE:
    case SR_JSON:
    case SR_UNSET:
    case SR_KIND_MAX:
        break;
    }
    return NULL;
}

const char *types_default(const struct column_default *value,
                          const struct column_map *map, struct arena *arena)
{
    /* What an expression changes is not what MySQL printed: hexadecimal text, an instant
     * in the session's zone. */
    if (value->kind != DEFAULT_LITERAL || map->key || map->expr != SINK_PASS) {
        return NULL;
    }
    return of_kind(sv_from(value->text), &map->sr, arena);
}
