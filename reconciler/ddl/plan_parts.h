/*
 * plan_parts: what the files of the planner share. plan_check.c says whether anything may
 * be done, plan_rw.c and plan_sr.c write the statements, plan.c puts them in order.
 */
#ifndef DDL_PLAN_PARTS_H
#define DDL_PLAN_PARTS_H

#include "ddl/plan.h"

struct planner {
    const struct desired *d;
    const struct rw_catalog *rw;
    const struct sr_catalog *sr;
    struct arena *arena;
    struct plan *plan;
    /* Found by plan_check(); NULL: not there. */
    const struct rw_source *source;
    const struct rw_table *table;
    const struct rw_sink *sink;
    const struct sr_table *target;
};

/* Every refusal, before a single step is planned; fills the found objects. */
MUST_CHECK bool plan_check(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_check_target(struct planner *p, struct fault *fault);

/* Adds "; <difference>". A report that is too long keeps its beginning. */
void plan_report(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Column `index` as it is to be written. A BIGINT UNSIGNED key whose large values were
 * deleted since keeps the text column that it was given.
 */
struct column_map plan_column(const struct planner *p, size_t index);

/* Adds a step after checking its statement; it may be completed through the result. */
MUST_CHECK bool plan_push(struct plan *plan, struct arena *arena, struct plan_step step,
                          struct fault *fault);
void plan_finish(struct plan *plan, struct arena *arena); /* the hash */

MUST_CHECK bool plan_rw_objects(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_rw_sink(struct planner *p, struct fault *fault);
MUST_CHECK bool plan_sr_objects(struct planner *p, struct fault *fault);

/* "a,b", as the sink's primary_key option has them. */
const char *plan_key_names(const struct desired *d, struct arena *arena);
char *plan_object(struct arena *arena, const struct ident *outer,
                  const struct ident *inner);

#endif
