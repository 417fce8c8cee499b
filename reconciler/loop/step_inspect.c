/*
 * What the pipeline changes without a word (times out of range, more digits than
 * RisingWave keeps, zero dates: verified 4-6) is said before it happens: MySQL is asked
 * how many rows hold such values, once for each definition of the table and of the spec.
 */
#include "loop/steps.h"
#include "loop/watch.h"

#define LOSS_ROWS_MAX 200000
#define COLUMNS_TOLD_MAX 8

struct risks {
    VEC(const struct column_map *) columns;
    struct strlist names;
};

struct losses {
    bool complete;  /* all rows were looked at */
    bool timed_out; /* MySQL did not count in time */
    int64_t rows;   /* that were looked at */
    int64_t affected;
    const char *told; /* "...; ...": what was found, by column */
};

static const struct kube_condition *before(const struct attempt *a)
{
    return kube_conditions_find(&a->conditions_before,
                                condition_type(CONDITION_DATA_LOSS));
}

static bool is_answered(const struct attempt *a)
{
    const struct kube_condition *c = before(a);

    return c != NULL && strcmp(c->reason, "NotChecked") != 0 &&
           strcmp(c->reason, "RefusedByPolicy") != 0 &&
           c->observed_generation == a->sync.generation &&
           sv_eq(sv_from(a->before.source.schema_hash),
                 sv_from(a->status.source.schema_hash)) &&
           strcmp(a->trigger, "Manual") != 0;
}

static struct risks find_risks(struct attempt *a)
{
    struct risks risks = {0};

    for (VEC_EACH(struct column_map, map, &a->desired.columns)) {
        if (map->loss != LOSS_NONE && map->source != NULL) {
            VEC_PUSH(a->arena, &risks.columns, map);
            VEC_PUSH(a->arena, &risks.names, map->source->name);
        }
    }
    return risks;
}

/* A BIGINT UNSIGNED key that is a BIGINT in StarRocks as long as its values fit; the
 * planner refuses once they do not. */
static const char *key_remark(struct attempt *a)
{
    const char *remark = "";

    for (VEC_EACH(struct column_map, map, &a->desired.columns)) {
        if (map->key && map->source != NULL && map->sr.kind == SR_BIGINT &&
            sv_eq(sv_from(map->source->data_type), SV("bigint")) &&
            sv_find_nocase(sv_from(map->source->column_type), SV("unsigned")) !=
                SIZE_MAX) {
            remark = arena_printf(
                a->arena,
                "%s; key column '%s' (%s) is a BIGINT in StarRocks: its largest value "
                "now is %lld, and every look checks that it stays below 2^63",
                remark, map->source->name, map->source->column_type,
                (long long)map->source->key_max);
        }
    }
    return remark;
}

static void sum_up(struct attempt *a, const struct risks *risks, const int64_t *counts,
                   struct losses *out)
{
    size_t told = 0, more = 0;

    out->told = "";
    out->rows = counts[risks->columns.n];
    out->timed_out = out->rows < 0;
    for (size_t i = 0; i < risks->columns.n; i++) {
        out->timed_out = out->timed_out || counts[i] < 0;
        if (counts[i] <= 0) {
            continue;
        }
        out->affected += counts[i];
        if (told == COLUMNS_TOLD_MAX) {
            more++;
            continue;
        }
        out->told =
            arena_printf(a->arena, "%s%s%s", out->told, told == 0 ? "" : "; ",
                         watch_loss_text(risks->columns.v[i], counts[i], a->arena));
        told++;
    }
    if (more > 0) {
        out->told = arena_printf(a->arena, "%s; and %zu more column%s", out->told, more,
                                 more == 1 ? "" : "s");
    }
}

static bool ask(struct attempt *a, const struct risks *risks, struct losses *out,
                struct fault *fault)
{
    struct source_db *db = a->bindings[BIND_SOURCE].session.source;
    size_t count = risks->columns.n + 1;
    struct loss_check *checks =
        arena_alloc_array(a->arena, count, sizeof(struct loss_check));
    int64_t *counts = arena_alloc_array(a->arena, count, sizeof(int64_t));

