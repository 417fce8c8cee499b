/* Deciding: what should exist against what does, and what status shows of it. */
#include "loop/steps.h"
#include "loop/tags.h"

#include <ctype.h>

/* --- child objects --- */

static const char *rw_path(struct attempt *a, const char *name)
{
    return arena_printf(a->arena, "%.*s.%s", SV_ARGS(ident_name(a->desired.rw_schema)),
                        name);
}

/* One child object's line in status, from what was observed. */
static struct status_object *show(struct attempt *a, const char *kind, const char *name,
                                  bool exists, int64_t id, const char *state)
{
    struct status_object *object = attempt_status_object(a, kind, name);

    object->id = exists ? id : 0;
    object->owned = strcmp(kind, "Source") != 0;
    object->shared = !object->owned;
    object->state = exists ? state : "Pending";
    return object;
}

static bool is_current(const struct attempt *a, const char *name)
{
    return (a->plan.table != NULL && strcmp(a->plan.table, name) == 0) ||
           (a->plan.sink != NULL && strcmp(a->plan.sink, name) == 0);
}

/* "schema.name" of an older table or sink of ours that is not there any more. */
static bool is_retired(struct attempt *a, const struct status_object *o)
{
    struct sv schema = ident_name(a->desired.rw_schema), name = sv_from(o->name);
    bool table = strcmp(o->kind, "Table") == 0, sink = strcmp(o->kind, "Sink") == 0;
    const char *bare = NULL;

    if ((!table && !sink) || !sv_starts(name, schema) || name.n < schema.n + 2 ||
        name.p[schema.n] != '.') {
        return false;
    }
    bare = o->name + schema.n + 1;
    return !is_current(a, bare) && (table ? rw_catalog_table(&a->rw->u.rw, bare) == NULL
                                          : rw_catalog_sink(&a->rw->u.rw, bare) == NULL);
}

/* What was replaced leaves the list, so that it does not grow with every version. */
static void forget_retired(struct attempt *a)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->status.objects.n; i++) {
        if (!is_retired(a, &a->status.objects.v[i])) {
            a->status.objects.v[kept++] = a->status.objects.v[i];
        }
    }
    a->status.objects.n = kept;
}

/* Versions that are still there beside the one that is to stay. */
static void show_older(struct attempt *a)
{
    const struct rw_catalog *rw = &a->rw->u.rw;

    for (VEC_EACH(const struct rw_table, t, &rw->tables)) {
        if (!is_current(a, t->name) &&
            name_table_version_of(ident_name(a->desired.table_name), sv_from(t->name)) >
                0) {
            (void)show(a, "Table", rw_path(a, t->name), true, t->id, "Ready");
        }
    }
    for (VEC_EACH(const struct rw_sink, k, &rw->sinks)) {
        if (!is_current(a, k->name) &&
            name_sink_version_of(sv_from(a->desired.sink_prefix), sv_from(k->name)) > 0) {
            (void)show(a, "Sink", rw_path(a, k->name), true, k->id,
                       k->creating ? "Creating" : "Ready");
        }
    }
}

/* A table of others is not ours before it carries our mark, and if adopted never is. */
static void show_target(struct attempt *a)
{
    const struct sr_table *target = attempt_target(a);
    const char *name =
        arena_printf(a->arena, "%s.%s", a->sync.target_database, a->sync.target_table);
    struct mark mark = {0};
    bool ours = target != NULL && mark_parse(target->comment, &mark) &&
                sv_eq(mark.uid, sv_from(a->sync.uid));
    struct status_object *object = show(a, "TargetTable", name, ours, 0, "Ready");

    object->owned = target == NULL || (ours && !mark.adopted);
    object->hash = a->desired.hash;
}

static void show_objects(struct attempt *a)
{
    const struct rw_catalog *rw = &a->rw->u.rw;
    const struct desired *d = &a->desired;
    const char *source_name = arena_copy(a->arena, ident_name(d->source_name));
    const struct rw_source *source = rw_catalog_source(
        rw, arena_copy(a->arena, ident_name(d->rw_schema)), source_name);
    const struct rw_table *table = NULL;
    const struct rw_sink *sink = NULL;

    forget_retired(a);
    (void)show(a, "Source", rw_path(a, source_name), source != NULL,
               source != NULL ? source->id : 0, "Ready");
    if (a->plan.table != NULL) {
        table = rw_catalog_table(rw, a->plan.table);
        show(a, "Table", rw_path(a, a->plan.table), table != NULL,
             table != NULL ? table->id : 0, "Ready")
            ->hash = d->hash;
    }
    if (a->plan.sink != NULL) {
        sink = rw_catalog_sink(rw, a->plan.sink);
        show(a, "Sink", rw_path(a, a->plan.sink), sink != NULL,
             sink != NULL ? sink->id : 0,
             sink != NULL && sink->creating ? "Creating" : "Ready")
            ->hash = d->hash;
    }
    show_older(a);
    show_target(a);
}

