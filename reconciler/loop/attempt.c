#include "loop/attempt.h"

#include "base/heap.h"

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
    kube_store_put(a->loop->syncs, json_clone(answered));
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

void attempt_event(struct attempt *a, bool warning, const char *reason,
                   const char *action, const char *note)
{
    struct kube_event event = {.resource = &loop_resource_sync,
                               .object = attempt_object(a),
                               .warning = warning,
                               .reason = reason,
                               .action = action,
                               .note = note};
    struct fault fault = FAULT_INIT;

    if (!kube_event_emit(a->loop->events, &event, &a->cancel, &fault)) {
        metrics_add(a->loop->metrics, METRIC_EVENTS_LOST, 1);
    }
}

/* The audit never stops reconciling: what it could not write is counted and logged. */
static void audit_missed(struct attempt *a, const struct fault *fault)
{
    metrics_add(a->loop->metrics, METRIC_AUDIT_ERRORS, 1);
    metrics_set(a->loop->metrics, METRIC_AUDIT_DEGRADED, 1);
    lg_error(a->loop->ports.lg, "audit write failed", LG_STR("key", a->key),
             LG_STR("error", fault->text));
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
    } else {
        a->run = 0;
        audit_missed(a, &fault);
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
        audit_missed(a, &fault);
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

/* --- applying a plan --- */

static const char *object_kind(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_CREATE_SOURCE:
    case PLAN_DROP_SOURCE:
        return "Source";
    case PLAN_CREATE_TABLE:
    case PLAN_COMMENT_TABLE:
    case PLAN_DROP_TABLE:
        return "Table";
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_DROP_SINK:
        return "Sink";
    case PLAN_CREATE_TARGET:
    case PLAN_DROP_TARGET:
        return "TargetTable";
    case PLAN_CREATE_SCHEMA:
    case PLAN_CREATE_DATABASE:
    case PLAN_KIND_MAX:
        break;
    }
    return NULL;
}

/* Which condition speaks of a statement's object. */
static enum condition object_condition(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_CREATE_SCHEMA:
    case PLAN_CREATE_SOURCE:
    case PLAN_DROP_SOURCE:
        return CONDITION_SOURCE_READY;
    case PLAN_CREATE_TABLE:
    case PLAN_COMMENT_TABLE:
    case PLAN_DROP_TABLE:
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_DROP_SINK:
        return CONDITION_SINK_READY;
    case PLAN_CREATE_DATABASE:
    case PLAN_CREATE_TARGET:
    case PLAN_DROP_TARGET:
        return CONDITION_TARGET_TABLE_READY;
    case PLAN_KIND_MAX:
        break;
    }
    return CONDITION_NONE;
}

/* Status shows an object as soon as the server accepted the statement for it. */
static void note_applied(struct attempt *a, const struct plan_step *s)
{
    const char *kind = object_kind(s->kind);
    struct status_object *object = NULL;

    if (kind == NULL) {
        return;
    }
    object = attempt_status_object(a, kind, s->object);
    switch (s->kind) {
    case PLAN_DROP_SINK:
    case PLAN_DROP_TABLE:
    case PLAN_DROP_SOURCE:
    case PLAN_DROP_TARGET:
        object->state = "Missing";
        break;
    case PLAN_CREATE_SOURCE:
        object->shared = true;
        object->state = "Creating";
        break;
    case PLAN_CREATE_SCHEMA:
    case PLAN_CREATE_TABLE:
    case PLAN_COMMENT_TABLE:
    case PLAN_CREATE_DATABASE:
    case PLAN_CREATE_TARGET:
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_KIND_MAX:
        if (object->state == NULL || strcmp(object->state, "Pending") == 0) {
            object->state = "Creating";
        }
        break;
    }
}

static bool send(struct attempt *a, const struct plan_step *s, struct db_result *result,
                 struct fault *fault)
{
    struct cancel child;
    char *tag = arena_printf(a->arena, "tablesync %s/%s %s", a->sync.namespace,
                             a->sync.name, a->run_id);

    cancel_init_child(&child, &a->cancel, DB_DDL_TIMEOUT_MS);
    if (s->system == PLAN_STARROCKS) {
        struct target_db *db = a->bindings[BIND_TARGET].session.target;

        must(db != NULL);
        return db->ops->apply(db, s, tag, &child, a->arena, result, fault);
    }
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;

    must(db != NULL);
    return db->ops->apply(db, s, tag, &child, a->arena, result, fault);
}

