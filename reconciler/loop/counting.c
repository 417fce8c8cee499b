#include "loop/counting.h"

#include "loop/statement.h"
#include "loop/tallies.h"

#include <string.h>

static const char *side(struct attempt *a, enum binding_role role)
{
    return role == BIND_SOURCE
               ? arena_printf(a->arena, "MySQL table %s.%s", a->sync.source_database,
                              a->sync.source_table)
               : arena_printf(a->arena, "StarRocks table %s.%s", a->sync.target_database,
                              a->sync.target_table);
}

static bool ask(struct attempt *a, enum binding_role role,
                const struct tally_query *query, int64_t *out_rows, struct fault *fault)
{
    struct session *session = &a->bindings[role].session;

    return role == BIND_SOURCE
               ? session->source->ops->count_all(session->source, query, &a->cancel,
                                                 out_rows, fault)
               : session->target->ops->count_all(session->target, query, &a->cancel,
                                                 out_rows, fault);
}

static bool make_query(struct attempt *a, enum binding_role role,
                       struct tally_query *out_query, struct fault *fault)
{
    return role == BIND_SOURCE
               ? tally_ask_mysql(&a->mysql->u.mysql, a->sync.source_database,
                                 a->sync.source_table, a->arena, out_query, fault)
               : tally_ask_starrocks(a->sync.target_database, a->sync.target_table,
                                     a->arena, out_query, fault);
}

/* *out_problem: why there is no number, which is no fault. A fault tells nothing about
 * the tables: the attempt was given up, or an idle session had been closed. */
static bool count(struct attempt *a, enum binding_role role, int64_t *out_rows,
                  const char **out_problem, struct fault *fault)
{
    struct session *session = &a->bindings[role].session;
    const char *system = role == BIND_SOURCE ? "MySQL" : "StarRocks";
    struct fault failed = FAULT_INIT;
    struct tally_query query = {0};
    int64_t began_ms = clock_monotonic_ms(a->loop->ports.clock), step = 0;
    bool done = make_query(a, role, &query, &failed);

    if (done) {
        step = statement_intent(a, system, query.stmt, a->arena);
        done = ask(a, role, &query, out_rows, &failed);
        statement_result(a, step, done, NULL, &failed,
                         clock_monotonic_ms(a->loop->ports.clock) - began_ms);
    }
    if (done && *out_rows < 0) {
        *out_problem =
            arena_printf(a->arena, "the rows of %s were not counted within %d s",
                         side(a, role), TALLY_LIMIT_MS / 1000);
    } else if (!done) {
        /* Once: then the lane has no idle ones left. An answer, whatever it says, is one.
         */
        bool again = session->reused && db_unanswered(&failed);

        if (failed.class == FAULT_CANCELLED || again) {
            *fault = failed;
            return false;
        }
        session_close(session, &failed);
        *out_problem = arena_printf(a->arena, "the rows of %s could not be counted: %s",
                                    side(a, role), failed.text);
    }
    return true;
}

bool counting_look(struct attempt *a, struct counted *out, struct fault *fault)
{
    const char *called = NULL;
    bool done = false;

    *out = (struct counted){.source = -1, .target = -1};
    /* RisingWave is not needed any more, and others may want the room in its lane. */
    session_close(&a->bindings[BIND_RISINGWAVE].session, NULL);
    if (a->run == 0) {
        a->trigger = "Verify";
    }
    done = count(a, BIND_SOURCE, &out->source, &out->problem, fault) &&
           (out->problem != NULL ||
            count(a, BIND_TARGET, &out->target, &out->problem, fault));
    called = tallies_leave(a->loop->tallies, a->key, a->arena);
    if (called != NULL) {
        queue_add(a->loop->queue, called, QUEUE_LOW);
    }
    return done;
}

const char *counting_apart(struct attempt *a, const struct tally *t)
{
    int64_t more = t->target - t->source;

    return arena_printf(a->arena, "%s holds %lld row%s and %s %lld, %lld %s",
                        side(a, BIND_SOURCE), (long long)t->source,
                        t->source == 1 ? "" : "s", side(a, BIND_TARGET),
                        (long long)t->target, (long long)(more < 0 ? -more : more),
                        more < 0 ? "fewer" : "more");
}

static const char *way_out(const struct attempt *a, const struct tally *t)
{
    if (a->sync.snapshot_mode == SNAPSHOT_NEVER) {
        return "spec.snapshot.mode is Never, so rows from before were not loaded; a new "
               "spec.resyncToken loads as many as spec.snapshot says";
    }
    if (t->target < t->source) {
        return "rows are missing in StarRocks: somebody deleted them there, or they did "
               "not arrive; a new spec.resyncToken writes all rows once more";
    }
    return attempt_adopted(a)
               ? "the table was there before this resource, and rows that it held may be "
                 "among them; a new spec.resyncToken with resyncMode Truncate removes "
                 "all that MySQL does not have"
               : "somebody else writes to the table, or it has kept rows that MySQL no "
                 "longer has; a new spec.resyncToken with resyncMode Truncate removes "
                 "them";
}

const char *counting_words(struct attempt *a, const struct tally *t,
                           enum tally_verdict verdict)
{
    switch (verdict) {
    case TALLY_MATCH:
        return arena_printf(a->arena, "%s and %s hold %lld row%s each",
                            side(a, BIND_SOURCE), side(a, BIND_TARGET),
                            (long long)t->source, t->source == 1 ? "" : "s");
    case TALLY_WITHIN:
        return arena_printf(a->arena, "%s; spec.verify.tolerance allows %lld",
                            counting_apart(a, t), (long long)a->sync.verify_tolerance);
    case TALLY_MISMATCH:
        return arena_printf(a->arena, "%s, and neither number changed within %lld s: %s",
                            counting_apart(a, t),
                            (long long)t->still * a->sync.verify_settle_s, way_out(a, t));
    case TALLY_INCONCLUSIVE:
        return arena_printf(
            a->arena,
            "%s, at the last of %lld looks %lld s apart, and %s: what is on its way "
            "cannot be told from what is missing; count again when less is written, or "
            "allow for it in spec.verify.tolerance",
            counting_apart(a, t), (long long)t->looks, (long long)a->sync.verify_settle_s,
            t->source_moves && t->target_moves ? "both numbers kept changing"
            : t->source_moves                  ? "MySQL's number kept changing"
            : t->target_moves                  ? "StarRocks' number kept changing"
                              : "changes waited in RisingWave for as long");
    case TALLY_AGAIN:
    case TALLY_VERDICT_MAX:
        break;
    }
    return "";
}
