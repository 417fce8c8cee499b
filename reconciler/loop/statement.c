#include "loop/statement.h"

#include "loop/gauges_attempt.h"

static bool send(struct attempt *a, const struct plan_step *s, struct arena *arena,
                 struct db_result *result, struct fault *fault)
{
    struct cancel child;
    char *tag = arena_printf(arena, "tablesync %s/%s %s", a->sync.namespace, a->sync.name,
                             a->run_id);

    cancel_init_child(&child, &a->cancel, DB_DDL_TIMEOUT_MS);
    if (s->system == PLAN_STARROCKS) {
        struct target_db *db = a->bindings[BIND_TARGET].session.target;

        must(db != NULL);
        return fence_check(a->loop->ports.fence, fault) &&
               db->ops->apply(db, s, tag, &child, arena, result, fault);
    }
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;

    must(db != NULL);
    return fence_check(a->loop->ports.fence, fault) &&
           db->ops->apply(db, s, tag, &child, arena, result, fault);
}

int64_t statement_intent(struct attempt *a, const char *system, const struct stmt *stmt,
                         struct arena *arena)
{
    struct fault missed = FAULT_INIT;
    int64_t step = 0;

    attempt_audit_begin(a);
    if (a->run != 0 && !audit_step_intent(a->loop->ports.audit, a->run, system,
                                          stmt_redacted(stmt, arena), &step, &missed)) {
        step = 0;
        attempt_audit_missed(a, &missed);
    }
    return step;
}

void statement_result(struct attempt *a, int64_t step, bool done,
                      const struct db_result *result, const struct fault *fault,
                      int64_t duration_ms)
{
    struct fault missed = FAULT_INIT;
    const char *message = done ? NULL : fault->text;

    if (done && result != NULL && result->notices.n > 0) {
        message = result->notices.v[0];
    }
    if (step != 0 &&
        !audit_step_result(a->loop->ports.audit, step, done ? "Succeeded" : "Failed",
                           done ? NULL : fault->code, message, duration_ms, &missed)) {
        attempt_audit_missed(a, &missed);
    }
}

/* What nobody holds could be deleted meanwhile, and what is made for it would stay. */
static bool check_held(const struct attempt *a, struct fault *fault)
{
    return kube_has_finalizer(attempt_object(a), TSYNC_FINALIZER)
               ? true
               : fault_set(fault, FAULT_BUG, NULL,
                           "a statement was about to be sent without the finalizer");
}

bool statement_run(struct attempt *a, const struct plan_step *s, struct arena *arena,
                   struct fault *fault)
{
    const struct clock *clock = a->loop->ports.clock;
    struct db_result result = {0};
    int64_t began_ms = clock_monotonic_ms(clock), step = 0, took_ms = 0;
    bool done = false;

    /* Whoever is no leader any more leaves no line of an intent either. */
    if (!fence_check(a->loop->ports.fence, fault) || !check_held(a, fault)) {
        return false;
    }
    step = statement_intent(a, plan_system_name(s->system), s->stmt, arena);
    done = send(a, s, arena, &result, fault);

    a->steps++;
    took_ms = clock_monotonic_ms(clock) - began_ms;
    statement_result(a, step, done, &result, fault, took_ms);
    lg_info(a->loop->ports.lg, done ? "statement succeeded" : "statement failed",
            LG_KEY(a->key), LG_STR("reconcileID", a->run_id),
            LG_STR("system", plan_system_name(s->system)), LG_STR("object", s->object),
            LG_STR("action", plan_kind_name(s->kind)), LG_INT("durationMs", took_ms));
    gauges_statement(a, s, done, took_ms);
    return done;
}
