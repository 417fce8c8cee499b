/*
 * Re-sync: one token, one action. A token that status does not know yet is put there,
 * with what it means, before anything is done; from then on status alone says that a
 * re-sync goes on and which CDC table it makes, whatever becomes of the spec or of the
 * process in the middle. A resource for which nothing was ever made needs none: its first
 * run loads every row, and the token merely counts as seen.
 */
#include "loop/steps.h"

static bool in_progress(const struct attempt *a)
{
    return a->status.resync.state != NULL &&
           strcmp(a->status.resync.state, "InProgress") == 0;
}

static bool is_new(const struct attempt *a)
{
    const char *token = a->sync.resync_token, *known = a->status.resync.token;

    return token != NULL && token[0] != '\0' &&
           (known == NULL || strcmp(known, token) != 0);
}

/* The CDC tables of this resource have versions; the next one is free. */
static int64_t next_version(const struct attempt *a)
{
    struct sv first = ident_name(a->desired.table_name);
    int64_t highest = 1;

    for (size_t i = 0; i < a->rw->u.rw.tables.n; i++) {
        int64_t version =
            name_table_version_of(first, sv_from(a->rw->u.rw.tables.v[i].name));

        highest = version > highest ? version : highest;
    }
    return highest + 1;
}

static void record(struct attempt *a, const char *state, int64_t version)
{
    a->status.resync.token = a->sync.resync_token;
    a->status.resync.mode = resync_mode_name(a->sync.resync_mode);
    a->status.resync.state = state;
    a->status.resync.table_version = version;
}

static bool start(struct attempt *a, struct fault *fault)
{
    const char *note = NULL;

    record(a, "InProgress", next_version(a));
    if (a->preview) {
        return true;
    }
    note = arena_printf(a->arena,
                        "re-sync %s (%s): all rows are loaded once more, into version "
                        "%lld of the CDC table",
                        a->status.resync.token, a->status.resync.mode,
                        (long long)a->status.resync.table_version);
    a->plan.purpose = PURPOSE_RESYNC; /* of the plan that follows */
    if (!report_intent(a, note, fault)) {
        return false;
    }
    attempt_audit_log(a, "info", "%s", note);
    attempt_event(a, false, "ResyncStarted", "Reconcile", note);
    return true;
}

enum step_result step_resync(struct attempt *a, struct fault *fault)
{
    if (is_new(a)) {
        if (attempt_first_run(a)) {
            record(a, "Done", 0);
        } else if (!start(a, fault)) {
            return STEP_FAULT;
        }
    }
    if (in_progress(a)) {
        a->desired.in.resync = resync_mode_parse(a->status.resync.mode);
        a->desired.in.table_version = a->status.resync.table_version;
    }
    return position_prepare(a);
}

void resync_settle(struct attempt *a)
{
    const struct kube_condition *loaded =
        kube_conditions_find(&a->conditions, condition_type(CONDITION_SNAPSHOT_COMPLETE));

    if (!in_progress(a) || !a->planned || a->plan.steps.n > 0 || a->plan.postponed ||
        loaded == NULL || loaded->status != KUBE_TRUE) {
        return;
    }
    a->resynced = true;
    a->status.resync.state = "Done";
    memset(&a->status.source.unloaded_columns, 0,
           sizeof(a->status.source.unloaded_columns));
    attempt_audit_log(a, "info", "%s", resync_words(a));
}

const char *resync_words(struct attempt *a)
{
    return arena_printf(a->arena, "re-sync %s (%s) is complete", a->status.resync.token,
                        a->status.resync.mode);
}
