#include "ddl/types.h"

#include <string.h>

#define VARCHAR_MAX ((int64_t)1048576) /* FE max_varchar_length (starrocks.md 2.2) */
#define RW_DECIMAL_DIGITS                                                                \
    ((int64_t)28) /* RisingWave's 96-bit mantissa (risingwave.md 3.3) */
#define BIGINT_UNSIGNED_DIGITS ((int64_t)20)
#define DECIMAL_KEY_EXTRA ((int64_t)3) /* sign, point, the zero in front of the point */

enum attribute {
    ATTRIBUTE_ANY,
    ATTRIBUTE_SIGNED,
    ATTRIBUTE_UNSIGNED,
    ATTRIBUTE_ONE,
    ATTRIBUTE_MANY
};
enum rule {
    RULE_NONE,
    RULE_FIXED,
    RULE_DECIMAL,
    RULE_CHARS,
    RULE_TEXT,
    RULE_ENUM,
    RULE_HEX,
    RULE_HEX_BITS
};
enum key_rule {
    KEY_SAME,
    KEY_BIGINT_UNSIGNED,
    KEY_DECIMAL,
    KEY_NEVER_FLOAT,
    KEY_NEVER_TEXT,
    KEY_NEVER_JSON,
    KEY_NEVER_BYTES
};

struct row {
    const char *data_type, *note;
    int64_t limit;
    enum attribute attribute;
    enum rw_type rw;
    enum sink_expr expr;
    enum sr_kind kind;
    enum rule rule;
    enum key_rule key;
};

static const struct row rows[] = {
#define TYPE(data_type, attribute, mysql, rw, expr, kind, rule, limit, key, starrocks,   \
             note)                                                                       \
    {data_type, note,        limit,    ATTRIBUTE_##attribute, RW_##rw, SINK_##expr,      \
     SR_##kind, RULE_##rule, KEY_##key},
#include "ddl/types.def"
};

static const struct {
    const char *data_type, *why;
} refused[] = {
#define REFUSED(data_type, mysql, why) {data_type, why},
#include "ddl/types.def"
};

/* The number in "name(12,...)"; -1: there is none. */
static int64_t type_argument(const struct mysql_column *column, size_t index)
{
    struct sv text = sv_from(column->column_type);
    size_t open = sv_find(text, SV("("));
    int64_t value = -1;

    if (open == SIZE_MAX) {
        return -1;
    }
    text = sv_sub(text, open + 1, text.n);
    text = sv_cut(&text, ')');
    for (size_t i = 0; i < index; i++) {
        (void)sv_cut(&text, ',');
    }
    if (!sv_int64(sv_trim(sv_cut(&text, ',')), &value)) {
        return -1;
    }
    return value;
}

static int64_t known_or_argument(int64_t known, const struct mysql_column *column,
                                 size_t index)
{
    return known >= 0 ? known : type_argument(column, index);
}

static bool attribute_matches(enum attribute attribute, const struct mysql_column *column)
{
    bool is_unsigned =
        sv_find_nocase(sv_from(column->column_type), SV("unsigned")) != SIZE_MAX;
    bool is_one = known_or_argument(column->numeric_precision, column, 0) <= 1;

    switch (attribute) {
    case ATTRIBUTE_ANY:
        return true;
    case ATTRIBUTE_SIGNED:
        return !is_unsigned;
    case ATTRIBUTE_UNSIGNED:
        return is_unsigned;
    case ATTRIBUTE_ONE:
        return is_one;
    case ATTRIBUTE_MANY:
        return !is_one;
    }
    return false;
}

static const struct row *find_row(const struct mysql_column *column)
{
    struct sv data_type = sv_from(column->data_type);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (sv_eq_nocase(data_type, sv_from(rows[i].data_type)) &&
            attribute_matches(rows[i].attribute, column)) {
            return &rows[i];
        }
    }
    return NULL;
}

static const char *row_note(const struct row *row)
{
    return row->note[0] == '\0' ? NULL : row->note;
}

static bool refuse_type(const struct mysql_column *column, const char *why,
                        struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "UnsupportedType",
                     "column '%s' of type %s cannot be replicated: %s", column->name,
                     column->column_type, why);
}

static bool charset_in(const struct mysql_column *column, const char *const *list,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sv_eq_nocase(sv_from(column->charset), sv_from(list[i]))) {
            return true;
        }
    }
    return false;
}

