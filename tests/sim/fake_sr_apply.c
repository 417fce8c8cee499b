/* Statements for StarRocks. Error texts: contract starrocks.md 1.3, 1.8, 5.5. */
#include "base/buf.h"
#include "db/classify.h"
#include "ddl/types.h"
#include "fake_sr_job.h"

bool fake_sr_refuse(struct fake_sr_job *j, const char *code, const char *why,
                    const char *what)
{
    const char *text = arena_printf(j->sql.arena, "%s: %s", why, what);
    struct db_verdict v = db_classify(DB_STARROCKS, code, sv_from(text));

    (void)fault_set(j->fault, v.class, v.reason, "%s", text);
    return fault_code(j->fault, "%s", code);
}

bool fake_sr_understood(struct fake_sr_job *j)
{
    if (sql_done(&j->sql)) {
        return true;
    }
    sim_violation(j->db->sim, "StarRocks cannot read: %s",
                  stmt_redacted(j->step->stmt, j->sql.arena));
    return fake_sr_refuse(j, "1064", "Getting syntax error near", j->sql.value);
}

/* The type up to NOT or NULL, as COLUMN_TYPE prints it: "decimal(10, 2)"; NULL: there is
 * no such type. */
static const char *read_type(struct fake_sr_job *j)
{
    AUTO(buf_deinit) struct buf text;
    struct sr_type type = {0};
    struct fault ignored = FAULT_INIT;

    buf_init(&text, 4096);
    buf_addz(&text, sql_take_any(&j->sql));
    if (sql_take(&j->sql, "(")) {
        buf_addz(&text, "(");
        buf_addz(&text, sql_take_any(&j->sql));
        while (sql_take(&j->sql, ",")) {
            buf_addf(&text, ",%s", sql_take_any(&j->sql));
        }
        sql_want(&j->sql, ")");
        buf_addz(&text, ")");
    }
    if (!sr_type_parse(buf_sv(&text), &type, &ignored)) {
        j->sql.broken = true;
        return "";
    }
    return sr_type_catalog(&type, j->db->sim->arena);
}

struct sr_column fake_sr_read_column(struct fake_sr_job *j)
{
    struct arena *arena = j->db->sim->arena;
    struct sr_column column = {.name = arena_strdup(arena, sql_want_name(&j->sql)),
                               .comment = ""};

    column.type = read_type(j);
    column.nullable = !sql_take(&j->sql, "NOT");
    sql_want(&j->sql, "NULL");
    if (sql_take(&j->sql, "DEFAULT")) {
        column.default_value = arena_strdup(arena, sql_want_text(&j->sql));
    }
    if (sql_take(&j->sql, "COMMENT")) {
        column.comment = arena_strdup(arena, sql_want_text(&j->sql));
    }
    return column;
}

static void read_columns(struct fake_sr_job *j, struct sr_table *table)
{
    sql_want(&j->sql, "(");
    while (!j->sql.broken) {
        VEC_PUSH(j->db->sim->arena, &table->columns, fake_sr_read_column(j));
        if (!sql_take(&j->sql, ",")) {
            break;
        }
    }
    sql_want(&j->sql, ")");
}

static void read_key(struct fake_sr_job *j, struct strlist *out_names)
{
    struct arena *arena = j->db->sim->arena;
    struct strlist names = {0};

    sql_want(&j->sql, "(");
    do {
        VEC_PUSH(arena, &names,
                 (const char *)arena_strdup(arena, sql_want_name(&j->sql)));
    } while (!j->sql.broken && sql_take(&j->sql, ","));
    sql_want(&j->sql, ")");
    *out_names = names;
}

/* The key must be the first columns, in order (starrocks.md 1.5). */
static bool check_key(struct fake_sr_job *j, struct sr_table *table)
{
    for (size_t i = 0; i < table->primary_key.n; i++) {
        if (i >= table->columns.n ||
            strcmp(table->columns.v[i].name, table->primary_key.v[i]) != 0) {
            return fake_sr_refuse(j, "1064", "Key columns must be the first few columns",
                                  table->name);
        }
        table->columns.v[i].key = true;
    }
    return true;
}

/* Without the property StarRocks wants three (starrocks.md 1.8). */
static bool check_replicas(struct fake_sr_job *j, const char *property)
{
    AUTO(buf_deinit) struct buf ids = {0};
    int64_t wanted = 3;

    (void)sv_int64(sv_from(property), &wanted);
    if (wanted <= j->sr->live_backends) {
        return true;
    }
    buf_init(&ids, 4096);
    for (int64_t i = 0; i < j->sr->live_backends; i++) {
        buf_addf(&ids, "%s%lld", i > 0 ? ", " : "", (long long)(10001 + i));
    }
    fault_set(
        j->fault, FAULT_REFUSED, "ReplicationImpossible",
        "Table replication num should be less than or equal to the number of available "
        "BE nodes. You can change this default by setting the replication_num table "
        "properties. Current alive backend is [%s]",
        buf_z(&ids));
    return fault_code(j->fault, "1064");
}

/* PARTITION BY (..), date_trunc('day', ..) or time_slice(.., INTERVAL 1 day). */
static void read_partition(struct fake_sr_job *j, struct strlist *out_columns)
{
    if (!sql_take(&j->sql, "PARTITION")) {
        return;
    }
    sql_want(&j->sql, "BY");
    while (!j->sql.broken && j->sql.token != SQL_END &&
           strcmp(j->sql.value, "DISTRIBUTED") != 0) {
        if (j->sql.token == SQL_NAME) {
            VEC_PUSH(j->db->sim->arena, out_columns,
                     (const char *)arena_strdup(j->db->sim->arena, j->sql.value));
        }
        (void)sql_take_any(&j->sql);
    }
}

