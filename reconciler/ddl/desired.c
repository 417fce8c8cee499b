#include "ddl/desired.h"

#include "base/hash.h"

#include <string.h>

#define KEY_BYTES_MAX ((int64_t)128) /* BE primary_key_limit_size (starrocks.md 1.5) */
#define PROBLEMS_SHOWN 8
#define MARK_HASH_CHARS 12

static bool is_plain(char c, const char *more)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr(more, c) != NULL;
}

static bool refuse_upstream(const char *kind, const char *name, const char *what,
                            struct fault *fault)
{
    return fault_set(fault, FAULT_REFUSED, "UnsupportedName",
                     "MySQL %s name '%s' cannot be replicated: %s; rename the %s", kind,
                     name, what, kind);
}

/*
 * Seen on RisingWave 3.0.3 (verified 6): letters, digits, hyphen, underscore and dot
 * stream; a space, a dollar sign or other alphabets load the snapshot and then never a
 * change; a single quote crashes its frontend. The connector's topic names know no other
 * characters, so anything else is refused with them. The database's name ends at the
 * first dot.
 */
static bool check_upstream(const struct mysql_table *table, struct fault *fault)
{
    const struct {
        const char *kind, *name, *more;
    } names[] = {{"database", table->database, "_-"}, {"table", table->name, "_-."}};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        for (const char *c = names[i].name; *c != '\0'; c++) {
            if (is_plain(*c, names[i].more)) {
                continue;
            }
            return refuse_upstream(
                names[i].kind, names[i].name,
                *c == '\'' || *c == '"' || *c == '`'
                    ? "RisingWave's SQL cannot carry a quote in it, a single quote "
                      "crashes it"
                : *c == '.'
                    ? "RisingWave takes what stands before the first dot for the "
                      "database"
                    : "with any character but letters, digits, hyphen, underscore "
                      "and dot RisingWave loads the present rows and then never "
                      "receives a change",
                fault);
        }
    }
    return true;
}

static bool check_table(const struct mysql_table *table, struct fault *fault)
{
    if (strcmp(table->type, "BASE TABLE") != 0) {
        return fault_set(
            fault, FAULT_REFUSED, "NotABaseTable",
            "%s.%s is a %s; only base tables have a binary log: name a table",
            table->database, table->name, table->type);
    }
    if (table->primary_key.n == 0) {
        return fault_set(
            fault, FAULT_REFUSED, "NoPrimaryKey",
            "%s.%s has no primary key, and without one RisingWave cannot tell "
            "its rows apart: add one with ALTER TABLE ... ADD PRIMARY KEY",
            table->database, table->name);
    }
    return check_upstream(table, fault);
}

/* AUTO_INCREMENT past 2^63-1 says as much as the largest value there is. */
static bool map_column(const struct mysql_table *table, const struct mysql_column *column,
                       bool key, struct arena *arena, struct column_map *out_map,
                       struct fault *fault)
{
    struct mysql_column seen = *column;

    if (table->auto_increment == -1 &&
        sv_find_nocase(sv_from(column->extra), SV("auto_increment")) != SIZE_MAX) {
        seen.key_max = -1;
    }
    if (!types_map(&seen, key, arena, out_map, fault)) {
        return false;
    }
    out_map->source = column;
    return true;
}

/* The sink's primary_key option separates names by commas and trims them. */
static bool check_key_name(const struct mysql_column *column, struct fault *fault)
{
    struct sv name = sv_from(column->name);

    if (sv_trim(name).n != name.n) {
        return fault_set(
            fault, FAULT_REFUSED, "UnsupportedName",
            "key column name '%s' begins or ends with a blank, which RisingWave's "
            "primary_key option drops; rename it",
            column->name);
    }
    return true;
}

static bool add_column(struct desired *d, const struct mysql_column *column, bool key,
                       struct arena *arena, struct fault *fault)
{
    struct column_map map;
    const struct ident *rw, *sr;
    struct sv name = sv_from(column->name);

    if (!map_column(d->in.table, column, key, arena, &map, fault) ||
        !ident_parse(arena, name, SQL_RISINGWAVE, IDENT_COLUMN, &rw, fault) ||
        !ident_parse(arena, name, SQL_STARROCKS, IDENT_COLUMN, &sr, fault) ||
        (key && !check_key_name(column, fault))) {
        return false;
    }
    VEC_PUSH(arena, &d->columns, map);
    VEC_PUSH(arena, &d->rw_columns, rw);
    VEC_PUSH(arena, &d->sr_columns, sr);
    if (map.note != NULL) {
        VEC_PUSH(
            arena, &d->notes,
            (const char *)arena_printf(arena, "column '%s': %s", column->name, map.note));
    }
    return true;
}

