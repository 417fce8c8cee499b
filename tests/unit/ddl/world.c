#include "reader.h"

void world_init(struct world *w, struct arena *arena, const char *schema,
                const char *database)
{
    *w = (struct world){
        .arena = arena, .schema = schema, .database = database, .next_id = 7};
    w->sr.live_backends = 1;
}

void world_apply(struct world *w, const struct plan_step *step)
{
    AUTO(buf_deinit) struct buf sql = {0};
    struct reader r = {.w = w, .dialect = stmt_dialect(step->stmt)};

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
