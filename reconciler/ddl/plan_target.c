/* The StarRocks table that exists against the one that is wanted. */
#include "ddl/plan_parts.h"

#include <string.h>

#define REPORT_BYTES_MAX ((size_t)900) /* leaves room for the sentence around it */

static const struct sr_column *find_column(const struct sr_table *table, struct sv name,
                                           bool any_case)
{
    for (size_t i = 0; i < table->columns.n; i++) {
        struct sv seen = sv_from(table->columns.v[i].name);
        if (any_case ? sv_eq_nocase(seen, name) : sv_eq(seen, name)) {
            return &table->columns.v[i];
        }
    }
    return NULL;
}

struct column_map plan_column(const struct planner *p, size_t index)
{
    struct column_map map = p->d->columns.v[index];
    const struct sr_type text = {.kind = SR_VARCHAR, .length = 20};

    if (map.expr == SINK_CAST_BIGINT && p->target != NULL) {
        const struct sr_column *seen =
            find_column(p->target, ident_name(p->d->sr_columns.v[index]), false);
        if (seen != NULL && sr_type_same(&text, sv_from(seen->type))) {
            map.expr = SINK_CAST_VARCHAR;
            map.sr = text;
        }
    }
    return map;
}

static void compare_column(const struct planner *p, size_t index, struct buf *out)
{
    struct sv name = ident_name(p->d->sr_columns.v[index]);
    struct column_map map = plan_column(p, index);
    const char *wanted = sr_type_catalog(&map.sr, p->arena);
    const struct sr_column *seen = find_column(p->target, name, false);

    if (seen == NULL) {
        seen = find_column(p->target, name, true);
        if (seen == NULL) {
            plan_report(out, "column '%.*s' is missing (%s needed)", SV_ARGS(name),
                        wanted);
        } else {
            plan_report(
                out,
                "column '%.*s' is spelled '%s', and RisingWave's sink minds the case",
                SV_ARGS(name), seen->name);
        }
        return;
    }
    if (!sr_type_holds(&map.sr, sv_from(seen->type))) {
        plan_report(out, "column '%.*s' is %s, %s needed", SV_ARGS(name), seen->type,
                    wanted);
    }
    if (!map.key && !seen->nullable) {
        plan_report(out, "column '%.*s' is NOT NULL, which a NULL on the way would break",
                    SV_ARGS(name));
    }
}

