/* fake_rw_job: one statement on its way through the RisingWave in memory. */
#ifndef FAKE_RW_JOB_H
#define FAKE_RW_JOB_H

#include "fake_db.h"
#include "sim.h"
#include "sql.h"

struct fake_rw_job {
    struct fake_db *db;
    struct fake_rw *rw;
    const struct plan_step *step;
    struct sql sql;
    const char *schema, *name;
    struct fault *fault;
};

/* "what: why", as the statement's own kind of refusal; false. */
bool fake_rw_refuse(struct fake_rw_job *j, const char *code, const char *why,
                    const char *what);
/* The server's words, judged as the real driver judges them; false. */
bool fake_rw_says(struct fake_rw_job *j, const char *code, const char *text);
/* Not understanding a statement of ours is never the server's fault. */
bool fake_rw_understood(struct fake_rw_job *j);
/* "schema"."name", which must be free for what is created. */
bool fake_rw_new_name(struct fake_rw_job *j);

bool fake_rw_create_table(struct fake_rw_job *j); /* from the name on, as the others */
bool fake_rw_alter_table(struct fake_rw_job *j);
bool fake_rw_create_sink(struct fake_rw_job *j);
bool fake_rw_alter_sink(struct fake_rw_job *j);

/* "BIGINT" -> "bigint", as the catalog shows it; NULL: no such type. */
const char *fake_rw_catalog_type(const char *written);

#endif