static void audit_result(struct attempt *a, int64_t step, bool done,
                         const struct db_result *result, const struct fault *fault,
                         int64_t duration_ms)
{
    struct fault missed = FAULT_INIT;
    const char *message = done ? NULL : fault->text;

    if (done && result->notices.n > 0) {
        message = result->notices.v[0];
    }
    if (step != 0 &&
        !audit_step_result(a->loop->ports.audit, step, done ? "Succeeded" : "Failed",
                           done ? NULL : fault->code, message, duration_ms, &missed)) {
        audit_missed(a, &missed);
    }
}

static void grant_to_account(struct attempt *a, struct stmt *grant)
{
    stmt_text(grant, " TO USER ");
    stmt_str(grant, sv_from(a->bindings[BIND_TARGET].endpoint.user));
    stmt_text(grant, "@'%'");
}

/* A table that exists and is not listed is one this account has no privilege on. */
static bool is_hidden_table(const struct plan_step *s, const struct fault *fault)
{
    return s->kind == PLAN_CREATE_TARGET && strcmp(fault->reason, "AlreadyExists") == 0;
}

/*
 * StarRocks names the privilege that is missing, one at a time; told is everything that
 * target tables need, as statements (starrocks.md 5.1). Always returns false.
 */
static bool explain_denied(struct attempt *a, const struct plan_step *s,
                           struct fault *fault)
{
    bool hidden = is_hidden_table(s, fault);
    struct stmt *first = stmt_new(a->arena, SQL_STARROCKS);
    struct stmt *second = stmt_new(a->arena, SQL_STARROCKS);
    const struct ident *database = NULL;
    struct fault denied = *fault, unused = FAULT_INIT;

    if (s->system != PLAN_STARROCKS ||
        (!hidden && strcmp(fault->reason, "NotPermitted") != 0) ||
        !ident_parse(a->arena, sv_from(a->sync.target_database), SQL_STARROCKS,
                     IDENT_DATABASE, &database, &unused)) {
        return false;
    }
    if (s->kind == PLAN_CREATE_DATABASE) {
        stmt_text(first, "GRANT CREATE DATABASE ON CATALOG default_catalog");
        stmt_text(second, "and once the database exists GRANT CREATE TABLE ON DATABASE ");
    } else {
        stmt_text(first, "GRANT CREATE TABLE ON DATABASE ");
        stmt_ident(first, database);
        stmt_text(second, "GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL "
                          "TABLES IN DATABASE ");
    }
    stmt_ident(second, database);
    grant_to_account(a, first);
    grant_to_account(a, second);
    (void)fault_set(fault, FAULT_DENIED, "MissingGrant",
                    "%s%s As an administrator run %s; %s", denied.text,
                    hidden ? " It is not listed for this account, which thus has no "
                             "privilege on it."
                           : "",
                    stmt_redacted(first, a->arena), stmt_redacted(second, a->arena));
    return fault_code(fault, "%s", denied.code);
}

static bool apply_one(struct attempt *a, const struct plan_step *s, struct fault *fault)
{
    const struct clock *clock = a->loop->ports.clock;
    const char *sql = stmt_redacted(s->stmt, a->arena);
    struct db_result result = {0};
    struct fault missed = FAULT_INIT;
    int64_t step = 0, began_ms = clock_monotonic_ms(clock);
    bool done = false;

    attempt_audit_begin(a);
    if (a->run != 0 &&
        !audit_step_intent(a->loop->ports.audit, a->run, plan_system_name(s->system), sql,
                           &step, &missed)) {
        step = 0;
        audit_missed(a, &missed);
    }
    done = send(a, s, &result, fault);
    a->steps++;
    audit_result(a, step, done, &result, fault, clock_monotonic_ms(clock) - began_ms);
    lg_info(a->loop->ports.lg, done ? "statement succeeded" : "statement failed",
            LG_STR("key", a->key), LG_STR("reconcileID", a->run_id),
            LG_STR("system", plan_system_name(s->system)), LG_STR("object", s->object),
            LG_STR("action", plan_kind_name(s->kind)),
            LG_INT("durationMs", clock_monotonic_ms(clock) - began_ms));
    metrics_add(a->loop->metrics, METRIC_STATEMENTS, 1);
    if (!done) {
        a->failed = object_condition(s->kind);
        return explain_denied(a, s, fault);
    }
    note_applied(a, s);
    attempt_event(a, false, plan_kind_name(s->kind), "Reconcile",
                  arena_printf(a->arena, "%s: %s", s->sentence, s->object));
    return true;
}

bool attempt_apply(struct attempt *a, const struct plan *plan, struct fault *fault)
{
    for (VEC_EACH(struct plan_step, s, &plan->steps)) {
        if (!cancel_check(&a->cancel, "apply", fault) || !apply_one(a, s, fault)) {
            return false;
        }
    }
    return true;
}
