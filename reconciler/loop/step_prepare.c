/* The first rows: load, finalize, validate, connections, hold, login. */
#include "loop/deletion.h"
#include "loop/keep.h"
#include "loop/memo.h"
#include "loop/publish.h"
#include "loop/quarantine.h"
#include "loop/seen.h"
#include "loop/steps.h"
#include "loop/tags.h"
#include "loop/tallies.h"

static const char *trigger_of(const struct attempt *a)
{
    if (a->sync.deleting) {
        return "Deletion";
    }
    if (a->sync.annotation_retry != NULL) {
        return "Manual";
    }
    if (a->sync.generation != a->before.observed_generation) {
        return "Spec";
    }
    return a->before.retries > 0 ? "Retry" : "Drift";
}

/* It may have been the last one that still needed what was kept of its connections. */
static void forget_kept(struct attempt *a, const char *store_key)
{
    struct sv name = sv_from(store_key);

    keep_sweep(a->loop, arena_copy(a->arena, sv_cut(&name, '/')));
}

/* The spec of one that is in quarantine may be what kills. */
static void decode(struct attempt *a, bool whole)
{
    struct fault wrong = FAULT_INIT; /* told by step_validate, unless it is deleted */

    if (!whole) {
        tablesync_decode_metadata(a->object->json, a->arena, &a->sync);
    } else if (!tablesync_read(a->object->json, a->arena, &a->sync, &wrong)) {
        a->spec_fault = ARENA_NEW(a->arena, struct fault);
        *a->spec_fault = wrong;
    }
}

enum step_result step_load(struct attempt *a, struct fault *fault)
{
    const char *store_key = a->key + strlen(LOOP_KEY_SYNC);
    const struct json *status = NULL;
    const char *retry = NULL;
    bool admitted = quarantine_admits(a->loop, a->key, fault);

    a->object = kube_store_get(a->loop->syncs, store_key);
    if (a->object == NULL) {
        seen_forget(a->loop->seen, a->key);
        memo_forget(a->loop->memo, a->key);
        tallies_forget(a->loop->tallies, a->key);
        forget_kept(a, store_key);
        return STEP_DONE;
    }
    decode(a, admitted);
    status = json_get(a->object->json, "status");
    tsync_status_read(status, a->arena, &a->before);
    a->status = a->before;
    /* The copy must not share its growing list with `before`. */
    memset(&a->status.objects, 0, sizeof(a->status.objects));
    for (VEC_EACH(struct status_object, o, &a->before.objects)) {
        VEC_PUSH(a->arena, &a->status.objects, *o);
    }
    kube_conditions_read(&a->conditions, json_get(status, "conditions"), a->arena);
    kube_conditions_read(&a->conditions_before, json_get(status, "conditions"), a->arena);
    a->trigger = trigger_of(a);
    retry = memo_take_retry(a->loop->memo, a->key, a->arena);
    if (retry != NULL) {
        a->status.handled_retry = retry;
        a->trigger = a->sync.deleting ? a->trigger : "Manual";
    }
    if (a->sync.annotation_pause && !a->sync.deleting) {
        a->paused_reconcile = true;
        return STEP_REQUEUE;
    }
    return admitted ? STEP_CONTINUE : STEP_FAULT;
}

static bool hold_finalizer(struct attempt *a, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;

    if (!kube_add_finalizer(&a->loop->api, &loop_resource_sync, attempt_object(a),
                            TSYNC_FINALIZER, &a->cancel, &outcome, &answered, fault)) {
        return fault_wrap(fault, "add the finalizer");
    }
    metrics_add(a->loop->metrics, METRIC_API_WRITES, 1);
    if (outcome != KUBE_OK) {
        json_free(answered);
        return publish_conflict(
            a->loop, &loop_resource_sync, attempt_object(a), &a->cancel,
            "the resource changed while the finalizer was added", fault);
    }
    attempt_refresh(a, answered);
    return true;
}

/* The `retry` annotation is a request, not a state: it is removed once seen. */
static bool take_retry(struct attempt *a, struct fault *fault)
{
    enum kube_outcome outcome = KUBE_OK;
    struct json *answered = NULL;

    queue_forget(a->loop->queue, a->key);
    a->status.handled_retry = a->sync.annotation_retry;
    if (!kube_remove_annotation(&a->loop->api, &loop_resource_sync, attempt_object(a),
                                TSYNC_ANNOTATION_RETRY, &a->cancel, &outcome, &answered,
                                fault)) {
        return fault_wrap(fault, "remove the retry annotation");
    }
    metrics_add(a->loop->metrics, METRIC_API_WRITES, 1);
    attempt_refresh(a, answered);
    quarantine_lift(a->loop, a->key);
    return true;
}

static bool is_held(const struct attempt *a)
{
    return kube_has_finalizer(attempt_object(a), TSYNC_FINALIZER);
}

/* Status tells of something that was made, or was about to be. */
static bool has_made(const struct attempt *a)
{
    return a->before.objects.n > 0 || a->before.applied_hash != NULL;
}

enum step_result step_finalize(struct attempt *a, struct fault *fault)
{
    if (a->sync.deleting) {
        return deletion_run(a, fault);
    }
    if (has_made(a) && !is_held(a) && !hold_finalizer(a, fault)) {
        return STEP_FAULT;
    }
    if (a->sync.annotation_retry != NULL && !take_retry(a, fault)) {
        return STEP_FAULT;
    }
    return STEP_CONTINUE;
}

