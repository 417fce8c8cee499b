/*
 * ALTER TABLE and TRUNCATE TABLE. Adding and dropping columns is done at once; what
 * changes a column is a job that takes a while, and until it ends nothing else may change
 * the table (contract starrocks.md 3.3-3.5, verified 31).
 */
#include "ddl/types.h"
#include "fake_sr_job.h"

struct altering {
    struct fake_sr_job *job;
    struct fake_sr_table *table;
    VEC(struct sr_column) columns; /* as they shall be */
    bool job_needed;
};

static bool refuse(const struct altering *a, const char *why, const char *what)
{
    return fake_sr_refuse(a->job, "1064", why, what);
}

static struct sr_column *column_of(struct altering *a, const char *name)
{
    for (VEC_EACH(struct sr_column, c, &a->columns)) {
        if (sv_eq_nocase(sv_from(c->name), sv_from(name))) {
            return c;
        }
    }
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && sv_eq(sv_from(a), sv_from(b));
}

static bool add(struct altering *a, const struct sr_column *column)
{
    const struct sr_column *old = column_of(a, column->name);

    if (old != NULL) {
        bool alike = same_text(old->type, column->type) &&
                     same_text(old->default_value, column->default_value) &&
                     same_text(old->comment, column->comment) &&
                     old->nullable == column->nullable;
        return refuse(a,
                      alike ? "Can not add column which already exists in base table"
                            : "Can not add column which already exists in column id",
                      column->name);
    }
    if (!column->nullable && column->default_value == NULL) {
        return refuse(a, "Field is not null but doesnt have a default value",
                      column->name);
    }
    VEC_PUSH(a->job->db->sim->arena, &a->columns, *column);
    return true;
}

static bool check_type(struct altering *a, const struct sr_column *old,
                       const struct sr_column *column)
{
    struct sr_type from = {0}, to = {0};

    if (!sr_type_of_catalog(sv_from(old->type), &from) ||
        !sr_type_of_catalog(sv_from(column->type), &to)) {
        return refuse(a, "Unsupported data type", column->type);
    }
    if (from.kind == SR_VARCHAR && to.kind == SR_VARCHAR && to.length < from.length) {
        return refuse(a, "Cannot shorten string length", column->name);
    }
    return sr_type_can_become(&from, &to) ||
           refuse(a, "Can not change ",
                  arena_printf(a->job->sql.arena, "%s to %s", old->type, column->type));
}

static bool modify(struct altering *a, const struct sr_column *column)
{
    struct sr_column *old = column_of(a, column->name);

    if (old == NULL) {
        return refuse(a, "Column does not exists", column->name);
    }
    if (old->key) {
        return refuse(a, "Can not modify key column", column->name);
    }
    if (!same_text(old->default_value, column->default_value)) {
        return refuse(a, "Can not change default value", column->name);
    }
    if (old->nullable && !column->nullable) {
        return refuse(a, "Can not change from nullable to non-nullable", column->name);
    }
    if (!check_type(a, old, column)) {
        return false;
    }
    a->job_needed = a->job_needed || !same_text(old->type, column->type) ||
                    !same_text(old->comment, column->comment) ||
                    old->nullable != column->nullable;
    old->type = column->type;
    old->comment = column->comment;
    old->nullable = column->nullable;
    return true;
}

static bool drop(struct altering *a, const char *name)
{
    struct sr_column *column = column_of(a, name);

    if (column == NULL) {
        return refuse(a, "Column does not exists", name);
    }
    if (column->key) {
        return refuse(a, "Can not drop key column in primary data model table", name);
    }
    for (; column + 1 < a->columns.v + a->columns.n; column++) {
        *column = column[1];
    }
    a->columns.n--;
    return true;
}

