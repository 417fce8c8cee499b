/* The two keys: the upstream one tells rows apart in RisingWave, the target's in
 * StarRocks. */
#include "ddl/desired_private.h"

#define INVALID(fault, ...)                                                              \
    fault_set((fault), FAULT_REFUSED, "InvalidColumns", __VA_ARGS__)

static bool upstream_key(struct choice *choice, struct fault *fault)
{
    const struct mysql_table *table = choice->in->table;

    for (size_t i = 0; i < table->primary_key.n; i++) {
        size_t place = choice_find(choice, table->primary_key.v[i]);
        if (place == SIZE_MAX) {
            return fault_set(
                fault, FAULT_BUG, NULL,
                "the schema of %s.%s names key column '%s' but has no such column",
                table->database, table->name, table->primary_key.v[i]);
        }
        choice->columns.v[place].cdc_key = true;
        VEC_PUSH(choice->arena, &choice->upstream_key, place);
    }
    return true;
}

static bool has_name(const struct strlist *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (sv_eq_nocase(sv_from(names->v[i]), sv_from(name))) {
            return true;
        }
    }
    return false;
}

static bool same_set(const struct strlist *a, const struct strlist *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!has_name(b, a->v[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!has_name(a, b->v[i])) {
            return false;
        }
    }
    return a->n == b->n;
}

static void add_names(struct buf *text, const struct strlist *names)
{
    buf_addc(text, '(');
    for (size_t i = 0; i < names->n; i++) {
        buf_addf(text, "%s%s", i == 0 ? "" : ", ", names->v[i]);
    }
    buf_addc(text, ')');
}

static bool refuse_set(const struct choice *choice, struct fault *fault)
{
    const struct mysql_table *table = choice->in->table;
    AUTO(buf_deinit) struct buf wanted = {0}, known = {0};

    buf_init(&wanted, 400);
    buf_init(&known, 800);
    add_names(&wanted, &choice->in->sync->primary_key);
    add_names(&known, &table->primary_key);
    for (size_t i = 0; i < table->unique_keys.n; i++) {
        buf_addf(&known, ", %s ", table->unique_keys.v[i].name);
        add_names(&known, &table->unique_keys.v[i].columns);
    }
    return INVALID(fault,
                   "spec.primaryKey %s is no UNIQUE key over NOT NULL columns of %s.%s, "
                   "and rows that share it would become one; such keys are: PRIMARY "
                   "%s%s",
                   buf_z(&wanted), table->database, table->name, buf_z(&known),
                   buf_overflowed(&known) ? ", ..." : "");
}

static bool check_set(const struct choice *choice, struct fault *fault)
{
    const struct strlist *wanted = &choice->in->sync->primary_key;
    const struct mysql_table *table = choice->in->table;

    if (same_set(wanted, &table->primary_key)) {
        return true;
    }
    for (size_t i = 0; i < table->unique_keys.n; i++) {
        if (same_set(wanted, &table->unique_keys.v[i].columns)) {
            return true;
        }
    }
    return refuse_set(choice, fault);
}

static bool target_key(struct choice *choice, struct fault *fault)
{
    const struct strlist *wanted = &choice->in->sync->primary_key;

    for (size_t i = 0; i < wanted->n; i++) {
        size_t place = choice_find(choice, wanted->v[i]);
        if (place == SIZE_MAX) {
            return INVALID(fault,
                           "spec.primaryKey names column '%s', which %s.%s does not "
                           "have; %s",
                           wanted->v[i], choice->in->table->database,
                           choice->in->table->name,
                           choice_known_names(choice, wanted->v[i]));
        }
        VEC_PUSH(choice->arena, &choice->target_key, place);
    }
    if (wanted->n > 0 && !check_set(choice, fault)) {
        return false;
    }
    for (size_t i = 0; wanted->n == 0 && i < choice->upstream_key.n; i++) {
        VEC_PUSH(choice->arena, &choice->target_key, choice->upstream_key.v[i]);
    }
    for (size_t i = 0; i < choice->target_key.n; i++) {
        choice->columns.v[choice->target_key.v[i]].target_key = true;
    }
    return true;
}

bool choice_keys(struct choice *choice, struct fault *fault)
{
    return upstream_key(choice, fault) && target_key(choice, fault);
}
