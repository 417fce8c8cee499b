/* target: the port to StarRocks. See db.h. */
#ifndef DB_TARGET_H
#define DB_TARGET_H

#include "base/cancel.h"
#include "ddl/observed.h"
#include "ddl/plan.h"
#include "ddl/tally.h"

struct db_result;

struct target_db;
struct target_db_ops {
    bool (*probe)(struct target_db *db, struct cancel *cancel, struct arena *arena,
                  struct sr_server *out_server, struct fault *fault);
    bool (*catalog)(struct target_db *db, const char *database, struct cancel *cancel,
                    struct arena *arena, struct sr_catalog *out_catalog,
                    struct fault *fault);
    bool (*apply)(struct target_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault);
    /* All rows of a table; -1: it took longer than the query allows. */
    bool (*count_all)(struct target_db *db, const struct tally_query *query,
                      struct cancel *cancel, int64_t *out_rows, struct fault *fault);
    void (*close)(struct target_db *db);
};
struct target_db {
    const struct target_db_ops *ops;
};

#endif