static bool in_key(struct fake_sr_job *j, const struct strlist *names,
                   const struct sr_table *table, const char *why)
{
    for (size_t i = 0; i < names->n; i++) {
        bool found = false;

        for (size_t k = 0; k < table->primary_key.n; k++) {
            found = found || strcmp(table->primary_key.v[k], names->v[i]) == 0;
        }
        if (!found) {
            return fake_sr_refuse(j, "1064", why, names->v[i]);
        }
    }
    return true;
}

struct table_text { /* CREATE TABLE, read */
    const char *database;
    struct fake_sr_table *table;
    struct sql_options properties;
    struct strlist buckets, partition;
};

static void read_table(struct fake_sr_job *j, struct table_text *out)
{
    struct arena *arena = j->db->sim->arena;
    struct fake_sr_table *t = ARENA_NEW(arena, struct fake_sr_table);
    const char *name = NULL;

    sql_qualified(&j->sql, &out->database, &name);
    t->database = arena_strdup(arena, out->database);
    t->table =
        (struct sr_table){.name = arena_strdup(arena, name), .model = "PRIMARY_KEYS"};
    read_columns(j, &t->table);
    sql_want(&j->sql, "PRIMARY KEY");
    read_key(j, &t->table.primary_key);
    sql_want(&j->sql, "COMMENT");
    t->table.comment = arena_strdup(arena, sql_want_text(&j->sql));
    read_partition(j, &out->partition);
    sql_want(&j->sql, "DISTRIBUTED BY HASH");
    read_key(j, &out->buckets);
    if (sql_take(&j->sql, "BUCKETS")) {
        (void)sql_take_any(&j->sql);
    }
    if (sql_take(&j->sql, "PROPERTIES")) {
        sql_options(&j->sql, &out->properties);
    }
    out->table = t;
}

static bool create_table(struct fake_sr_job *j)
{
    struct table_text text = {0};

    read_table(j, &text);
    if (!fake_sr_understood(j)) {
        return false;
    }
    struct sr_table *table = &text.table->table;
    if (!fake_sr_has_database(j->sr, text.database)) {
        return fake_sr_refuse(j, "5501", "Unknown database", text.database);
    }
    if (fake_sr_find(j->sr, text.database, table->name) != NULL) {
        return fake_sr_refuse(j, "1050", "Table already exists", table->name);
    }
    if (!check_replicas(j, sql_option(&text.properties, "replication_num")) ||
        !check_key(j, table) ||
        !in_key(j, &text.buckets, table, "Distribution column is not key column") ||
        !in_key(j, &text.partition, table,
                "The partition expr columns must be primary key columns")) {
        return false;
    }
    VEC_PUSH(j->db->sim->arena, &j->sr->tables, text.table);
    j->sr->tables_made++;
    return true;
}

static bool create_database(struct fake_sr_job *j)
{
    const char *name = NULL;

    sql_want(&j->sql, "CREATE DATABASE IF NOT EXISTS");
    name = sql_want_name(&j->sql);
    if (!fake_sr_understood(j)) {
        return false;
    }
    if (!fake_sr_has_database(j->sr, name)) {
        VEC_PUSH(j->db->sim->arena, &j->sr->databases,
                 (const char *)arena_strdup(j->db->sim->arena, name));
    }
    return true;
}

static bool drop_table(struct fake_sr_job *j)
{
    const char *database = NULL, *name = NULL;
    struct fake_sr_table *t = NULL;

    sql_want(&j->sql, "DROP TABLE IF EXISTS");
    sql_qualified(&j->sql, &database, &name);
    if (!fake_sr_understood(j)) {
        return false;
    }
    t = fake_sr_find(j->sr, database, name);
    if (t != NULL) {
        fake_sr_remove(j->sr, t);
    }
    return true;
}

bool fake_sr_run(struct fake_sr_job *j)
{
    switch (j->step->kind) {
    case PLAN_CREATE_DATABASE:
        return create_database(j);
    case PLAN_CREATE_TARGET:
        sql_want(&j->sql, "CREATE TABLE");
        return create_table(j);
    case PLAN_ALTER_TARGET:
    case PLAN_DROP_TARGET_COLUMN:
    case PLAN_COMMENT_TARGET:
        sql_want(&j->sql, "ALTER TABLE");
        return fake_sr_alter_table(j);
    case PLAN_TRUNCATE_TARGET:
        sql_want(&j->sql, "TRUNCATE TABLE");
        return fake_sr_truncate(j);
    case PLAN_DELETE_GHOSTS:
        return fake_sr_delete(j);
    case PLAN_DROP_TARGET:
        return drop_table(j);
    case PLAN_CREATE_SCHEMA:
    case PLAN_CREATE_SOURCE:
    case PLAN_ALTER_SOURCE:
    case PLAN_RESET_SOURCE:
    case PLAN_CREATE_TABLE:
    case PLAN_COMMENT_TABLE:
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_ADD_COLUMN:
    case PLAN_DROP_COLUMN:
    case PLAN_DROP_SINK:
    case PLAN_DROP_TABLE:
    case PLAN_DROP_SOURCE:
    case PLAN_KIND_MAX:
        break;
    }
    sim_violation(j->db->sim, "StarRocks was sent: %s", j->step->sentence);
    return fake_sr_refuse(j, "1064", "not a statement of StarRocks", j->step->sentence);
}
