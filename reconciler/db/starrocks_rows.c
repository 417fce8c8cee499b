#include "db/starrocks_rows.h"

#include "base/map.h"

#include <string.h>

int64_t starrocks_rows_alive(const struct rows *nodes)
{
    int64_t alive = 0;

    for (size_t i = 0; i < rows_count(nodes); i++) {
        alive += rows_bool(nodes, i, "Alive");
    }
    return alive;
}

bool starrocks_rows_database(const struct rows *databases, const char *name)
{
    for (size_t i = 0; i < rows_count(databases); i++) {
        if (sv_eq(sv_from(databases->data.v[i][0]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

/* The roles between GRANT and TO; a grant of privileges has an ON there and no quotes. */
static bool gives_root(struct sv line)
{
    size_t to = sv_find(line, SV(" TO "));
    struct sv roles = sv_sub(line, SV("GRANT ").n, to - SV("GRANT ").n);

    if (!sv_starts(line, SV("GRANT '")) || to == SIZE_MAX) {
        return false;
    }
    while (roles.n > 0) {
        if (sv_eq(sv_trim(sv_cut(&roles, ',')), SV("'root'"))) {
            return true;
        }
    }
    return false;
}

void starrocks_rows_grants(const struct rows *grants, struct arena *arena,
                           struct strlist *out_lines, bool *out_root_role)
{
    bool root = false;

    for (size_t i = 0; i < rows_count(grants); i++) {
        const char *line = rows_get(grants, i, "Grants");
        if (line != NULL) {
            VEC_PUSH(arena, out_lines, arena_strdup(arena, line));
            root = root || gives_root(sv_from(line));
        }
    }
    *out_root_role = root;
}

bool starrocks_rows_root(const struct rows *roles)
{
    struct sv rest = sv_from(rows_get(roles, 0, "CURRENT_ROLE()"));

    while (rest.n > 0) {
        if (sv_eq(sv_trim(sv_cut(&rest, ',')), SV("root"))) {
            return true;
        }
    }
    return false;
}

void starrocks_rows_tables(const struct rows *tables, struct arena *arena,
                           struct sr_catalog *catalog)
{
    for (size_t i = 0; i < rows_count(tables); i++) {
        const char *name = rows_get(tables, i, "TABLE_NAME");
        const char *type = rows_text(tables, i, "TABLE_TYPE");
        if (name == NULL) {
            continue;
        }
        VEC_PUSH(
            arena, &catalog->tables,
            (struct sr_table){
                .name = arena_strdup(arena, name),
                .is_view = !sv_eq_nocase(sv_from(type), SV("BASE TABLE")),
                .comment = arena_strdup(arena, rows_text(tables, i, "TABLE_COMMENT")),
            });
    }
}

/* Tables by name. Only while no table is added: the vector would move. */
static struct map *index_tables(struct sr_catalog *catalog)
{
    struct map *index = map_new(0);

    for (VEC_EACH(struct sr_table, table, &catalog->tables)) {
        (void)map_put(index, sv_from(table->name), table);
    }
    return index;
}

void starrocks_rows_columns(const struct rows *columns, struct arena *arena,
                            struct sr_catalog *catalog)
{
    AUTO(map_freep) struct map *index = index_tables(catalog);

    for (size_t i = 0; i < rows_count(columns); i++) {
        struct sr_table *table =
            map_find(index, sv_from(rows_get(columns, i, "TABLE_NAME")));
        const char *key = rows_text(columns, i, "COLUMN_KEY");
        if (table == NULL) {
            continue;
        }
        VEC_PUSH(
            arena, &table->columns,
            (struct sr_column){
                .name = arena_strdup(arena, rows_text(columns, i, "COLUMN_NAME")),
                .type = arena_strdup(arena, rows_text(columns, i, "COLUMN_TYPE")),
                .nullable = rows_bool(columns, i, "IS_NULLABLE"),
                .key = key[0] != '\0',
                .default_value =
                    arena_strdup(arena, rows_get(columns, i, "COLUMN_DEFAULT")),
                .comment = arena_strdup(arena, rows_text(columns, i, "COLUMN_COMMENT")),
            });
    }
}

void starrocks_rows_key(const char *text, struct arena *arena, struct strlist *out_names)
{
    const char *at = text;

    /* Names hold no back-quote (verified 26), so each one ends at the next. */
    while (at != NULL && (at = strchr(at, '`')) != NULL) {
        const char *end = strchr(at + 1, '`');
        if (end == NULL) {
            return;
        }
        struct sv name = {at + 1, (size_t)(end - at - 1)};
        VEC_PUSH(arena, out_names, arena_copy(arena, name));
        at = end + 1;
    }
}

void starrocks_rows_config(const struct rows *config, struct arena *arena,
                           struct sr_catalog *catalog)
{
    AUTO(map_freep) struct map *index = index_tables(catalog);

    for (size_t i = 0; i < rows_count(config); i++) {
        struct sr_table *table =
            map_find(index, sv_from(rows_get(config, i, "TABLE_NAME")));
        if (table == NULL) {
            continue;
        }
        table->model = arena_strdup(arena, rows_get(config, i, "TABLE_MODEL"));
        table->primary_key = (struct strlist){0};
        starrocks_rows_key(rows_get(config, i, "PRIMARY_KEY"), arena,
                           &table->primary_key);
    }
}

static bool is_running(const char *state)
{
    static const char *const running[] = {"PENDING", "WAITING_TXN", "RUNNING",
                                          "FINISHED_REWRITING"};

    for (size_t i = 0; i < COUNT_OF(running); i++) {
        if (sv_eq_nocase(sv_from(state), sv_from(running[i]))) {
            return true;
        }
    }
    return false;
}

/* The highest JobId of each table; a map holds pointers, so it is the row that says it.
 */
static void note_newest(struct map *newest, const struct rows *jobs, size_t row,
                        const char *table)
{
    size_t *known = map_find(newest, sv_from(table));

    if (known == NULL) {
        known = arena_alloc(jobs->arena, sizeof(*known));
        *known = row;
        (void)map_put(newest, sv_from(table), known);
    } else if (rows_int(jobs, row, "JobId", 0) > rows_int(jobs, *known, "JobId", 0)) {
        *known = row;
    }
}

void starrocks_rows_alters(const struct rows *jobs, const struct peer *peer,
                           struct arena *arena, struct sr_catalog *catalog)
{
    AUTO(map_freep) struct map *newest = map_new(0);
    AUTO(map_freep) struct map *index = index_tables(catalog);

    for (size_t i = 0; i < rows_count(jobs); i++) {
        const char *name = rows_text(jobs, i, "TableName");
        struct sr_table *table = map_find(index, sv_from(name));
        if (table != NULL) {
            table->altering = table->altering || is_running(rows_text(jobs, i, "State"));
            note_newest(newest, jobs, i, name);
        }
    }
    for (VEC_EACH(struct sr_table, table, &catalog->tables)) {
        const size_t *row = map_find(newest, sv_from(table->name));
        if (row != NULL &&
            sv_eq_nocase(sv_from(rows_get(jobs, *row, "State")), SV("CANCELLED"))) {
            const char *why = rows_text(jobs, *row, "Msg");
            table->alter_failed = why[0] == '\0' ? "cancelled, no reason given"
                                                 : peer_text(peer, sv_from(why), arena);
        }
    }
}

void starrocks_rows_show(const struct rows *columns, struct arena *arena,
                         struct sr_table *table)
{
    for (size_t i = 0; i < rows_count(columns); i++) {
        const char *name = arena_strdup(arena, rows_text(columns, i, "Field"));
        bool key = rows_bool(columns, i, "Key");
        VEC_PUSH(
            arena, &table->columns,
            (struct sr_column){
                .name = name,
                .type = arena_strdup(arena, rows_text(columns, i, "Type")),
                .nullable = rows_bool(columns, i, "Null"),
                .key = key,
                .default_value = arena_strdup(arena, rows_get(columns, i, "Default")),
                .comment = arena_strdup(arena, rows_text(columns, i, "Comment")),
            });
        if (key) {
            VEC_PUSH(arena, &table->primary_key, name);
        }
    }
}
