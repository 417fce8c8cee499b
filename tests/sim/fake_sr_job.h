/* fake_sr_job: one statement on its way through the StarRocks in memory. */
#ifndef FAKE_SR_JOB_H
#define FAKE_SR_JOB_H

#include "fake_db.h"
#include "sim.h"
#include "sql.h"

struct fake_sr_job {
    struct fake_db *db;
    struct fake_sr *sr;
    const struct plan_step *step;
    struct sql sql;
    struct fault *fault;
};

bool fake_sr_run(struct fake_sr_job *j);
/* Keys drop, add and modify columns; comments; TRUNCATE. From the table's name on. */
bool fake_sr_alter_table(struct fake_sr_job *j);
bool fake_sr_truncate(struct fake_sr_job *j);
bool fake_sr_delete(struct fake_sr_job *j); /* the whole statement */

/* "why: what", judged as the real driver judges the server's words; false. */
bool fake_sr_refuse(struct fake_sr_job *j, const char *code, const char *why,
                    const char *what);
/* Not understanding a statement of ours is never the server's fault. */
bool fake_sr_understood(struct fake_sr_job *j);
/* `name` type [NOT] NULL [DEFAULT 'x'] [COMMENT 'x'] */
struct sr_column fake_sr_read_column(struct fake_sr_job *j);
bool fake_sr_has_database(const struct fake_sr *sr, const char *database);

#endif