/* Cheap look at an undecoded resource: does it name the same StarRocks table? */
static bool names_same_target(const struct tablesync *self, const struct json *other)
{
    const char *table = json_path_string(other, "spec.target.table");

    if (table == NULL) {
        table = json_path_string(other, "spec.source.table");
    }
    return sv_eq(sv_from(kube_namespace(other)), sv_from(self->namespace)) &&
           sv_eq(sv_from(table), sv_from(self->target_table)) &&
           sv_eq(sv_from(json_path_string(other, "spec.target.database")),
                 sv_from(self->target_database)) &&
           sv_eq(sv_from(json_path_string(other, "spec.target.connectionRef.name")),
                 sv_from(self->target_connection));
}

/* True when `other` claims the same table and is older (then of the smaller uid). */
static bool is_older_rival(const struct tablesync *self, const struct json *object,
                           struct arena *arena)
{
    struct tablesync other = {0};
    struct fault ignored = FAULT_INIT;
    int order = 0;

    if (!names_same_target(self, object) || kube_deleting(object) ||
        sv_eq(sv_from(kube_uid(object)), sv_from(self->uid)) ||
        !tablesync_decode(object, arena, &other, &ignored)) {
        return false;
    }
    order = strcmp(other.created, self->created);
    return order < 0 || (order == 0 && strcmp(other.uid, self->uid) < 0);
}

/*
 * Two resources, one target: the older wins. Rivals in other namespaces, or through
 * another connection to the same server, meet at the mark in the table's comment instead.
 */
static bool make_way(struct attempt *a, struct fault *fault)
{
    uint64_t tag = tags_target(a->sync.namespace, a->sync.target_connection,
                               a->sync.target_database, a->sync.target_table);
    size_t count = 0;
    const char **keys = kube_store_find(a->loop->syncs, tag, a->arena, &count);
    const char *rival = NULL;

    for (size_t i = 0; i < count && rival == NULL; i++) {
        AUTO(kube_object_putp) struct kube_object *other = NULL;

        if (strcmp(keys[i], a->key + strlen(LOOP_KEY_SYNC)) != 0) { /* nearly always */
            other = kube_store_get(a->loop->syncs, keys[i]);
        }
        if (other != NULL && is_older_rival(&a->sync, other->json, a->arena)) {
            rival = keys[i];
        }
    }
    if (rival == NULL) {
        return true;
    }
    return fault_set(
        fault, FAULT_REFUSED, "OwnedByAnother",
        "TableSync %s already feeds %s.%s and is older; delete one of the two, "
        "or choose another spec.target.table",
        rival, a->sync.target_database, a->sync.target_table);
}

/* As it was found when it was loaded, unless it was written since, maybe by others, too.
 */
static bool is_valid(struct attempt *a, struct fault *fault)
{
    if (a->fresh != NULL) {
        return tablesync_decode(a->fresh, a->arena, &a->sync, fault);
    }
    if (a->spec_fault != NULL) {
        *fault = *a->spec_fault;
    }
    return a->spec_fault == NULL;
}

enum step_result step_validate(struct attempt *a, struct fault *fault)
{
    const char *retry = a->sync.annotation_retry;

    if (!is_valid(a, fault)) {
        a->event_heals = true;
        return STEP_FAULT;
    }
    a->sync.annotation_retry = retry;
    a->status.source.display =
        arena_printf(a->arena, "%s.%s", a->sync.source_database, a->sync.source_table);
    a->status.target_display =
        arena_printf(a->arena, "%s.%s", a->sync.target_database, a->sync.target_table);
    return make_way(a, fault) ? STEP_CONTINUE : STEP_FAULT;
}

/* The bindings that are not open yet: the one whose lane is the least likely to let us
 * in; BIND_COUNT: all are open. */
static enum binding_role next_to_open(const struct attempt *a)
{
    enum binding_role found = BIND_COUNT;
    int lowest = 0;

    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        const struct binding *b = &a->bindings[role];
        int rank = b->unopened ? lane_rank(b->lane, a->key) : 0;

        if (b->unopened && (found == BIND_COUNT || rank < lowest)) {
            found = (enum binding_role)role;
            lowest = rank;
        }
    }
    return found;
}

enum step_result step_connections(struct attempt *a, struct fault *fault)
{
    for (int role = BIND_SOURCE; role < BIND_COUNT; role++) {
        if (!binding_find(a, (enum binding_role)role, fault)) {
            return STEP_FAULT;
        }
    }
    return STEP_CONTINUE;
}

/* From here on something may be created; before, there was nothing to do it with. */
enum step_result step_hold(struct attempt *a, struct fault *fault)
{
    return is_held(a) || hold_finalizer(a, fault) ? STEP_CONTINUE : STEP_FAULT;
}

enum step_result step_login(struct attempt *a, struct fault *fault)
{
    enum binding_role next = BIND_COUNT;

    while ((next = next_to_open(a)) != BIND_COUNT) {
        if (!binding_open(a, next, fault)) {
            return STEP_FAULT;
        }
    }
    attempt_condition(a, CONDITION_CONNECTIONS_READY, "AllReachable",
                      "logged in to %s, %s and %s", a->sync.source_connection,
                      a->sync.rw_connection, a->sync.target_connection);
    return STEP_CONTINUE;
}