/* A copy: a plan's strings may live no longer than the catalog it was made from. */
static struct strlist keep(struct attempt *a, const struct strlist *list)
{
    struct strlist copy = {0};

    for (size_t i = 0; i < list->n; i++) {
        VEC_PUSH(a->arena, &copy, arena_strdup(a->arena, list->v[i]));
    }
    return copy;
}

/* --- the plan --- */

/* The TableSync with this uid, or NULL. */
static const char *key_of_uid(struct attempt *a, struct sv uid)
{
    size_t count = 0;
    const char **keys = kube_store_find(a->loop->syncs, tags_uid(uid), a->arena, &count);

    for (size_t i = 0; i < count; i++) {
        AUTO(kube_object_putp)
        struct kube_object *object = kube_store_get(a->loop->syncs, keys[i]);

        if (object != NULL && sv_eq(sv_from(kube_uid(object->json)), uid)) {
            return keys[i];
        }
    }
    return NULL;
}

/* As many bytes as may belong to a uid. */
static size_t word_bytes(struct sv text)
{
    size_t n = 0;

    while (n < text.n && (isalnum((unsigned char)text.p[n]) || text.p[n] == '-')) {
        n++;
    }
    return n;
}

/*
 * The mark of a rival in another namespace holds a uid, which nobody can look up by hand:
 * tell its name, as long as the resource exists. Always returns false.
 */
static bool name_owner(struct attempt *a, struct fault *fault)
{
    struct sv rest = sv_from(fault->text);
    const char *owner = NULL;
    struct fault told = *fault;

    if (strcmp(fault->reason, "OwnedByAnother") != 0) {
        return false;
    }
    while (rest.n > 0 && owner == NULL) {
        struct sv word = sv_sub(rest, 0, word_bytes(rest));

        owner = word.n == 0 ? NULL : key_of_uid(a, word);
        rest = sv_sub(rest, word.n + 1, rest.n);
    }
    if (owner != NULL) {
        return fault_set(fault, told.class, told.reason, "%s (that is TableSync %s)",
                         told.text, owner);
    }
    /* Without the whole list, as when planning from a file, nothing can be said. */
    return kube_store_synced(a->loop->syncs)
               ? fault_set(fault, told.class, told.reason,
                           "%s (this controller knows no TableSync with that uid: it was "
                           "deleted and its table kept, or belongs to another cluster)",
                           told.text)
               : false;
}

bool attempt_plan(struct attempt *a, struct fault *fault)
{
    struct sr_catalog sr = a->sr->u.sr;

    if (sr.live_backends < 0 && lane_backends(a->bindings[BIND_TARGET].lane) > 0) {
        sr.live_backends = lane_backends(a->bindings[BIND_TARGET].lane);
    }
    a->planned = false;
    memset(&a->plan, 0, sizeof(a->plan));
    if (!plan_make(&a->desired, &a->rw->u.rw, &sr, a->arena, &a->plan, fault)) {
        return name_owner(a, fault);
    }
    a->planned = true;
    a->status.source.kept_columns = keep(a, &a->plan.kept);
    show_objects(a);
    return true;
}

/* --- drift that nobody wants to hear of --- */

/* The newest object of this kind that status knows to exist, without its schema. */
static const char *known(struct attempt *a, const char *kind)
{
    const char *found = NULL;

    for (VEC_EACH(const struct status_object, o, &a->before.objects)) {
        const char *dot = strrchr(o->name, '.');

        if (strcmp(o->kind, kind) == 0 && o->state != NULL &&
            strcmp(o->state, "Ready") == 0 && dot != NULL) {
            found = dot + 1;
        }
    }
    return found;
}

/*
 * With spec.drift.policy Ignore a difference that no plan can undo stops nothing: what
 * status knows is looked at as if it were the plan's.
 */
static bool may_ignore(struct attempt *a, const struct fault *fault)
{
    bool drift = strcmp(fault->reason, "TargetDrift") == 0 ||
                 strcmp(fault->reason, "DefinitionChanged") == 0;

    if (!drift || a->preview || a->sync.drift_policy != DRIFT_IGNORE ||
        !attempt_was_converged(a)) {
        return false;
    }
    a->plan.table = known(a, "Table");
    a->plan.sink = known(a, "Sink");
    if (a->plan.table == NULL || a->plan.sink == NULL) {
        return false;
    }
    a->held = true;
    attempt_condition(a, CONDITION_IN_SYNC, "Ignored",
                      "spec.drift.policy is Ignore, so nothing is done about: %s",
                      fault->text);
    return true;
}

enum step_result step_plan(struct attempt *a, struct fault *fault)
{
    if (attempt_plan(a, fault)) {
        return STEP_CONTINUE;
    }
    if (may_ignore(a, fault)) {
        fault_clear(fault);
        return STEP_CONTINUE;
    }
    return STEP_FAULT;
}
