/* What becomes of the target table: created, used, adopted, emptied, made anew, or left
 * alone with the reason why. */
#include "ddl/plan_parts.h"

#include <string.h>

static const char *target_path(const struct planner *p)
{
    return plan_object(p->arena, p->d.target_database, p->d.target_table);
}

static bool is_wanted(const struct planner *p, const char *name)
{
    for (size_t i = 0; i < p->d.sr_columns.n; i++) {
        if (sv_eq_nocase(ident_name(p->d.sr_columns.v[i]), sv_from(name))) {
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

static void compare_column(const struct planner *p, size_t index, struct buf *out)
{
    struct sv name = ident_name(p->d.sr_columns.v[index]);
    const struct column_map *map = &p->d.columns.v[index];
    const char *wanted = sr_type_catalog(&map->sr, p->arena);
    const struct sr_column *seen = plan_sr_column(p->target, name);

    if (seen == NULL) {
        plan_report(out, "column '%.*s' is missing (%s needed)", SV_ARGS(name), wanted);
        return;
    }
    if (!sv_eq(sv_from(seen->name), name)) {
        plan_report(out,
                    "column '%.*s' is spelled '%s', and RisingWave's sink minds the case",
                    SV_ARGS(name), seen->name);
        return;
    }
    if (!sr_type_holds(&map->sr, sv_from(seen->type))) {
        plan_report(out, "column '%.*s' is %s, %s needed", SV_ARGS(name), seen->type,
                    wanted);
    }
    if (!map->key && !seen->nullable) {
        plan_report(out, "column '%.*s' is NOT NULL, which a NULL on the way would break",
                    SV_ARGS(name));
    }
}

void plan_compare_shape(const struct planner *p, struct buf *out)
{
    const struct sr_table *table = p->target;

    /* NULL: tables_config needs a live backend; not knowing is no difference. */
    if (table->model != NULL && strcmp(table->model, "PRIMARY_KEYS") != 0) {
        plan_report(out, "the table's model is %s, PRIMARY_KEYS needed", table->model);
    } else if (table->model != NULL && !same_key(&p->d, &table->primary_key)) {
        plan_report(out, "its primary key is not (%s)", plan_key_names(&p->d, p->arena));
    }
    for (size_t i = 0; i < table->columns.n; i++) {
        const struct sr_column *column = &table->columns.v[i];
        if (!is_wanted(p, column->name) && !column->nullable &&
            column->default_value == NULL) {
            plan_report(out, "column '%s' is NOT NULL and nothing fills it",
                        column->name);
        }
    }
}

void plan_compare_target(const struct planner *p, struct buf *out)
{
    plan_compare_shape(p, out);
    for (size_t i = 0; i < p->d.columns.n; i++) {
        compare_column(p, i, out);
    }
}

static bool refuse_existing(const struct planner *p, const char *differences,
                            struct fault *fault)
{
    bool compatible = differences[0] == '\0';

    return fault_set(
        fault, FAULT_REFUSED, "AlreadyExists",
        "StarRocks table %s exists and was not created by this TableSync, so it is left "
        "alone; %s%s. Choose another spec.target.table, drop the table, or set "
        "spec.target.existing to %sRecreate",
        target_path(p),
        compatible ? "its columns would fit" : "it would not fit: ", differences,
        compatible ? "Adopt, Truncate or " : "");
}

/* An unmarked table, or one whose owner the adopt annotation names. */
static bool take_over(struct planner *p, bool annotated, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};
    enum existing_policy existing =
        p->d.in.first_target ? p->d.in.sync->existing : EXISTING_FAIL;

    if (annotated && existing == EXISTING_FAIL) {
        existing = EXISTING_ADOPT; /* the annotation alone says as much */
    }

    buf_init(&differences, PLAN_REPORT_BYTES_MAX);
    plan_compare_target(p, &differences);
    if (existing == EXISTING_RECREATE) {
        p->fate = TARGET_RECREATE;
        return true;
    }
    if (existing == EXISTING_FAIL) {
        return refuse_existing(p, buf_z(&differences), fault);
    }
    if (differences.n > 0) {
        return fault_set(
            fault, FAULT_REFUSED, "IncompatibleSchema",
            "StarRocks table %s does not fit the MySQL table, so it cannot be used "
            "as spec.target.existing asks: %s; alter it, or set spec.target.existing to "
            "Recreate",
            target_path(p), buf_z(&differences));
    }
    p->adopts = true;
    p->fate = existing == EXISTING_ADOPT ? TARGET_MARK : TARGET_TRUNCATE;
    return true;
}

/* create: Never says that somebody else makes the table: then it is meant to be used. */
static bool use_given(const struct planner *p, struct fault *fault)
{
    AUTO(buf_deinit) struct buf differences = {0};

    buf_init(&differences, PLAN_REPORT_BYTES_MAX);
    plan_compare_target(p, &differences);
    return differences.n == 0 ||
           fault_set(fault, FAULT_REFUSED, "IncompatibleSchema",
                     "StarRocks table %s does not fit the MySQL table: %s; "
                     "alter or recreate it",
                     target_path(p), buf_z(&differences));
}

static bool foreign(struct planner *p, const struct mark *mark, struct fault *fault)
{
    const struct tablesync *sync = p->d.in.sync;
    struct sv owner = sv_from(sync->annotation_adopt);

    if (mark != NULL) {
        if (!sv_eq(owner, mark->uid)) {
            return fault_set(
                fault, FAULT_REFUSED, "OwnedByAnother",
                "StarRocks table %s belongs to the TableSync with uid %.*s; choose "
                "another spec.target.table, delete that TableSync and drop the table, or "
                "take it over with the annotation tablesync.dev/adopt=%.*s",
                target_path(p), SV_ARGS(mark->uid), SV_ARGS(mark->uid));
        }
        return take_over(p, true, fault);
    }
    if (sync->target_create == CREATE_NEVER && sync->existing == EXISTING_FAIL) {
        return use_given(p, fault);
    }
    return take_over(p, sv_eq(owner, SV("unowned")), fault);
}

static bool existing_target(struct planner *p, struct fault *fault)
{
    struct mark mark;
    bool marked = mark_parse(p->target->comment, &mark);

    if (p->target->is_view) {
        return fault_set(fault, FAULT_REFUSED, "AlreadyExists",
                         "%s is a view in StarRocks; choose another spec.target.table",
                         target_path(p));
    }
    if (!marked || !sv_eq(mark.uid, sv_from(p->d.in.sync->uid))) {
        return foreign(p, marked ? &mark : NULL, fault);
    }
    p->adopts = mark.adopted;
    if (plan_clears_target(p)) {
        p->fate = p->d.in.resync == RESYNC_RECREATE ? TARGET_RECREATE : TARGET_TRUNCATE;
    }
    return true; /* plan_widen() has compared it */
}

static bool check_database(const struct planner *p, struct fault *fault)
{
    struct sv database = ident_name(p->d.target_database);

    return p->sr->database_exists ||
           p->d.in.sync->create_database == CREATE_IF_NOT_EXISTS ||
           fault_set(fault, FAULT_REFUSED, "DatabaseMissing",
                     "StarRocks has no database %.*s that this account can see: run "
                     "CREATE DATABASE `%.*s` and grant rights in it, or set "
                     "spec.target.createDatabase to IfNotExists",
                     SV_ARGS(database), SV_ARGS(database));
}

/* Created empty under a living sink, the table would lack every row sent before. */
static bool missing_target(struct planner *p, struct fault *fault)
{
    bool remakes = p->d.in.resync == RESYNC_RECREATE && plan_clears_target(p);

    if (!check_database(p, fault)) {
        return false;
    }
    if (p->sinks.n > 0 && !remakes) {
        return fault_set(
            fault, FAULT_REFUSED, "TargetDrift",
            "StarRocks table %s is gone while sink %s still delivers into it; a new "
            "table would lack the rows sent before: restore it, or set a new "
            "spec.resyncToken with spec.resyncMode Recreate",
            target_path(p), p->sinks.v[0]->name);
    }
    if (p->d.in.sync->target_create == CREATE_NEVER) {
        return fault_set(
            fault, FAULT_REFUSED, "CreateForbidden",
            "StarRocks table %s does not exist and spec.target.create is Never; "
            "create it, or set spec.target.create to IfNotExists",
            target_path(p));
    }
    if (p->sr->live_backends == 0) {
        return fault_set(
            fault, FAULT_UNAVAILABLE, "NoBackends",
            "StarRocks has no live backend, so table %s cannot be created; it is "
            "tried again once one is alive",
            target_path(p));
    }
    p->fate = TARGET_CREATE;
    return true;
}

bool plan_target(struct planner *p, struct fault *fault)
{
    return p->target == NULL ? missing_target(p, fault) : existing_target(p, fault);
}