static bool charset_is_utf8(const struct mysql_column *column)
{
    static const char *const utf8[] = {"utf8mb4", "utf8", "utf8mb3"};

    return charset_in(column, utf8, COUNT_OF(utf8));
}

/*
 * Bytes one character may take once it is UTF-8. Listed are the character sets that
 * cannot leave the basic plane; utf8mb4, utf16, utf32, gb18030 and whatever comes later
 * take 4.
 */
static int64_t bytes_per_character(const struct mysql_column *column)
{
    static const char *const three[] = {
        "utf8",   "utf8mb3", "latin1",  "latin2",  "latin5",   "latin7",
        "ascii",  "ucs2",    "gbk",     "gb2312",  "big5",     "sjis",
        "cp932",  "ujis",    "eucjpms", "euckr",   "cp1250",   "cp1251",
        "cp1256", "cp1257",  "cp850",   "cp852",   "cp866",    "koi8r",
        "koi8u",  "greek",   "hebrew",  "tis620",  "armscii8", "dec8",
        "hp8",    "swe7",    "geostd8", "keybcs2", "macce",    "macroman"};

    return charset_in(column, three, COUNT_OF(three)) ? 3 : 4;
}

/* Characters of the longest label in enum('a','b''c'). */
static int64_t longest_label(const struct mysql_column *column)
{
    struct sv text = sv_from(column->column_type);
    int64_t longest = 0, length = 0;
    bool inside = false;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool doubled = inside && c == '\'' && i + 1 < text.n && text.p[i + 1] == '\'';
        if (c == '\'' && !doubled) {
            inside = !inside;
            length = 0;
            continue;
        }
        i += doubled ? 1 : 0;
        length += inside && ((unsigned char)c & 0xc0) != 0x80 ? 1 : 0;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static int64_t text_bytes(const struct row *row, const struct mysql_column *column)
{
    int64_t n = known_or_argument(column->char_max_length, column, 0);

    switch (row->rule) {
    case RULE_FIXED:
        return row->limit;
    case RULE_CHARS: /* a length nobody told is bounded by MySQL's row size */
        return n < 0 ? VARCHAR_MAX : n * bytes_per_character(column);
    case RULE_TEXT: /* MySQL's limit counts bytes of its own encoding */
        return charset_is_utf8(column) ? row->limit : row->limit * 3;
    case RULE_ENUM: {
        /* A new, longer label is an everyday ALTER; the length costs nothing in
         * StarRocks, and a label that does not fit would stop the sink: hence a generous
         * minimum. */
        int64_t bytes = 4 * longest_label(column);
        return bytes < row->limit ? row->limit : bytes;
    }
    case RULE_HEX:
        n = row->limit > 0 ? row->limit : n;
        return n < 0 ? VARCHAR_MAX : 2 * n;
    case RULE_HEX_BITS:
        n = known_or_argument(column->numeric_precision, column, 0);
        return 2 * ((n + 7) / 8);
    case RULE_NONE:
    case RULE_DECIMAL:
        break;
    }
    return 0;
}

static void size_varchar(const struct row *row, const struct mysql_column *column,
                         struct arena *arena, struct column_map *map)
{
    int64_t bytes = text_bytes(row, column);

    map->sr.length = bytes < 1 ? 1 : bytes; /* CHAR(0) and BINARY(0) are legal in MySQL */
    map->note = row_note(row);
    if (bytes > VARCHAR_MAX) {
        map->sr.length = VARCHAR_MAX;
        if (map->note == NULL || row->rule == RULE_HEX) {
            map->note = arena_printf(
                arena, "%s%sa value over %lld bytes stops the sink",
                row->expr == SINK_HEX ? "arrives as hexadecimal text" : "",
                row->expr == SINK_HEX ? "; " : "",
                (long long)(row->expr == SINK_HEX ? VARCHAR_MAX / 2 : VARCHAR_MAX));
        }
    }
}

static bool size_decimal(const struct row *row, const struct mysql_column *column,
                         struct column_map *map, struct fault *fault)
{
    int64_t precision = known_or_argument(column->numeric_precision, column, 0);
    int64_t scale = known_or_argument(column->numeric_scale, column, 1);

    if (row->rule == RULE_FIXED) {
        precision = row->limit;
        scale = 0;
    }
    precision = precision < 1 ? 10 : precision; /* MySQL's default is DECIMAL(10,0) */
    scale = scale < 0 ? 0 : scale;
    if (precision > row->limit) {
        return refuse_type(column,
                           "StarRocks holds 38 digits and RisingWave 28; change it to "
                           "DECIMAL(38, s) or VARCHAR",
                           fault);
    }
    map->sr.precision = precision;
    map->sr.scale = scale;
    map->note = precision > RW_DECIMAL_DIGITS ? row_note(row) : NULL;
    return true;
}

static bool size_map(const struct row *row, const struct mysql_column *column,
                     struct arena *arena, struct column_map *map, struct fault *fault)
{
    bool is_date = map->sr.kind == SR_DATE || map->sr.kind == SR_DATETIME;

    if (map->sr.kind == SR_VARCHAR) {
        size_varchar(row, column, arena, map);
        return true;
    }
    if (map->sr.kind == SR_DECIMAL) {
        return size_decimal(row, column, map, fault);
    }
    /* Every date column could hold a zero date; worth saying where the table invites one.
     */
    if (!is_date || sv_starts(sv_from(column->default_value), SV("0000-00-00"))) {
        map->note = row_note(row);
    }
    return true;
}

static bool refuse_key(const struct mysql_column *column, const char *why,
                       struct fault *fault)
{
    return fault_set(
        fault, FAULT_REFUSED, "UnsupportedKey",
        "primary key column '%s' of type %s cannot be used as a key: %s; use a "
        "primary key of integer, date or short text columns",
        column->name, column->column_type, why);
}

static bool key_decimal(const struct mysql_column *column, struct column_map *map,
                        struct fault *fault)
{
    int64_t precision = map->sr.precision;

    if (precision > RW_DECIMAL_DIGITS) {
        return refuse_key(
            column,
            "RisingWave keeps 28 digits, and rows with longer keys would be "
            "merged into one",
            fault);
    }
    map->expr = SINK_CAST_VARCHAR;
    map->sr =
        (struct sr_type){.kind = SR_VARCHAR, .length = precision + DECIMAL_KEY_EXTRA};
    map->note = "the key is text in StarRocks, which has no decimal keys";
    return true;
}

static void key_bigint_unsigned(const struct mysql_column *column, struct column_map *map)
{
    if (column->key_max != -1) {
        map->expr = SINK_CAST_BIGINT;
        map->sr = (struct sr_type){.kind = SR_BIGINT};
        map->note = "a key over 9223372036854775807 added later cannot be delivered";
        return;
    }
    map->expr = SINK_CAST_VARCHAR;
    map->sr = (struct sr_type){.kind = SR_VARCHAR, .length = BIGINT_UNSIGNED_DIGITS};
    map->note = "the key is text in StarRocks: it holds values over 9223372036854775807";
}

static bool apply_key(const struct row *row, const struct mysql_column *column,
                      struct column_map *map, struct fault *fault)
{
    switch (row->key) {
    case KEY_SAME:
        return true;
    case KEY_BIGINT_UNSIGNED:
        key_bigint_unsigned(column, map);
        return true;
    case KEY_DECIMAL:
        return key_decimal(column, map, fault);
    case KEY_NEVER_FLOAT:
        return refuse_key(column, "StarRocks has no floating point keys", fault);
    case KEY_NEVER_TEXT:
        return refuse_key(column, "only a prefix of it is unique in MySQL", fault);
    case KEY_NEVER_JSON:
        return refuse_key(column, "StarRocks has no JSON keys", fault);
    case KEY_NEVER_BYTES:
        return refuse_key(column, "RisingWave cannot page through a binary key", fault);
    }
    return true;
}

bool types_map(const struct mysql_column *column, bool key, struct arena *arena,
               struct column_map *out_map, struct fault *fault)
{
    const struct row *row = find_row(column);
    struct column_map map = {.source = column, .key = key};

    if (sv_find_nocase(sv_from(column->extra), SV("virtual")) != SIZE_MAX) {
        return refuse_type(
            column,
            "a VIRTUAL generated column is not in MySQL's binary log; make it "
            "STORED or drop it",
            fault);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (sv_eq_nocase(sv_from(column->data_type), sv_from(refused[i].data_type))) {
            return refuse_type(column, refused[i].why, fault);
        }
    }
    if (row == NULL) {
        return refuse_type(column, "the type is unknown; change it to VARCHAR or drop it",
                           fault);
    }
    map.rw = row->rw;
    map.expr = row->expr;
    map.sr.kind = row->kind;
    if (!size_map(row, column, arena, &map, fault) ||
        (key && !apply_key(row, column, &map, fault))) {
        return false;
    }
    *out_map = map;
    return true;
}