/* Several bad columns are told at once: one reconcile, one ALTER, not one each. */
struct problems {
    struct buf text;
    size_t count;
    struct fault first;
};

static void problems_deinit(struct problems *problems)
{
    buf_deinit(&problems->text);
}

static void add_problem(struct problems *problems, const struct fault *fault)
{
    if (problems->count == 0) {
        problems->first = *fault;
    }
    if (problems->count < PROBLEMS_SHOWN) {
        buf_addf(&problems->text, "%s%s", problems->count > 0 ? "; " : "", fault->text);
    }
    problems->count++;
}

static bool is_key(const struct mysql_table *table, const struct mysql_column *column)
{
    for (size_t i = 0; i < table->primary_key.n; i++) {
        if (sv_eq_nocase(sv_from(table->primary_key.v[i]), sv_from(column->name))) {
            return true;
        }
    }
    return false;
}

static bool add_keys(struct desired *d, struct arena *arena, struct problems *problems,
                     struct fault *fault)
{
    const struct mysql_table *table = d->in.table;

    for (size_t i = 0; i < table->primary_key.n; i++) {
        const struct mysql_column *column =
            mysql_table_find(table, table->primary_key.v[i]);
        struct fault problem = FAULT_INIT;
        if (column == NULL) {
            return fault_set(
                fault, FAULT_BUG, NULL,
                "the schema of %s.%s names key column '%s' but has no such column",
                table->database, table->name, table->primary_key.v[i]);
        }
        if (!add_column(d, column, true, arena, &problem)) {
            add_problem(problems, &problem);
        }
    }
    d->key_count = d->columns.n;
    return true;
}

static bool add_columns(struct desired *d, struct arena *arena, struct fault *fault)
{
    const struct mysql_table *table = d->in.table;
    AUTO(problems_deinit) struct problems problems = {.first = FAULT_INIT};

    buf_init(&problems.text, PROBLEMS_SHOWN * sizeof(fault->text));
    if (!add_keys(d, arena, &problems, fault)) {
        return false;
    }
    for (size_t i = 0; i < table->columns.n; i++) {
        struct fault problem = FAULT_INIT;
        if (!is_key(table, &table->columns.v[i]) &&
            !add_column(d, &table->columns.v[i], false, arena, &problem)) {
            add_problem(&problems, &problem);
        }
    }
    if (problems.count == 0) {
        return true;
    }
    if (problems.count > PROBLEMS_SHOWN) {
        buf_addf(&problems.text, "; and %zu more", problems.count - PROBLEMS_SHOWN);
    }
    return fault_set(fault, FAULT_REFUSED, problems.first.reason, "%s.%s: %s",
                     table->database, table->name, buf_z(&problems.text));
}

static int64_t key_column_bytes(const struct column_map *map)
{
    switch (map->sr.kind) {
    case SR_BOOLEAN:
        return 1;
    case SR_SMALLINT:
        return 2;
    case SR_INT:
    case SR_DATE:
        return 4;
    case SR_BIGINT:
    case SR_DATETIME:
        return 8;
    case SR_VARCHAR:
        /* An ENUM's column is wider than its labels, whose length MySQL tells. */
        if (sv_eq_nocase(sv_from(map->source->data_type), SV("enum")) &&
            map->source->char_max_length >= 0) {
            return 4 * map->source->char_max_length;
        }
        return map->sr.length;
    case SR_DECIMAL:
    case SR_FLOAT:
    case SR_DOUBLE:
    case SR_JSON:
    case SR_UNSET:
    case SR_KIND_MAX:
        break;
    }
    return 0;
}

static void note_key(struct desired *d, struct arena *arena)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < d->key_count; i++) {
        const struct column_map *map = &d->columns.v[i];
        bool last = i + 1 == d->key_count;
        bytes += key_column_bytes(map) + (map->sr.kind == SR_VARCHAR && !last ? 2 : 0);
        for (const char *c = map->source->name; *c != '\0'; c++) {
            if (!is_plain(*c, "_")) {
                VEC_PUSH(
                    arena, &d->notes,
                    (const char *)arena_printf(
                        arena,
                        "key column '%s': with other characters than letters, digits and "
                        "underscore it is not proven that RisingWave can page through "
                        "more than one batch of rows",
                        map->source->name));
                break;
            }
        }
    }
    if (bytes > KEY_BYTES_MAX) {
        VEC_PUSH(
            arena, &d->notes,
            (const char *)arena_printf(
                arena,
                "primary key: StarRocks stores at most %lld bytes of key per row, and "
                "these columns may take %lld; a longer key stops the sink",
                (long long)KEY_BYTES_MAX, (long long)bytes));
    }
}

