#include "loop/ghosts_run.h"

#include "loop/statement.h"

/* SQLSTATE of a name that does not exist (RisingWave 3.0.3 error/code.rs). */
#define NOT_FOUND "42704"

struct hunt {
    struct attempt *a;
    const struct plan_step *step;
    const char *log_table;
    struct strlist columns; /* of the log table */
    struct strlist last;    /* the last key of the page before; none before the first */
    int64_t deleted;
};

static size_t rows_of(const struct ghost_keys *keys)
{
    return keys->width == 0 ? 0 : keys->cells.n / keys->width;
}

/* The catalog may be some moments old: what it named can be gone. Always false. */
static bool read_failed(struct attempt *a, struct fault *fault)
{
    if (strcmp(fault->code, NOT_FOUND) == 0) {
        lane_forget(a->bindings[BIND_RISINGWAVE].lane);
        return fault_set(fault, FAULT_CONFLICT, NULL,
                         "read what a sink did not deliver: the object went meanwhile");
    }
    return fault_wrap(fault, "read what sink %s did not deliver", a->plan.sink);
}

/* What is delivered after policies: there a key that was once delivered as text stays
 * text, whatever the MySQL table alone would make of it. */
static const struct desired *definition(const struct attempt *a)
{
    return a->plan.definition != NULL ? a->plan.definition : &a->desired;
}

static bool read_page(struct hunt *h, int64_t offset, struct arena *arena,
                      struct ghost_keys *out_keys, struct fault *fault)
{
    struct attempt *a = h->a;
    struct stream_db *db = a->bindings[BIND_RISINGWAVE].session.stream;
    struct ghosts_query query = {0};

    if (!ghosts_query(definition(a), a->plan.table, h->log_table, &h->columns, offset,
                      arena, &query, fault)) {
        return false;
    }
    return db->ops->ghost_keys(db, &query, &a->cancel, arena, out_keys, fault) ||
           read_failed(a, fault);
}

static bool is_last(const struct hunt *h, const struct ghost_keys *keys, size_t row)
{
    for (size_t i = 0; i < keys->width; i++) {
        if (strcmp(keys->cells.v[row * keys->width + i], h->last.v[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The row behind the last one of the page before; SIZE_MAX: that one is not here, so some
 * may have been passed over. */
static size_t first_new(const struct hunt *h, const struct ghost_keys *keys)
{
    if (h->last.n == 0) {
        return 0;
    }
    for (size_t row = 0; row < rows_of(keys); row++) {
        if (is_last(h, keys, row)) {
            return row + 1;
        }
    }
    return SIZE_MAX;
}

static void note_last(struct hunt *h, const struct ghost_keys *keys)
{
    size_t at = (rows_of(keys) - 1) * keys->width;

    h->last.n = 0;
    for (size_t i = 0; i < keys->width; i++) {
        VEC_PUSH(h->a->arena, &h->last,
                 (const char *)arena_strdup(h->a->arena, keys->cells.v[at + i]));
    }
}

static bool delete_rows(struct hunt *h, const struct ghost_keys *keys, size_t first,
                        struct arena *arena, struct fault *fault)
{
    size_t rows = rows_of(keys);

    while (first < rows) {
        size_t count =
            rows - first < GHOSTS_DELETE_ROWS ? rows - first : GHOSTS_DELETE_ROWS;
        struct plan_step step = *h->step;

        if (!cancel_check(&h->a->cancel, "delete rows that MySQL deleted", fault) ||
            !ghosts_delete(definition(h->a), keys, first, count, arena, &step.stmt,
                           fault) ||
            !statement_run(h->a, &step, arena, fault)) {
            return false;
        }
        h->deleted += (int64_t)count;
        first += count;
    }
    return true;
}

/*
 * Through the list from its front. Between two pages keys may join it, which does no
 * harm, or leave it, which moves those behind them forward: *out_whole tells whether each
 * page was seen to continue the one before.
 */
static bool pass(struct hunt *h, bool *out_whole, struct fault *fault)
{
    int64_t offset = 0;

    h->last.n = 0;
    h->deleted = 0;
    for (;;) {
        AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
        struct ghost_keys keys = {0};
        size_t first = 0;

        if (!read_page(h, offset, arena, &keys, fault)) {
            return false;
        }
        first = first_new(h, &keys);
        if (first == SIZE_MAX) {
            *out_whole = false;
            return true;
        }
        if (!delete_rows(h, &keys, first, arena, fault)) {
            return false;
        }
        if (rows_of(&keys) < GHOSTS_PAGE_ROWS) {
            *out_whole = true;
            return true;
        }
        note_last(h, &keys);
        offset += (int64_t)rows_of(&keys) - GHOSTS_OVERLAP;
    }
}

static bool hunt(struct hunt *h, struct fault *fault)
{
    bool whole = false;

    for (int i = 0; i < GHOSTS_PASSES_MAX && !whole; i++) {
        if (!pass(h, &whole, fault)) {
            return false;
        }
    }
    return whole || fault_set(fault, FAULT_CONFLICT, NULL,
                              "the rows that sink %s did not delete change faster than "
                              "they can be read",
                              h->step->ghosts_of);
}

static void tell(struct hunt *h)
{
    struct attempt *a = h->a;
    const char *note = NULL;

    if (h->deleted == 0) {
        return;
    }
    note = arena_printf(a->arena,
                        "%lld row%s deleted in MySQL while the sink could not deliver "
                        "%s removed from %s",
                        (long long)h->deleted, h->deleted == 1 ? "" : "s",
                        h->deleted == 1 ? "was" : "were", h->step->object);
    attempt_audit_log(a, "info", "%s", note);
    attempt_event(a, false, plan_kind_name(h->step->kind), "Reconcile", note);
}

static bool is_paused(const struct attempt *a)
{
    const struct rw_sink *successor =
        a->plan.sink == NULL ? NULL : rw_catalog_sink(&a->rw->u.rw, a->plan.sink);

    return successor != NULL && !successor->creating && successor->rate_limit == 0;
}

bool ghosts_run(struct attempt *a, const struct plan_step *step, struct fault *fault)
{
    const struct binding *rw = &a->bindings[BIND_RISINGWAVE];
    const struct rw_sink *old = rw_catalog_sink(&a->rw->u.rw, step->ghosts_of);
    struct hunt h = {.a = a, .step = step};

    if (!is_paused(a)) { /* a row it is about to write must not go first */
        lane_forget(rw->lane);
        return fault_set(fault, FAULT_CONFLICT, NULL,
                         "sink %s is not seen paused, so no row may be deleted yet",
                         a->plan.sink == NULL ? "(none)" : a->plan.sink);
    }
    if (old != NULL) {
        h.log_table = rw_catalog_internal(&a->rw->u.rw, old->id, "_sink_");
    }
    if (h.log_table == NULL) {
        attempt_audit_log(a, "info",
                          "sink %s has no log store any more: what it did not delete "
                          "cannot be known",
                          step->ghosts_of);
        return true;
    }
    if (!rw->session.stream->ops->log_columns(rw->session.stream, rw->conn.rw_schema,
                                              h.log_table, &a->cancel, a->arena,
                                              &h.columns, fault)) {
        return read_failed(a, fault);
    }
    if (!hunt(&h, fault)) {
        return false;
    }
    tell(&h);
    return true;
}
