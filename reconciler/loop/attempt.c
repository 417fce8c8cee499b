#include "loop/attempt.h"

#include "base/heap.h"
#include "loop/auditing.h"

#include <stdarg.h>

const struct json *attempt_object(const struct attempt *a)
{
    return a->fresh != NULL ? a->fresh : a->object->json;
}

void attempt_refresh(struct attempt *a, struct json *answered)
{
    if (answered == NULL) {
        return;
    }
    json_free(a->fresh);
    a->fresh = answered;
    kube_store_copy(a->loop->syncs, answered);
    a->sync.resource_version = arena_strdup(a->arena, kube_resource_version(answered));
}

void attempt_condition(struct attempt *a, enum condition condition, const char *reason,
                       const char *format, ...)
{
    const struct reason_row *row = reason_find(condition, reason);
    struct kube_condition c = {.type = condition_type(condition),
                               .reason = reason,
                               .status = KUBE_FALSE,
                               .observed_generation = a->sync.generation};
    va_list args;

    if (row != NULL && strcmp(row->status, "True") == 0) {
        c.status = KUBE_TRUE;
    } else if (row != NULL && strcmp(row->status, "Unknown") == 0) {
        c.status = KUBE_UNKNOWN;
    }
    va_start(args, format);
    c.message = arena_vprintf(a->arena, format, args);
    va_end(args);
    (void)kube_conditions_set(&a->conditions, &c, a->now, a->arena);
}

void attempt_force_condition(struct attempt *a, enum condition condition,
                             enum kube_truth status, const char *reason,
                             const char *message)
{
    struct kube_condition c = {.type = condition_type(condition),
                               .status = status,
                               .reason = reason,
                               .message = message,
                               .observed_generation = a->sync.generation};

    (void)kube_conditions_set(&a->conditions, &c, a->now, a->arena);
}

void attempt_event(struct attempt *a, bool warning, const char *reason,
                   const char *action, const char *note)
{
    struct kube_event event = {.resource = &loop_resource_sync,
                               .object = attempt_object(a),
                               .warning = warning,
                               .reason = reason,
                               .action = action,
                               .note = note,
                               .annotation = TSYNC_ANNOTATION_RUN,
                               .annotation_value = a->run_id};
    struct fault fault = FAULT_INIT;

    if (!kube_event_emit(a->loop->events, &event, &a->cancel, &fault)) {
        metrics_add(a->loop->metrics, METRIC_EVENTS_LOST, 1);
        lg_error(a->loop->ports.lg, "event lost", LG_KEY(a->key),
                 LG_STR("reconcileID", a->run_id), LG_STR("event", reason),
                 LG_STR("error", fault.text));
    }
}

/* The audit never stops reconciling: what it could not write is counted and logged. */
void attempt_audit_missed(struct attempt *a, const struct fault *fault)
{
    metrics_add(a->loop->metrics, METRIC_AUDIT_ERRORS, 1);
    metrics_set(a->loop->metrics, METRIC_AUDIT_DEGRADED, 1);
    if (!auditing_is_told(fault)) {
        lg_error(a->loop->ports.lg, "audit write failed", LG_KEY(a->key),
                 LG_STR("reconcileID", a->run_id), LG_STR("error", fault->text));
    }
    auditing_tell(a);
}

void attempt_audit_begin(struct attempt *a)
{
    struct audit_run_start start = {.kind = "TableSync",
                                    .uid = a->sync.uid,
                                    .namespace = a->sync.namespace,
                                    .name = a->sync.name,
                                    .generation = a->sync.generation,
                                    .trigger = a->trigger,
                                    .plan_hash = a->planned ? a->plan.hash : NULL,
                                    .run_id = a->run_id};
    struct fault fault = FAULT_INIT;

    if (a->run != 0 || a->loop->ports.audit == NULL) {
        return;
    }
    if (audit_run_begin(a->loop->ports.audit, &start, &a->run, &fault)) {
        metrics_set(a->loop->metrics, METRIC_AUDIT_DEGRADED, 0);
        auditing_tell(a);
    } else {
        a->run = 0;
        attempt_audit_missed(a, &fault);
    }
}

void attempt_audit_log(struct attempt *a, const char *level, const char *format, ...)
{
    struct fault fault = FAULT_INIT;
    const char *message = NULL;
    va_list args;

    attempt_audit_begin(a);
    va_start(args, format);
    message = arena_vprintf(a->arena, format, args);
    va_end(args);
    if (a->run != 0 && !audit_log(a->loop->ports.audit, a->run, level, message, &fault)) {
        attempt_audit_missed(a, &fault);
    }
}

struct status_object *attempt_status_object(struct attempt *a, const char *kind,
                                            const char *name)
{
    for (size_t i = 0; i < a->status.objects.n; i++) {
        struct status_object *o = &a->status.objects.v[i];

        if (strcmp(o->kind, kind) == 0 && strcmp(o->name, name) == 0) {
            return o;
        }
    }
    VEC_PUSH(a->arena, &a->status.objects,
             (struct status_object){
                 .kind = kind, .name = arena_strdup(a->arena, name), .owned = true});
    return &a->status.objects.v[a->status.objects.n - 1];
}

/* --- what it knows --- */

/* States of a child object that was not made yet, or no more. */
static bool is_made(const struct status_object *o)
{
    return o->state != NULL && strcmp(o->state, "Pending") != 0 &&
           strcmp(o->state, "Missing") != 0;
}

bool attempt_first_run(const struct attempt *a)
{
    for (size_t i = 0; i < a->before.objects.n; i++) {
        const struct status_object *o = &a->before.objects.v[i];

        if (o->owned && !o->shared && is_made(o)) {
            return false;
        }
    }
    return a->before.applied_hash == NULL;
}

/* A statement that was sent proves nothing: the one that marks the table comes last. */
bool attempt_first_target(const struct attempt *a)
{
    for (size_t i = 0; i < a->before.objects.n; i++) {
        const struct status_object *o = &a->before.objects.v[i];

        if (strcmp(o->kind, "TargetTable") == 0 && is_made(o) &&
            strcmp(o->state, "Creating") != 0) {
            return false;
        }
    }
    return a->before.applied_hash == NULL;
}

bool attempt_was_applied(const struct attempt *a)
{
    struct sv hash = sv_from(a->before.applied_hash);

    return sv_starts(hash, SV("sha256:")) &&
           sv_eq(sv_sub(hash, strlen("sha256:"), hash.n), sv_from(a->desired.hash));
}

bool attempt_was_converged(const struct attempt *a)
{
    /* The hash of the plan is another one from the moment a change is to be carried out
     * until nothing is left of it; without it nobody has looked at this generation. */
    return attempt_was_applied(a) && a->before.plan_hash != NULL &&
           strcmp(a->before.plan_hash, a->before.applied_hash) == 0 &&
           a->sync.generation == a->before.observed_generation;
}

const struct sr_table *attempt_target(const struct attempt *a)
{
    return sr_catalog_table(&a->sr->u.sr,
                            arena_copy(a->arena, ident_name(a->desired.target_table)));
}

bool attempt_adopted(const struct attempt *a)
{
    const struct sr_table *target = attempt_target(a);
    struct mark mark = {0};

    return target != NULL && mark_parse(target->comment, &mark) && mark.adopted &&
           sv_eq(mark.uid, sv_from(a->sync.uid));
}
