/* CREATE TABLE ... FROM and ALTER TABLE of CDC tables. Texts: lifecycle.jsonl, contract
 * risingwave.md 6.4. */
#include "fake_rw_job.h"

static void read_columns(struct fake_rw_job *j, struct fake_stream_object *o)
{
    struct arena *arena = j->db->sim->arena;

    sql_want(&j->sql, "(");
    while (!j->sql.broken && j->sql.token == SQL_NAME) {
        struct rw_column column = {.name = arena_strdup(arena, sql_want_name(&j->sql))};

        column.type = fake_rw_catalog_type(sql_take_any(&j->sql));
        j->sql.broken = j->sql.broken || column.type == NULL;
        sql_want(&j->sql, ",");
        VEC_PUSH(arena, &o->columns, column);
    }
    sql_want(&j->sql, "PRIMARY KEY (");
    while (!j->sql.broken) {
        const char *key = sql_want_name(&j->sql);

        for (VEC_EACH(struct rw_column, c, &o->columns)) {
            c->primary_key = c->primary_key || strcmp(c->name, key) == 0;
        }
        if (!sql_take(&j->sql, ",")) {
            break;
        }
    }
    sql_want(&j->sql, ") )");
}

static bool same_key(const struct fake_stream_object *draft,
                     const struct mysql_table *table)
{
    size_t keys = 0, found = 0;

    for (VEC_EACH(struct rw_column, c, &draft->columns)) {
        keys += c->primary_key ? 1 : 0;
        for (size_t i = 0; i < table->primary_key.n && c->primary_key; i++) {
            found += sv_eq_nocase(sv_from(c->name), sv_from(table->primary_key.v[i]));
        }
    }
    return keys == table->primary_key.n && found == keys;
}

/* CREATE TABLE looks at MySQL; ADD COLUMN does not (verified 3). */
static bool check_upstream(struct fake_rw_job *j, const struct fake_stream_object *draft,
                           const struct fake_upstream *up)
{
    if (up == NULL) {
        return fake_rw_refuse(j, "XX000", "MySQL table does not exist", draft->upstream);
    }
    for (VEC_EACH(struct rw_column, c, &draft->columns)) {
        bool found = false;

        for (VEC_EACH(struct mysql_column, m, &up->table.columns)) {
            found = found || sv_eq_nocase(sv_from(m->name), sv_from(c->name));
        }
        if (!found) {
            return fake_rw_refuse(j, "XX000", "not found in the upstream database",
                                  c->name);
        }
    }
    return same_key(draft, &up->table) ||
           fake_rw_refuse(j, "XX000", "Primary key mismatch", draft->upstream);
}

static void fill_table(struct fake_rw_job *j, struct fake_stream_object *o,
                       const struct fake_stream_object *draft,
                       const struct sql_options *with)
{
    const char *snapshot = sql_option(with, "snapshot");

    memcpy(&o->columns, &draft->columns, sizeof(o->columns));
    o->upstream = arena_strdup(j->db->sim->arena, draft->upstream);
    o->loaded_ms = j->db->sim->clock.now_ms + j->db->snapshot_ms;
    if (snapshot != NULL && strcmp(snapshot, "false") == 0) {
        o->no_snapshot = true;
        o->loaded_ms = j->db->sim->clock.now_ms;
    }
}

