#include "column.h"

#include "fuzz.h"
#include "relex.h"

#include <string.h>

void fuzz_column(struct sv *rest, struct arena *arena, struct fuzz_column *out_column)
{
    struct fuzz_column made = {.column = {.name = "c", .ordinal = 1, .comment = ""}};
    struct mysql_column *column = &made.column;
    struct sv flags = fuzz_line(rest);

    made.flavor = sv_contains(flags, SV("m")) ? MYSQL_MARIADB : MYSQL_ORACLE;
    column->nullable = sv_contains(flags, SV("n"));
    made.empty_default = sv_contains(flags, SV("e"));
    column->key = sv_contains(flags, SV("p")) ? "PRI" : "";
    made.version = fuzz_text_or_null(arena, fuzz_line(rest));
    column->extra = fuzz_text(arena, fuzz_line(rest));
    column->charset = fuzz_text_or_null(arena, fuzz_line(rest));
    struct sv numbers = fuzz_line(rest);
    column->char_max_length = fuzz_number(&numbers, -1);
    column->numeric_precision = fuzz_number(&numbers, -1);
    column->numeric_scale = fuzz_number(&numbers, -1);
    column->datetime_precision = fuzz_number(&numbers, -1);
    column->key_max = fuzz_number(&numbers, 0);
    column->data_type = fuzz_text_or_null(arena, fuzz_line(rest));
    *out_column = made;
}

void fuzz_column_typed(struct fuzz_column *column, struct sv column_type,
                       struct arena *arena)
{
    size_t n = 0;

    column->column.column_type = fuzz_text(arena, column_type);
    if (column->column.data_type != NULL) {
        return;
    }
    char *word = fuzz_text(arena, column_type);
    while (((word[n] | 0x20) >= 'a' && (word[n] | 0x20) <= 'z') ||
           (n > 0 && word[n] >= '0' && word[n] <= '9')) {
        word[n] = (char)(word[n] | 0x20);
        n++;
    }
    column->column.data_type = fuzz_text(arena, (struct sv){word, n});
}

void fuzz_column_default(struct fuzz_column *column, struct sv text, struct arena *arena)
{
    column->column.default_value =
        column->empty_default ? fuzz_text(arena, text) : fuzz_text_or_null(arena, text);
}

bool fuzz_sink_takes(enum rw_type type, struct sv column_type, bool from_3_1)
{
    static const struct {
        enum rw_type type;
        const char *word;
        bool from_3_1;
    } words[] = {
        {RW_BOOLEAN, "tinyint", false},     {RW_BOOLEAN, "boolean", false},
        {RW_SMALLINT, "smallint", false},   {RW_INTEGER, "int", false},
        {RW_BIGINT, "bigint", false},       {RW_REAL, "float", false},
        {RW_DOUBLE, "double", false},       {RW_DECIMAL, "decimal", false},
        {RW_VARCHAR, "varchar", false},     {RW_DATE, "date", false},
        {RW_TIMESTAMP, "datetime", false},  {RW_JSONB, "json", false},
        {RW_TIMESTAMPTZ, "datetime", true}, {RW_TIMESTAMPTZ, "char", true},
        {RW_TIMESTAMPTZ, "string", true},
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (words[i].type == type && (from_3_1 || !words[i].from_3_1) &&
            sv_contains(column_type, sv_from(words[i].word))) {
            return true;
        }
    }
    return false;
}

/* The exhaustive list of StarRocks (starrocks.md 1.4). */
static bool may_be_key(enum sr_kind kind)
{
    return kind == SR_BOOLEAN || kind == SR_TINYINT || kind == SR_SMALLINT ||
           kind == SR_INT || kind == SR_BIGINT || kind == SR_LARGEINT ||
           kind == SR_VARCHAR || kind == SR_DATE || kind == SR_DATETIME;
}

static enum rw_type delivered(enum rw_type type, enum sink_expr expr)
{
    switch (expr) {
    case SINK_PASS:
        return type;
    case SINK_CAST_BIGINT:
        return RW_BIGINT;
    case SINK_CAST_VARCHAR:
    case SINK_HEX:
        return RW_VARCHAR;
    case SINK_CAST_JSONB:
        return RW_JSONB;
    case SINK_AT_UTC:
        return RW_TIMESTAMP;
    case SINK_CUSTOM:
    case SINK_EXPR_MAX:
        break;
    }
    return RW_UNSET;
}

static struct sv rendered(struct stmt *s, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text = {0};
    struct fault fault = FAULT_INIT;

    fuzz_require(stmt_check(s, &fault), "%s", fault.text);
    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(s, &text);
    return sv_from(buf_take(&text, arena));
}

void fuzz_sr_same(const struct sr_type *a, const struct sr_type *b, const char *where)
{
    fuzz_require(a->kind == b->kind && a->length == b->length &&
                     a->precision == b->precision && a->scale == b->scale,
                 "%s: kind %d (%lld) (%lld, %lld), kind %d (%lld) (%lld, %lld)", where,
                 (int)a->kind, (long long)a->length, (long long)a->precision,
                 (long long)a->scale, (int)b->kind, (long long)b->length,
                 (long long)b->precision, (long long)b->scale);
}

