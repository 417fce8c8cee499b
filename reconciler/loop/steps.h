/* steps: the reconcile as a list. See steps.c. */
#ifndef LOOP_STEPS_H
#define LOOP_STEPS_H

#include "loop/attempt.h"

enum step_result {
    STEP_CONTINUE = 1, /* go on with the next step */
    STEP_DONE,         /* the attempt is over: report nothing more */
    STEP_REQUEUE,      /* report now, come back after attempt.requeue_ms */
    STEP_FAULT         /* report the fault */
};

struct step {
    const char *name;
    enum step_result (*run)(struct attempt *a, struct fault *fault);
    enum condition condition; /* where a fault of this step belongs */
    const char *sentence;
};

const struct step *steps_list(size_t *out_count);

/* Runs the list top to bottom, then report(). Returns false with the fault that ended it.
 */
bool steps_run(struct attempt *a, struct fault *fault);

enum step_result step_load(struct attempt *a, struct fault *fault);
enum step_result step_finalize(struct attempt *a, struct fault *fault);
enum step_result step_validate(struct attempt *a, struct fault *fault);
enum step_result step_connections(struct attempt *a, struct fault *fault);
enum step_result step_hold(struct attempt *a, struct fault *fault);
enum step_result step_login(struct attempt *a, struct fault *fault);
enum step_result step_preflight(struct attempt *a, struct fault *fault);
/* Adds to the attempt's replica_ids what this controller's other sources on the same
 * MySQL server use, as their connections' status tells. */
void preflight_own_ids(struct attempt *a);
enum step_result step_observe_source(struct attempt *a, struct fault *fault);
enum step_result step_resolve(struct attempt *a, struct fault *fault);
enum step_result step_inspect(struct attempt *a, struct fault *fault);
enum step_result step_observe_targets(struct attempt *a, struct fault *fault);
enum step_result step_position(struct attempt *a, struct fault *fault);
/* What SourceReady says of a source that reads. */
void position_source_shared(struct attempt *a);
/* The condition says that changes are missing, and the fault something else, which is
 * told in Ready alone: only the step itself may take that back. */
bool position_keeps(const struct attempt *a, enum condition condition,
                    const struct fault *fault);
/* Before anything is built on a source whose position is lost: everybody who reads it has
 * taken note, and the plan lets it go on. May ask to come back later. */
enum step_result position_prepare(struct attempt *a);
/* With the turn to run DDL: whoever had it before may have done so. */
void position_look_again(struct attempt *a);
enum step_result step_identity(struct attempt *a, struct fault *fault);
/* Reads both catalogs into the attempt, at most age_ms old. */
#define CATALOG_AGE_BUSY_MS 500
MUST_CHECK bool observe_targets(struct attempt *a, int64_t age_ms, struct fault *fault);
enum step_result step_resync(struct attempt *a, struct fault *fault);
enum step_result step_plan(struct attempt *a, struct fault *fault);
enum step_result step_gate(struct attempt *a, struct fault *fault);
enum step_result step_apply(struct attempt *a, struct fault *fault);
enum step_result step_verify(struct attempt *a, struct fault *fault);
enum step_result step_count(struct attempt *a, struct fault *fault);
/* A count that came to its end, once status has it: Event and metric. */
void count_tell(struct attempt *a);

/* Why nothing is delivered for a while. */
#define ROTATION_WORDS                                                                   \
    "StarRocks' address or account changed, and rows wait in RisingWave until a new "    \
    "sink has taken over"
/* "3 statements to run, first: create the sink tablesync.k_x_v2", and what it waits for
 * (NULL: nothing). The plan must have steps. */
const char *steps_words(struct attempt *a, const char *waiting);

/* After everything else went well: a re-sync whose rows are all there is done. */
void resync_settle(struct attempt *a);
const char *resync_words(struct attempt *a); /* for the Event about that */

/*
 * Before heavy work: Ready=False and Reconciling with `message` in status, so that nobody
 * takes a resource for ready while its objects are being changed.
 */
MUST_CHECK bool report_intent(struct attempt *a, const char *message,
                              struct fault *fault);

/* Writes status as it is so far, in the middle of an attempt. */
MUST_CHECK bool report_write(struct attempt *a, struct fault *fault);

/* Writes status and transition Events from what the attempt knows; `fault` may be NULL.
 */
MUST_CHECK bool report(struct attempt *a, const struct fault *fault,
                       struct fault *out_fault);

#endif
