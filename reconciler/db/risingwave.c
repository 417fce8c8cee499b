#include "db/risingwave.h"

#include "db/risingwave_private.h"

#include <string.h>

struct risingwave *risingwave_of(struct stream_db *db)
{
    return (struct risingwave *)(void *)db;
}

struct stmt *risingwave_stmt(const struct asking *a)
{
    return stmt_new(a->scratch, SQL_RISINGWAVE);
}

static bool run(const struct asking *a, const struct stmt *stmt, int64_t timeout_ms,
                struct risingwave_answer *out)
{
    return risingwave_wire_run(a->db->wire, stmt, a->what, timeout_ms, a->cancel,
                               a->scratch, out, a->fault);
}

bool risingwave_read(const struct asking *a, const struct stmt *stmt,
                     struct rows *out_rows)
{
    struct risingwave_answer answer;

    if (!run(a, stmt, DB_QUERY_TIMEOUT_MS, &answer)) {
        return false;
    }
    *out_rows = answer.rows;
    return true;
}

static bool set_background(const struct asking *a, bool background)
{
    struct risingwave_answer answer;
    struct stmt *s = risingwave_stmt(a);

    if (a->db->background == background) {
        return true;
    }
    if (background) {
        stmt_text(s, "SET background_ddl = true");
    } else {
        stmt_text(s, "SET background_ddl = false");
    }
    if (!run(a, s, DB_QUERY_TIMEOUT_MS, &answer)) {
        return false;
    }
    a->db->background = background;
    return true;
}

static bool set_parallelism(const struct asking *a, int64_t parallelism)
{
    struct risingwave_answer answer;
    struct stmt *s = risingwave_stmt(a);

    if (a->db->parallelism == parallelism) {
        return true;
    }
    stmt_text(s, "SET streaming_parallelism = ");
    if (parallelism == 0) {
        stmt_text(s, "default");
    } else {
        stmt_int(s, parallelism);
    }
    if (!run(a, s, DB_QUERY_TIMEOUT_MS, &answer)) {
        return false;
    }
    a->db->parallelism = parallelism;
    return true;
}

/* The contract shows no statement with a comment in front of it, so the run is named in
 * the session's application_name. A refusal costs the trace and nothing else. */
static bool set_trace(const struct asking *a, const char *tag)
{
    struct fault refused = FAULT_INIT;
    struct asking quiet = *a;
    struct risingwave_answer answer;
    struct stmt *s = risingwave_stmt(a);
    const char *name = peer_tag(tag, a->scratch);

    if (strcmp(a->db->traced, name) == 0) {
        return true;
    }
    quiet.fault = &refused;
    stmt_text(s, "SET application_name = ");
    stmt_str(s, sv_from(name));
    if (!run(&quiet, s, DB_QUERY_TIMEOUT_MS, &answer) && refused.class != FAULT_REFUSED &&
        refused.class != FAULT_DENIED) {
        *a->fault = refused;
        return false;
    }
    (void)memccpy(a->db->traced, name, '\0', sizeof(a->db->traced) - 1);
    return true;
}

static bool risingwave_apply(struct stream_db *db, const struct plan_step *step,
                             const char *tag, struct cancel *cancel, struct arena *arena,
                             struct db_result *out_result, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = {
        .db = risingwave_of(db),
        .cancel = cancel,
        .scratch = scratch,
        .arena = arena,
        .fault = fault,
        .what = arena_printf(scratch, "%s (%s)", step->sentence, step->object)};
    struct risingwave_answer answer;
    struct db_result result = {0};

    must(stmt_dialect(step->stmt) == SQL_RISINGWAVE);
    if (!set_background(&a, step->background) ||
        !set_parallelism(&a, step->parallelism) || (tag != NULL && !set_trace(&a, tag)) ||
        !run(&a, step->stmt, DB_DDL_TIMEOUT_MS, &answer)) {
        return false;
    }
    result.tag = arena_strdup(arena, answer.tag);
    for (size_t i = 0; i < answer.notices.n; i++) {
        VEC_PUSH(arena, &result.notices, arena_strdup(arena, answer.notices.v[i]));
    }
    *out_result = result;
    return true;
}

static void risingwave_close(struct stream_db *db)
{
    risingwave_wire_close(risingwave_of(db)->wire); /* frees the structure too */
}

static const struct stream_db_ops risingwave_ops = {
    .probe = risingwave_probe,
    .catalog = risingwave_catalog,
    .snapshot = risingwave_snapshot,
    .backlog = risingwave_backlog,
    .count_rows = risingwave_count_rows,
    .source_offset = risingwave_source_offset,
    .log_columns = risingwave_log_columns,
    .ghost_keys = risingwave_ghost_keys,
    .apply = risingwave_apply,
    .close = risingwave_close,
};

bool risingwave_open(const struct db_endpoint *endpoint, struct cancel *cancel,
                     struct stream_db **out_db, struct fault *fault)
{
    struct risingwave_wire *wire = NULL;

    if (!risingwave_wire_open(endpoint, cancel, &wire, fault)) {
        return false;
    }
    struct risingwave *db =
        ARENA_NEW(risingwave_wire_peer(wire)->arena, struct risingwave);
    db->base.ops = &risingwave_ops;
    db->wire = wire;
    *out_db = &db->base;
    return true;
}
