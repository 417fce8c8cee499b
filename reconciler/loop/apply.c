/* Running a plan's statements, each between two lines of the audit. */
#include "loop/attempt.h"
#include "loop/memo.h"

static const char *object_kind(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_CREATE_SOURCE:
    case PLAN_DROP_SOURCE:
        return "Source";
    case PLAN_CREATE_TABLE:
    case PLAN_COMMENT_TABLE:
    case PLAN_ADD_COLUMN:
    case PLAN_DROP_COLUMN:
    case PLAN_DROP_TABLE:
        return "Table";
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_DROP_SINK:
        return "Sink";
    case PLAN_CREATE_TARGET:
    case PLAN_ALTER_TARGET:
    case PLAN_DROP_TARGET_COLUMN:
    case PLAN_TRUNCATE_TARGET:
    case PLAN_COMMENT_TARGET:
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
    case PLAN_ADD_COLUMN:
    case PLAN_DROP_COLUMN:
    case PLAN_DROP_TABLE:
    case PLAN_CREATE_SINK:
    case PLAN_ALTER_SINK:
    case PLAN_DROP_SINK:
        return CONDITION_SINK_READY;
    case PLAN_CREATE_DATABASE:
    case PLAN_CREATE_TARGET:
    case PLAN_ALTER_TARGET:
    case PLAN_DROP_TARGET_COLUMN:
    case PLAN_TRUNCATE_TARGET:
    case PLAN_COMMENT_TARGET:
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
    if (s->kind == PLAN_DROP_SINK || s->kind == PLAN_DROP_TABLE ||
        s->kind == PLAN_DROP_SOURCE || s->kind == PLAN_DROP_TARGET) {
        object->state = "Missing";
        return;
    }
    object->shared = object->shared || s->kind == PLAN_CREATE_SOURCE;
    if (s->kind == PLAN_CREATE_SOURCE || object->state == NULL ||
        strcmp(object->state, "Pending") == 0 || strcmp(object->state, "Missing") == 0) {
        object->state = "Creating";
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
        attempt_audit_missed(a, &missed);
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
        attempt_audit_missed(a, &missed);
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

/* Before data is lost somebody is told, also when nobody need be asked. */
static void announce_loss(struct attempt *a, const struct plan_step *s)
{
    const char *why = s->risk == RISK_ASKED ? "as the spec asks" : "as it was approved";
    char *note = NULL;

    if (s->risk == RISK_SAFE || a->sync.deleting) {
        return;
    }
    note = arena_printf(a->arena, "data is lost, %s: %s %s", why, s->sentence, s->object);
    attempt_audit_log(a, "info", "%s", note);
    attempt_event(a, true, "DataIsLost", "Reconcile", note);
}

bool attempt_apply(struct attempt *a, const struct plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < plan->steps.n; i++) {
        const struct plan_step *s = &plan->steps.v[i];

        if (i > 0 && s->wait != WAIT_NONE) {
            break;
        }
        if (!cancel_check(&a->cancel, "apply", fault)) {
            return false;
        }
        announce_loss(a, s);
        if (!apply_one(a, s, fault)) {
            return false;
        }
        if (i == 0) {
            memo_accept(a->loop->memo, a->key, s->id);
        }
    }
    return true;
}