static bool is_wanted(const struct desired *d, const char *name)
{
    for (size_t i = 0; i < d->sr_columns.n; i++) {
        if (sv_eq_nocase(ident_name(d->sr_columns.v[i]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

/* As a set: the sink names its key columns one by one. */
static bool same_key(const struct desired *d, const struct strlist *seen)
{
    size_t found = 0;

    for (size_t i = 0; i < d->key_count; i++) {
        for (size_t k = 0; k < seen->n; k++) {
            found += sv_eq(ident_name(d->sr_columns.v[i]), sv_from(seen->v[k])) ? 1 : 0;
        }
    }
    return found == d->key_count && seen->n == d->key_count;
}

/* Differences that keep the sink from delivering into the table; empty: none. */
static void compare_target(const struct planner *p, struct buf *out)
{
    const struct sr_table *table = p->target;

    /* NULL: tables_config needs a live backend; not knowing is no difference. */
    if (table->model != NULL && strcmp(table->model, "PRIMARY_KEYS") != 0) {
        plan_report(out, "the table's model is %s, PRIMARY_KEYS needed", table->model);
    } else if (table->model != NULL && !same_key(p->d, &table->primary_key)) {
        plan_report(out, "its primary key is not (%s)", plan_key_names(p->d, p->arena));
    }
    for (size_t i = 0; i < p->d->columns.n; i++) {
        compare_column(p, i, out);
    }
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct sr_column *column = &table->columns.v[i];
        if (!is_wanted(p->d, column->name) && !column->nullable) {
            plan_report(out, "column '%s' is NOT NULL and nothing fills it",
                        column->name);
        }
    }
}

static bool check_unmarked(struct planner *p, const char *object, const char *differences,
                           struct fault *fault)
{
    bool compatible = differences[0] == '\0';

    /* create: Never says that somebody else makes the table: then it is meant to be used.
     */
    if (p->d->in.sync->target_create == CREATE_NEVER) {
        return compatible ||
               fault_set(fault, FAULT_REFUSED, "IncompatibleSchema",
                         "StarRocks table %s does not fit the MySQL table: %s; "
                         "alter or recreate it",
                         object, differences);
    }
    return fault_set(
        fault, FAULT_REFUSED, "AlreadyExists",
        "StarRocks table %s exists and was not created by this TableSync, so it "
        "is left alone; %s%s. Choose another spec.target.table, or drop the table",
        object, compatible ? "its columns would fit" : "it would not fit: ", differences);
}

static bool check_existing(struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    const char *object = plan_object(p->arena, p->d->target_database, p->d->target_table);
    struct mark mark;

    if (p->target->is_view) {
        return fault_set(fault, FAULT_REFUSED, "AlreadyExists",
                         "%s is a view in StarRocks; choose another spec.target.table",
                         object);
    }
    buf_init(&differences, REPORT_BYTES_MAX);
    compare_target(p, &differences);
    if (!mark_parse(p->target->comment, &mark)) {
        return check_unmarked(p, object, buf_z(&differences), fault);
    }
    if (!sv_eq(mark.uid, sv_from(p->d->in.sync->uid))) {
        return fault_set(
            fault, FAULT_REFUSED, "OwnedByAnother",
            "StarRocks table %s belongs to the TableSync with uid %.*s; choose "
            "another spec.target.table, or delete that TableSync and drop the table",
            object, SV_ARGS(mark.uid));
    }
    if (differences.n > 0) {
        return fault_set(
            fault, FAULT_REFUSED, "IncompatibleSchema",
            "StarRocks table %s no longer fits the MySQL table: %s; alter it, or "
            "delete and recreate the TableSync with a new target",
            object, buf_z(&differences));
    }
    return true;
}

/* Created empty under a living sink, the table would lack every row sent before. */
static bool check_missing(struct planner *p, struct fault *fault)
{
    const char *object = plan_object(p->arena, p->d->target_database, p->d->target_table);
    const struct tablesync *sync = p->d->in.sync;

    if (!p->sr->database_exists && sync->create_database != CREATE_IF_NOT_EXISTS) {
        struct sv database = ident_name(p->d->target_database);
        return fault_set(
            fault, FAULT_REFUSED, "DatabaseMissing",
            "StarRocks has no database %.*s that this account can see: run CREATE "
            "DATABASE `%.*s` and grant rights in it, or set "
            "spec.target.createDatabase to IfNotExists",
            SV_ARGS(database), SV_ARGS(database));
    }
    if (p->sink != NULL) {
        return fault_set(
            fault, FAULT_REFUSED, "TargetDrift",
            "StarRocks table %s is gone while sink %s still delivers into it; a new "
            "table would lack the rows sent before: restore it, or DROP SINK "
            "\"%s\".\"%s\" in RisingWave to have table and sink made anew",
            object, p->sink->name, p->d->in.rw->rw_schema, p->sink->name);
    }
    if (sync->target_create == CREATE_NEVER) {
        return fault_set(
            fault, FAULT_REFUSED, "CreateForbidden",
            "StarRocks table %s does not exist and spec.target.create is Never; "
            "create it, or set spec.target.create to IfNotExists",
            object);
    }
    if (p->sr->live_backends == 0) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "NoBackends",
            "StarRocks has no live backend, so table %s cannot be created; it is "
            "tried again once one is alive",
            object);
    }
    return true;
}

bool plan_check_target(struct planner *p, struct fault *fault)
{
    return p->target == NULL ? check_missing(p, fault) : check_existing(p, fault);
}