/* Of the clauses only those that this kind of step may hold. */
static bool clause(struct altering *a)
{
    struct fake_sr_job *j = a->job;
    bool drops = j->step->kind == PLAN_DROP_TARGET_COLUMN;

    if (drops) {
        sql_want(&j->sql, "DROP COLUMN");
        const char *name = sql_want_name(&j->sql);
        return j->sql.broken || drop(a, name);
    }
    bool adds = sql_take(&j->sql, "ADD");
    if (!adds) {
        sql_want(&j->sql, "MODIFY");
    }
    sql_want(&j->sql, "COLUMN");
    const struct sr_column column = fake_sr_read_column(j);
    return j->sql.broken || (adds ? add(a, &column) : modify(a, &column));
}

/* The table that a statement names; NULL with the fault. */
static struct fake_sr_table *free_table(struct fake_sr_job *j)
{
    const char *database = NULL, *name = NULL;

    sql_qualified(&j->sql, &database, &name);
    struct fake_sr_table *t = fake_sr_find(j->sr, database, name);
    if (t == NULL) {
        (void)fake_sr_refuse(j, "1064", "Table  is not found", name);
        return NULL;
    }
    if (fake_sr_altering(t)) {
        (void)fake_sr_refuse(j, "1064",
                             "A schema change operation is in progress on the table. "
                             "Please wait until the current operation completes",
                             name);
        return NULL;
    }
    return t;
}

static bool comment(struct fake_sr_job *j, struct fake_sr_table *t)
{
    sql_want(&j->sql, "COMMENT =");
    const char *text = sql_want_text(&j->sql);

    if (!fake_sr_understood(j)) {
        return false;
    }
    t->table.comment = arena_strdup(j->db->sim->arena, text);
    return true;
}

static void take_effect(struct altering *a)
{
    struct fake_sr_table *t = a->table;

    t->table.alter_failed = NULL;
    if (a->job_needed) {
        memcpy(&t->wanted, &a->columns, sizeof(t->wanted));
        t->altered_ms = a->job->db->sim->clock.now_ms + a->job->db->alter_ms;
    } else {
        memcpy(&t->table.columns, &a->columns, sizeof(t->table.columns));
    }
}

bool fake_sr_alter_table(struct fake_sr_job *j)
{
    struct altering a = {.job = j, .table = free_table(j)};

    if (a.table == NULL) {
        return false;
    }
    if (j->step->kind == PLAN_COMMENT_TARGET) {
        return comment(j, a.table);
    }
    for (VEC_EACH(struct sr_column, c, &a.table->table.columns)) {
        VEC_PUSH(j->db->sim->arena, &a.columns, *c);
    }
    do {
        if (!clause(&a)) {
            return false;
        }
    } while (!j->sql.broken && sql_take(&j->sql, ","));
    if (!fake_sr_understood(j)) {
        return false;
    }
    take_effect(&a);
    return true;
}

bool fake_sr_truncate(struct fake_sr_job *j)
{
    struct fake_sr_table *t = free_table(j);

    if (t == NULL || !fake_sr_understood(j)) {
        return false;
    }
    fake_rows_clear(&t->data);
    t->rows = 0;
    return true;
}

/* DELETE of rows by their only key column: each number behind WHERE is a key. */
bool fake_sr_delete(struct fake_sr_job *j)
{
    const char *database = NULL, *name = NULL;
    struct fake_sr_table *t = NULL;
    int64_t key = 0;

    sql_want(&j->sql, "DELETE FROM");
    sql_qualified(&j->sql, &database, &name);
    sql_want(&j->sql, "WHERE");
    t = fake_sr_find(j->sr, database, name);
    if (t == NULL) {
        return fake_sr_refuse(j, "5502", "Unknown table", name);
    }
    while (!j->sql.broken && j->sql.token != SQL_END) {
        if (sv_int64(sv_from(sql_take_any(&j->sql)), &key)) {
            fake_rows_put(&t->data, j->db->sim->arena, key, FAKE_NO_ROW);
        }
    }
    t->rows = t->data.count;
    return fake_sr_understood(j);
}