    for (size_t i = 0; i < risks->columns.n; i++) {
        checks[i] = (struct loss_check){.column = risks->columns.v[i]->source->name,
                                        .kind = risks->columns.v[i]->loss,
                                        .limit = risks->columns.v[i]->loss_limit};
    }
    /* A key is never NULL: this one counts the rows that were looked at. */
    checks[count - 1] =
        (struct loss_check){.column = a->table->primary_key.v[0], .kind = LOSS_NONE};
    if (!db->ops->count_losses(db, checks, count, a->sync.source_database,
                               a->sync.source_table, LOSS_ROWS_MAX, &a->cancel, a->arena,
                               counts, &out->complete, fault)) {
        return false;
    }
    sum_up(a, risks, counts, out);
    return true;
}

static void not_checked(struct attempt *a, const struct risks *risks, const char *why)
{
    attempt_condition(a, CONDITION_DATA_LOSS, "NotChecked",
                      "whether rows of MySQL table %s.%s hold values in %s that cannot "
                      "arrive as they are is not known: %s; MySQL is asked again at the "
                      "next look",
                      a->sync.source_database, a->sync.source_table,
                      watch_names(&risks->names, a->arena), why);
}

static bool refuse(struct attempt *a, const char *found, struct fault *fault)
{
    return fault_set(
        fault, FAULT_REFUSED, "RefusedByPolicy",
        "spec.dataLoss is Fail, and MySQL table %s.%s holds values that cannot arrive as "
        "they are. %s. Correct these rows and set the annotation "
        "tablesync.dev/retry=now, "
        "leave the column out with spec.columns.exclude, deliver it in another way with "
        "spec.columns.overrides, or set spec.dataLoss to Warn",
        a->sync.source_database, a->sync.source_table, found);
}

static bool show(struct attempt *a, const struct risks *risks, const struct losses *found,
                 struct fault *fault)
{
    const struct kube_condition *c = before(a);
    const char *among =
        arena_printf(a->arena, "%s%lld row%s", found->complete ? "" : "the first ",
                     (long long)found->rows, found->rows == 1 ? "" : "s");
    const char *told =
        arena_printf(a->arena, "%s were looked at: %s", among, found->told);

    if (found->timed_out) {
        not_checked(a, risks, "it did not count them in time");
        return true;
    }
    if (found->affected == 0) {
        attempt_condition(a, CONDITION_DATA_LOSS, "NoneFound",
                          "no value that the pipeline would change was found in %s%s",
                          among, key_remark(a));
        return true;
    }
    attempt_condition(a, CONDITION_DATA_LOSS, "ValuesAffected", "%s%s", told,
                      key_remark(a));
    if (a->sync.data_loss == DATA_LOSS_FAIL) {
        return refuse(a, told, fault);
    }
    if (!a->preview && (c == NULL || c->status != KUBE_TRUE)) {
        attempt_event(a, true, "ValuesMayBeLost", "Reconcile", told);
    }
    return true;
}

enum step_result step_inspect(struct attempt *a, struct fault *fault)
{
    struct losses found = {0};
    struct fault failed = FAULT_INIT;
    struct risks risks = {0};

    if (is_answered(a)) {
        return STEP_CONTINUE;
    }
    risks = find_risks(a);
    if (risks.columns.n == 0) {
        attempt_condition(a, CONDITION_DATA_LOSS, "NoneFound",
                          "no column can lose values on the way%s", key_remark(a));
        return STEP_CONTINUE;
    }
    if (ask(a, &risks, &found, &failed)) {
        return show(a, &risks, &found, fault) ? STEP_CONTINUE : STEP_FAULT;
    }
    if (failed.class == FAULT_CANCELLED) {
        *fault = failed;
        return STEP_FAULT;
    }
    not_checked(a, &risks, failed.text);
    return watch_reconnect(a, &failed, fault) ? STEP_CONTINUE : STEP_FAULT;
}