static bool is_ascii(struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Table and columns travel in HTTP headers; nobody has seen others than ASCII arrive in
 * real backends (starrocks.md 7.3: refuse or warn). */
static void note_names(struct desired *d, struct arena *arena)
{
    static const char unproven[] =
        "a name outside ASCII is not proven in StarRocks' loads; "
        "watch the first rows arrive";

    if (!is_ascii(ident_name(d->target_table))) {
        VEC_PUSH(arena, &d->notes,
                 (const char *)arena_printf(arena, "target table: %s", unproven));
    }
    for (size_t i = 0; i < d->columns.n; i++) {
        if (!is_ascii(ident_name(d->sr_columns.v[i]))) {
            VEC_PUSH(arena, &d->notes,
                     (const char *)arena_printf(arena, "column '%s': %s",
                                                d->columns.v[i].source->name, unproven));
        }
    }
}

static void make_mark(struct desired *d, struct arena *arena)
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    hash_addz(h, d->in.table->database);
    hash_addz(h, d->in.table->name);
    hash_add(h, ident_name(d->target_database));
    hash_add(h, ident_name(d->target_table));
    hash_add_int(h, (int64_t)d->key_count);
    for (size_t i = 0; i < d->columns.n; i++) {
        const struct column_map *map = &d->columns.v[i];
        hash_add(h, ident_name(d->sr_columns.v[i]));
        hash_addz(h, rw_type_name(map->rw));
        hash_add_int(h, map->expr);
        hash_addz(h, sr_type_catalog(&map->sr, arena));
    }
    hash_finish(h, hex);
    d->hash = arena_printf(arena, "%.*s", MARK_HASH_CHARS, hex);
    d->mark =
        arena_printf(arena, "tablesync:v1 uid=%s hash=%s", d->in.sync->uid, d->hash);
}

static bool name_streams(struct desired *d, struct arena *arena, struct fault *fault)
{
    const struct tablesync *sync = d->in.sync;
    const char *identity = mysql_identity(d->in.server, d->in.source, arena);
    char *source =
        name_source(arena, d->in.source->namespace, identity, d->in.table->database);
    /* From the spec's spelling, so that deletion finds the same names without MySQL. */
    char *table = name_table(arena, sync->uid, sync->source_database, sync->source_table);
    int64_t version = d->in.sink_version < 1 ? 1 : d->in.sink_version;

    d->sink_prefix =
        name_sink_prefix(arena, sync->uid, sync->source_database, sync->source_table);
    char *sink = arena_printf(arena, "%s%lld", d->sink_prefix, (long long)version);
    return ident_parse(arena, sv_from(d->in.rw->rw_schema), SQL_RISINGWAVE, IDENT_SCHEMA,
                       &d->rw_schema, fault) &&
           ident_parse(arena, sv_from(source), SQL_RISINGWAVE, IDENT_TABLE,
                       &d->source_name, fault) &&
           ident_parse(arena, sv_from(table), SQL_RISINGWAVE, IDENT_TABLE, &d->table_name,
                       fault) &&
           ident_parse(arena, sv_from(sink), SQL_RISINGWAVE, IDENT_TABLE, &d->sink_name,
                       fault);
}

/* RisingWave asks StarRocks for the table by "name" in double quotes, unescaped, and
 * sends it as an HTTP header (starrocks.md 6.1). */
static bool name_target(struct desired *d, struct arena *arena, struct fault *fault)
{
    const struct tablesync *sync = d->in.sync;
    const char *table =
        sync->target_table != NULL ? sync->target_table : sync->source_table;

    if (strpbrk(table, "\"\\") != NULL) {
        return fault_set(
            fault, FAULT_REFUSED, "UnsupportedName",
            "target table name '%s' cannot be used: RisingWave's sink does not "
            "escape double quotes and backslashes; set spec.target.table",
            table);
    }
    return ident_parse(arena, sv_from(sync->target_database), SQL_STARROCKS,
                       IDENT_DATABASE, &d->target_database, fault) &&
           ident_parse(arena, sv_from(table), SQL_STARROCKS, IDENT_TABLE,
                       &d->target_table, fault);
}

bool desired_build(const struct desired_input *input, struct arena *arena,
                   struct desired *out_desired, struct fault *fault)
{
    struct desired d = {.in = *input};

    if (!check_table(input->table, fault) || !name_target(&d, arena, fault) ||
        !name_streams(&d, arena, fault) || !add_columns(&d, arena, fault)) {
        return false;
    }
    note_key(&d, arena);
    note_names(&d, arena);
    make_mark(&d, arena);
    *out_desired = d;
    return true;
}
