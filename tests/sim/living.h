/* living: a table whose rows and columns change while it is replicated. */
#ifndef LIVING_H
#define LIVING_H

#include "shop.h"

#define LIVING "users"
#define LIVING_STILL 5 /* keys up to this are never touched by living_churn() */

/* The shop with one TableSync, of table users, which has a column more (qty INT) and
 * keeps few rows; Ready, and everything delivered. */
struct sim *living_open(uint64_t seed);
/* The same in a sim that is there; for trials, whose seeds are given. */
void living_grow(struct sim *sim);

struct fake_upstream *living_table(struct sim *sim);
/* The newest of its sinks, of its CDC tables; NULL: none. */
struct fake_stream_object *living_sink(struct sim *sim);
struct fake_stream_object *living_stream(struct sim *sim);
struct fake_sr_table *living_target(struct sim *sim);
const struct sr_column *living_target_column(struct sim *sim, const char *name);

/* type as in SHOW CREATE TABLE: "int", "varchar(80)", "decimal(12,2)", "text". */
struct mysql_column living_column(const char *name, const char *type);
void living_add(struct sim *sim, const char *name, const char *type);
void living_modify(struct sim *sim, const char *name, const char *type);

/* spec.<path> of the TableSync; value is JSON. */
void living_edit(struct sim *sim, const char *path, const char *value);
/* {"policy":"<policy>"}, as the whole of spec.schemaChange. */
void living_policy(struct sim *sim, const char *policy);
void living_resync(struct sim *sim, const char *token, const char *mode);
/* Approves the plan that status shows. */
void living_approve(struct sim *sim);

/* Inserts, changes or deletes one row of few, at random: for sim.on_moment. */
void living_churn(struct sim *sim);
/* So long from now on; INT64_MAX: until living_calm(). */
void living_churn_for(struct sim *sim, int64_t duration_ms);
/* No more churn, and time for what was written to arrive. */
void living_calm(struct sim *sim);

/* For sim_run_until(). */
bool living_is_ready(struct sim *sim);
bool living_is_stalled(struct sim *sim);
/* Ready, and the sink of the start was replaced. */
bool living_has_new_sink(struct sim *sim);
bool living_is_handled(struct sim *sim); /* the re-sync: status says that it is done */

/* --- what must hold --- */
void living_check_reason(struct sim *sim, const char *type, const char *reason);
/* Rows equal, one sink, one CDC table, and nothing written at the next looks. */
void living_check_settled(struct sim *sim);
/* The statements after the first `skipped` are these, each by two parts of its text. */
struct living_statement {
    const char *first, *second;
};
void living_check_statements(struct sim *sim, int64_t skipped,
                             const struct living_statement *expected, size_t count);

/* Accidents, each over when it returns: StarRocks is down for 40 s, RisingWave recovers
 * for 30 s, the controller restarts again and again, any call may fail for minutes. */
void living_starrocks_is_down(struct sim *sim);
void living_risingwave_recovers(struct sim *sim);
void living_controller_restarts(struct sim *sim);
void living_nothing_can_be_trusted(struct sim *sim);

#endif