void fuzz_sr_sound(const struct sr_type *type, int64_t digits_max, struct arena *arena)
{
    struct stmt *s = stmt_new(arena, SQL_STARROCKS);
    struct sr_type again = {0};
    struct fault fault = FAULT_INIT;
    struct sv catalog = sv_from(sr_type_catalog(type, arena));

    fuzz_require(type->kind > SR_UNSET && type->kind < SR_KIND_MAX, "%d",
                 (int)type->kind);
    if (type->kind == SR_VARCHAR) {
        fuzz_require(type->length >= 1 && type->length <= 1048576, "varchar(%lld)",
                     (long long)type->length);
    }
    if (type->kind == SR_DECIMAL) {
        fuzz_require(type->precision >= 1 && type->precision <= digits_max &&
                         type->scale >= 0 && type->scale <= type->precision,
                     "decimal(%lld, %lld)", (long long)type->precision,
                     (long long)type->scale);
    }
    types_stmt_sr(s, type);
    struct sv written = rendered(s, arena);
    fuzz_require(sr_type_parse(written, &again, &fault), "%s", fault.text);
    fuzz_sr_same(type, &again, "CREATE TABLE");
    fuzz_require(sr_type_of_catalog(catalog, &again), "%.*s", SV_ARGS(catalog));
    fuzz_sr_same(type, &again, "catalog");
    fuzz_require(sr_type_same(type, catalog) && sr_type_holds(type, catalog), "%.*s",
                 SV_ARGS(catalog));
    fuzz_require(sr_type_same(type, written), "%.*s", SV_ARGS(written));
    fuzz_require(sr_type_can_become(type, type), "%.*s", SV_ARGS(written));
}

static void check_rw(enum rw_type type, struct arena *arena)
{
    struct stmt *s = stmt_new(arena, SQL_RISINGWAVE);

    fuzz_require(type > RW_UNSET && type < RW_TYPE_MAX, "%d", (int)type);
    types_stmt_rw(s, type);
    struct sv written = rendered(s, arena);
    fuzz_require(sv_eq(written, sv_from(rw_type_name(type))), "%.*s", SV_ARGS(written));
    struct relex lexer = {SQL_RISINGWAVE, written, arena};
    relex_expect(&lexer, RELEX_WORD, written);
    relex_expect(&lexer, RELEX_END, SV_NULL);
    fuzz_require(rw_type_of_catalog(sv_from(rw_type_catalog(type))) == type, "%s",
                 rw_type_catalog(type));
}

static void check_extras(const struct column_map *map, struct arena *arena)
{
    fuzz_require(map->loss < LOSS_KIND_MAX, "%d", (int)map->loss);
    fuzz_require(map->loss != LOSS_LENGTH || map->loss_limit >= 0, "%lld",
                 (long long)map->loss_limit);
    fuzz_require(map->note == NULL || map->note[0] != '\0', "an empty note");
    /* Any date may hold a zero date; the rows are counted, not each column told of. */
    fuzz_require(map->loss == LOSS_NONE || map->loss == LOSS_ZERO_DATE ||
                     map->note != NULL,
                 "a loss that is not told");
    if (map->default_value != NULL) {
        struct stmt *s = stmt_new(arena, SQL_STARROCKS);
        stmt_str(s, sv_from(map->default_value));
        struct relex lexer = {SQL_STARROCKS, rendered(s, arena), arena};
        relex_expect(&lexer, RELEX_STRING, sv_from(map->default_value));
        relex_expect(&lexer, RELEX_END, SV_NULL);
    }
}

void fuzz_map_sound(const struct column_map *map, const struct types_options *options,
                    struct arena *arena)
{
    const char *catalog = sr_type_catalog(&map->sr, arena);
    const char *refusal =
        types_sink_refusal(map->delivered, sv_from(catalog), options->rw_version);

    check_rw(map->rw, arena);
    /* DECIMAL256 came with StarRocks 4.0; MySQL has 65 digits. */
    fuzz_sr_sound(&map->sr, options->starrocks_version == NULL ? 65 : 38, arena);
    fuzz_require(map->custom == NULL && map->delivered == delivered(map->rw, map->expr),
                 "expression %d makes %d of %d", (int)map->expr, (int)map->delivered,
                 (int)map->rw);
    fuzz_require(refusal == NULL &&
                     fuzz_sink_takes(map->delivered, sv_from(catalog), false),
                 "RisingWave refuses %d into %s: %s", (int)map->delivered, catalog,
                 refusal == NULL ? "by contract" : refusal);
    fuzz_require(!map->key || may_be_key(map->sr.kind), "a key of type %s", catalog);
    check_extras(map, arena);
}
