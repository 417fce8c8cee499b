/*
 * status: what the controller tells, as the CRD's status schema has it. Read back from
 * the object at the start of an attempt and written only when it differs.
 */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"

enum phase {
#define PHASE(name, text, meaning) PHASE_##name,
    PHASE_UNSET = 0,
#include "model/phases.def"
#undef PHASE
    PHASE_MAX
};

/* A child object: Source, Table, Sink (RisingWave), TargetTable (StarRocks). */
struct status_object {
    const char *kind, *name; /* name: schema.object or database.table */
    int64_t id;              /* RisingWave's id; 0 = unknown (not written) */
    bool owned, shared;
    const char *state; /* Pending, Creating, Ready, Missing, Failed, Retained */
    const char *hash;  /* of the definition we applied; may be NULL */
};

/* One statement of a plan. */
struct status_statement {
    const char *id;            /* 12 hex: what an approval covers */
    const char *system;        /* RisingWave, StarRocks */
    const char *object, *risk; /* Safe, Destructive */
    const char *sql;           /* redacted; cut when very long */
};

struct tsync_status {
    int64_t observed_generation; /* -1 while unseen */
    enum phase phase;
    const char *plan_hash, *applied_hash; /* "sha256:..." or NULL */
    struct {
        const char *schema_hash;
        int64_t columns;
        struct strlist primary_key;
        int64_t row_estimate; /* rounded to two digits, as the source's own guess is */
        const char *display;  /* "shop.orders" for the SOURCE column */
        /* CREATE_TIME of the table: another one means that it was rebuilt, truncated or
         * swapped. */
        const char *table_created_at;
        struct strlist kept_columns;     /* of the stream, gone from MySQL, kept */
        struct strlist unloaded_columns; /* added later: rows loaded before hold NULL */
    } source;
    struct {                   /* the re-sync asked for by spec.resyncToken */
        const char *token;     /* the last one handled; recorded before acting */
        const char *mode;      /* "InPlace", ...: as it was when the token was taken */
        const char *state;     /* InProgress, Done */
        int64_t table_version; /* of the CDC table that it makes */
    } resync;
    struct { /* a plan that waits for approval, or was approved and is being carried out
              */
        const char *hash;          /* "sha256:..."; NULL: none */
        const char *approved_hash; /* NULL: not approved */
        int64_t statements_total;  /* as many may be left out of the list below */
        VEC(struct status_statement) statements;
    } plan;
    const char *target_display; /* "ods.shop_orders" */
    VEC(struct status_object) objects;
    struct {
        const char *state; /* Pending, InProgress, Done, Skipped */
        int64_t rows;      /* -1 unknown */
        const char *started_at, *finished_at;
    } snapshot;
    struct {
        const char
            *source_offset;       /* "mysql-bin.000067" (file only: the position moves) */
        int64_t sink_lag_seconds; /* upper bound of the step it falls in; -1 unknown */
        const char *lag;          /* "<15s" for the LAG column; NULL unknown */
        int64_t undelivered;      /* rows waiting in the sink's log store, rounded up to
                                     a power of ten; -1 unknown */
    } stream;
    struct { /* the rows of both sides, counted */
        /* The last run that came to an end; result NULL: none did. */
        const char *at, *mode, *result, *message;
        int64_t source_rows, target_rows; /* -1 unknown */
        const char *next_at;              /* by spec.verify.schedule; NULL: no schedule */
        const char
            *request; /* the verify annotation's value taken and not answered yet */
        const char *handled_request; /* the one answered last */
    } verification;
    struct {
        int64_t id; /* audit run; 0 = none */
        const char *run_id, *trigger, *result;
        int64_t steps, duration_ms;
    } last_run;
    int64_t retries;
    const char *next_retry_at; /* NULL: none */
    const char *handled_retry; /* the retry annotation's value last acted on */
};

void tsync_status_read(const struct json *status, struct arena *arena,
                       struct tsync_status *out_status);
/* Fills `object` (an empty JSON object) without conditions; absent values are left out.
 */
void tsync_status_write(const struct tsync_status *status, struct json *object);

struct dbconn_source { /* a shared CDC source that lives on this MySQL connection */
    const char *database, *rw_source, *rw_connection;
    int64_t server_id, users;
};

struct dbconn_status {
    int64_t observed_generation;
    const char *server_version, *server_uuid;
    const char *binlog_format, *row_image; /* MySQL */
    int64_t gtid, binlog_expire_seconds; /* gtid: -1 unknown, 0, 1; expire: -1 unknown */
    int64_t live_backends;               /* StarRocks; -1 unknown */
    const char *license;                 /* RisingWave; NULL unknown */
    struct strlist unavailable_features; /* RisingWave: what the licence leaves out */
    /* RisingWave; -1 unknown. Actors are written rounded up, to two digits. */
    int64_t actors, parallelism;
    VEC(struct dbconn_source) sources;
    int64_t in_use_by;
    struct strlist users; /* TableSyncs that name it, sorted; the first
                             STATUS_USERS_MAX */
};
void dbconn_status_read(const struct json *status, struct arena *arena,
                        struct dbconn_status *out_status);
void dbconn_status_write(const struct dbconn_status *status, struct json *object);

const char *phase_name(enum phase phase);
enum phase phase_parse(const char *text);

/* Steps of lag, in seconds, that status shows, so that an idle stream writes nothing:
 * 15, 30, 60, 120, 300, 600, 1800, 3600, 10800, 43200, 86400, then whole days. */
int64_t status_lag_step(int64_t lag_seconds);
char *status_lag_text(struct arena *arena,
                      int64_t step_seconds); /* "<15s", "<2m", "<3h" */
int64_t status_round_up(int64_t value);      /* 0, then the next power of ten */
int64_t status_round_rows(int64_t value);    /* two significant digits */

#endif
