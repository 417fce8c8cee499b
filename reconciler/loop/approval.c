#include "loop/approval.h"

#include <string.h>

const char *plan_risk_name(enum plan_risk risk)
{
    switch (risk) {
    case RISK_SAFE:
        break;
    case RISK_ASKED:
        return "Asked";
    case RISK_DESTRUCTIVE:
        return "Destructive";
    }
    return "Safe";
}

static const struct plan_step *first_destructive(const struct plan *plan,
                                                 size_t *out_count)
{
    const struct plan_step *first = NULL;

    *out_count = 0;
    for (VEC_EACH(const struct plan_step, s, &plan->steps)) {
        if (s->risk == RISK_DESTRUCTIVE) {
            first = first == NULL ? s : first;
            (*out_count)++;
        }
    }
    return first;
}

const char *approval_reason(const struct tablesync *sync, const struct plan *plan)
{
    size_t destructive = 0;

    if (plan->steps.n == 0) {
        return NULL;
    }
    if (sync->plan_mode == PLAN_MANUAL && plan->purpose != PURPOSE_SETTINGS) {
        return "WaitingForApproval";
    }
    return first_destructive(plan, &destructive) != NULL ? "DestructiveChange" : NULL;
}

static bool is_listed(const struct tsync_status *status, const char *id)
{
    for (VEC_EACH(const struct status_statement, s, &status->plan.statements)) {
        if (s->id != NULL && strcmp(s->id, id) == 0) {
            return true;
        }
    }
    return false;
}

bool approval_covers(const struct tsync_status *status, const struct plan *plan)
{
    const char *approved = status->plan.approved_hash;

    if (approved == NULL) {
        return false;
    }
    if (strcmp(approved, plan->hash) == 0) {
        return true;
    }
    if (status->plan.statements_total != (int64_t)status->plan.statements.n) {
        return false;
    }
    for (VEC_EACH(const struct plan_step, s, &plan->steps)) {
        if (!is_listed(status, s->id)) {
            return false;
        }
    }
    return true;
}

void approval_clear(struct tsync_status *status)
{
    memset(&status->plan, 0, sizeof(status->plan));
}

void approval_show(struct tsync_status *status, const struct plan *plan,
                   struct arena *arena)
{
    approval_clear(status);
    status->plan.hash = arena_strdup(arena, plan->hash);
    status->plan.statements_total = (int64_t)plan->steps.n;
    for (size_t i = 0; i < plan->steps.n && i < APPROVAL_STATEMENTS_MAX; i++) {
        const struct plan_step *s = &plan->steps.v[i];

        VEC_PUSH(arena, &status->plan.statements,
                 (struct status_statement){.id = arena_strdup(arena, s->id),
                                           .system = plan_system_name(s->system),
                                           .object = arena_strdup(arena, s->object),
                                           .risk = plan_risk_name(s->risk),
                                           .sql = stmt_redacted(s->stmt, arena)});
    }
}

static bool asks_for_loss(const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.n; i++) {
        if (plan->steps.v[i].risk == RISK_ASKED) {
            return true;
        }
    }
    return false;
}

const char *approval_message(const struct tablesync *sync, const struct plan *plan,
                             const char *outdated, struct arena *arena)
{
    size_t count = 0;
    const struct plan_step *worst = first_destructive(plan, &count);
    const char *loses = asks_for_loss(plan) ? "what they lose is what the spec asks for"
                                            : "none of them loses data";
    const char *before = "";

    if (worst != NULL) {
        loses =
            arena_printf(arena, "%zu of them %s data, first: %s %s", count,
                         count == 1 ? "loses" : "lose", worst->sentence, worst->object);
    }
    if (outdated != NULL) {
        before = arena_printf(arena,
                              "the annotation " TSYNC_ANNOTATION_APPROVE
                              " approves %s, but the plan is %s now; ",
                              outdated, plan->hash);
    }
    return arena_printf(arena,
                        "%s%zu statement%s wait%s for approval (%s); read them in "
                        "status.plan, then run: kubectl annotate tablesync %s -n %s "
                        "%s" TSYNC_ANNOTATION_APPROVE "=%s",
                        before, plan->steps.n, plan->steps.n == 1 ? "" : "s",
                        plan->steps.n == 1 ? "s" : "", loses, sync->name, sync->namespace,
                        outdated == NULL ? "" : "--overwrite ", plan->hash);
}
