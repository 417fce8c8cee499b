/* Running a plan's statements, and what is told of each. */
#include "loop/altered.h"
#include "loop/circles.h"
#include "loop/ghosts_run.h"
#include "loop/memo.h"
#include "loop/statement.h"
#include "loop/waits.h"

static const char *object_kind(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_CREATE_SOURCE:
    case PLAN_ALTER_SOURCE:
    case PLAN_RESET_SOURCE:
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
    case PLAN_DELETE_GHOSTS:
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
    case PLAN_ALTER_SOURCE:
    case PLAN_RESET_SOURCE:
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
    case PLAN_DELETE_GHOSTS:
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

/*
 * Whatever speaks against the account that a source is to take, or against its reset, the
 * source stays as it is. Always returns false.
 */
static bool explain_failed(struct attempt *a, const struct plan_step *s,
                           struct fault *fault)
{
    a->failed = object_condition(s->kind);
    if ((s->kind == PLAN_ALTER_SOURCE || s->kind == PLAN_RESET_SOURCE) &&
        (fault->class == FAULT_REFUSED || fault->class == FAULT_DENIED)) {
        return fault_reason(fault, "SourceFailed");
    }
    return explain_denied(a, s, fault);
}

static bool apply_one(struct attempt *a, const struct plan_step *s, struct fault *fault)
{
    bool done = s->kind == PLAN_DELETE_GHOSTS ? ghosts_run(a, s, fault)
                                              : statement_run(a, s, a->arena, fault);

    if (!done) {
        return explain_failed(a, s, fault);
    }
    if (s->kind == PLAN_DELETE_GHOSTS) {
        return true; /* it has told itself whether there was anything to do */
    }
    if (s->kind == PLAN_ALTER_SOURCE || s->kind == PLAN_RESET_SOURCE) {
        altered_note(a, s);
    }
    if (s->kind == PLAN_ALTER_SINK) { /* how long it was paused counts from here */
        memo_not_paused(a->loop->memo, a->key);
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

static bool needs_a_look_before(const struct attempt *a, const struct plan_step *s)
{
    return s->wait != WAIT_NONE || waits_for_rest(a, s);
}

bool attempt_apply(struct attempt *a, const struct plan *plan, struct fault *fault)
{
    for (size_t i = 0; i < plan->steps.n; i++) {
        const struct plan_step *s = &plan->steps.v[i];

        if (i > 0 && needs_a_look_before(a, s)) {
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
            circles_note(a, s);
        }
    }
    return true;
}
