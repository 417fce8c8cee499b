/*
 * approval: whether a plan needs somebody's word before it runs, and whether a word that
 * was given covers it. Pure: plan and status in, status and sentences out.
 *
 * What is approved is a plan's hash; what it covers is each of its statements, for the
 * plan shrinks while it is carried out and has another hash each time. Their ids are in
 * status. A plan with more statements than status holds is covered only while it is
 * whole.
 */
#ifndef LOOP_APPROVAL_H
#define LOOP_APPROVAL_H

#include "ddl/plan.h"
#include "model/status.h"

#define APPROVAL_STATEMENTS_MAX 50 /* status.plan.statements (crd/tablesyncs.yaml) */

/*
 * The reason why the plan must not run unasked, as PlanApproved carries it:
 * "WaitingForApproval" (spec.plan.mode is Manual; what the spec itself asks for in so
 * many words, to pause or resume, is exempt), "DestructiveChange"; NULL: it may run.
 */
const char *approval_reason(const struct tablesync *sync, const struct plan *plan);

/* Whether everything that is left of `plan` was approved. */
bool approval_covers(const struct tsync_status *status, const struct plan *plan);

/* Shows the plan in status, not approved; copies into the arena. */
void approval_show(struct tsync_status *status, const struct plan *plan,
                   struct arena *arena);
void approval_clear(struct tsync_status *status);

/*
 * What waits, what it would lose, and the command that lets it run. `outdated` (may be
 * NULL): an approval that names another plan.
 */
const char *approval_message(const struct tablesync *sync, const struct plan *plan,
                             const char *outdated, struct arena *arena);

const char *plan_risk_name(enum plan_risk risk); /* "Safe", "Asked", "Destructive" */

#endif