bool fake_rw_create_table(struct fake_rw_job *j)
{
    struct fake_stream_object draft = {0}, *source = NULL;
    const char *schema = NULL, *from = NULL;
    struct sql_options with = {0};

    if (!fake_rw_new_name(j)) {
        return false;
    }
    read_columns(j, &draft);
    if (sql_take(&j->sql, "WITH")) {
        sql_options(&j->sql, &with);
    }
    sql_want(&j->sql, "FROM");
    sql_qualified(&j->sql, &schema, &from);
    sql_want(&j->sql, "TABLE");
    draft.upstream = sql_want_text(&j->sql);
    if (!fake_rw_understood(j)) {
        return false;
    }
    source = fake_rw_find(j->rw, schema, from);
    if (source == NULL || source->kind != FAKE_SOURCE) {
        return fake_rw_refuse(j, "42704", "source not found", from);
    }
    struct fake_mysql *mysql = fake_db_mysql(j->db, source->hostname);
    if (mysql == NULL || mysql->down) {
        return fake_rw_refuse(j, "XX000", "failed to connect to MySQL", source->hostname);
    }
    if (!fake_db_accepts(mysql->password, source->password)) {
        return fake_rw_refuse(j, "XX000", "Access denied for user", source->username);
    }
    draft.uses = source->id;
    if (!check_upstream(j, &draft, fake_rw_upstream(j->rw, &draft))) {
        return false;
    }
    fill_table(j, fake_rw_add(j->db, j->rw, FAKE_TABLE, j->schema, j->name, source->id),
               &draft, &with);
    return true;
}

static struct rw_column *column_of(struct fake_stream_object *table, const char *name)
{
    for (VEC_EACH(struct rw_column, c, &table->columns)) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

/* Whether a sink or anything else that stands on the table needs the column. */
static bool is_read(const struct fake_rw *rw, const struct fake_stream_object *table,
                    const char *column)
{
    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];

        if (o->uses != table->id) {
            continue;
        }
        for (size_t k = 0; k < o->reads.n; k++) {
            if (strcmp(o->reads.v[k], column) == 0) {
                return true;
            }
        }
        if (o->kind != FAKE_SINK) {
            return true;
        }
    }
    return false;
}

static bool add_column(struct fake_rw_job *j, struct fake_stream_object *table,
                       const struct rw_column *column)
{
    if (column_of(table, column->name) != NULL) {
        return fake_rw_says(j, "XX000",
                            arena_printf(j->sql.arena,
                                         "Invalid input syntax: column \"%s\" of table "
                                         "\"%s\" already exists",
                                         column->name, table->name));
    }
    VEC_PUSH(j->db->sim->arena, &table->columns, *column);
    return true;
}

static bool drop_column(struct fake_rw_job *j, struct fake_stream_object *table,
                        const char *name)
{
    struct rw_column *column = column_of(table, name);

    if (column == NULL || column->primary_key) {
        return fake_rw_says(j, "XX000",
                            arena_printf(j->sql.arena,
                                         "Invalid input syntax: cannot drop column "
                                         "\"%s\" of table \"%s\"",
                                         name, table->name));
    }
    if (is_read(j->rw, table, name)) {
        return fake_rw_says(j, "XX000",
                            "Invalid Parameter Value: Invalid parameter: unable to drop "
                            "the column due to being referenced by downstream "
                            "materialized views or sinks");
    }
    for (; column + 1 < table->columns.v + table->columns.n; column++) {
        *column = column[1];
    }
    table->columns.n--;
    return true;
}

bool fake_rw_alter_table(struct fake_rw_job *j)
{
    struct rw_column column = {0};
    const char *dropped = NULL;

    sql_qualified(&j->sql, &j->schema, &j->name);
    if (sql_take(&j->sql, "ADD")) {
        sql_want(&j->sql, "COLUMN");
        column.name = arena_strdup(j->db->sim->arena, sql_want_name(&j->sql));
        column.type = fake_rw_catalog_type(sql_take_any(&j->sql));
        j->sql.broken = j->sql.broken || column.type == NULL;
    } else {
        sql_want(&j->sql, "DROP COLUMN");
        dropped = sql_want_name(&j->sql);
    }
    if (!fake_rw_understood(j)) {
        return false;
    }
    struct fake_stream_object *table = fake_rw_find(j->rw, j->schema, j->name);
    if (table == NULL || table->kind != FAKE_TABLE) {
        return fake_rw_refuse(j, "42704", "table not found", j->name);
    }
    return dropped == NULL ? add_column(j, table, &column)
                           : drop_column(j, table, dropped);
}
