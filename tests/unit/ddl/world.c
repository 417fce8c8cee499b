#include "reader.h"

void world_init(struct world *w, struct arena *arena, const char *schema,
                const char *database)
{
    *w = (struct world){
        .arena = arena, .schema = schema, .database = database, .next_id = 7};
    w->sr.live_backends = 1;
}

const char *world_digest(struct world *w, const char *password)
{
    char hex[SECRET_DIGEST_SIZE];

    if (password == NULL) {
        return NULL;
    }
    secret_digest(sv_from(password), hex);
    return arena_strdup(w->arena, hex);
}

/* Not a statement: keys are read from a log store, and deleted. */
static void delete_ghosts(struct world *w, const struct plan_step *step)
{
    const struct rw_sink *sink = rw_catalog_sink(&w->rw, step->ghosts_of);

    assert_int_equal(step->system, PLAN_STARROCKS);
    assert_non_null(sink);
    assert_int_equal(sink->rate_limit, 0);
    assert_true(sv_find(sv_from(stmt_redacted(step->stmt, w->arena)),
                        sv_from(step->ghosts_of)) != SIZE_MAX);
}

void world_apply(struct world *w, const struct plan_step *step)
{
    AUTO(buf_deinit) struct buf sql = {0};
    struct reader r = {.w = w, .dialect = stmt_dialect(step->stmt)};

    if (step->kind == PLAN_DELETE_GHOSTS) {
        delete_ghosts(w, step);
        return;
    }
    buf_init(&sql, STMT_BYTES_MAX);
    stmt_render(step->stmt, &sql);
    assert_false(buf_overflowed(&sql));
    r.sql = arena_copy(w->arena, buf_sv(&sql));
    r.rest = sv_from(r.sql);
    assert_int_equal(r.dialect,
                     step->system == PLAN_RISINGWAVE ? SQL_RISINGWAVE : SQL_STARROCKS);
    reader_advance(&r);
    if (step->system == PLAN_RISINGWAVE) {
        world_apply_rw(&r);
    } else {
        world_apply_sr(&r);
    }
    if (r.next.kind != TOKEN_END) {
        fail_msg("the statement goes on with '%.*s': %s", SV_ARGS(r.next.text), r.sql);
    }
}
