/* What the three kinds of servers share, and the rows that flow between them. */
#include "fake_session.h"

#include "base/heap.h"
#include "sim.h"

#define DRAIN_MS 2000 /* a row waits this long in a sink that delivers */

bool fake_db_login(struct fake_db *db, const struct fake_gate *gate,
                   const struct db_endpoint *endpoint, struct fault *fault)
{
    enum sim_verdict verdict = sim_call(db->sim, SIM_CALL_OPEN);

    if (verdict != SIM_PASS) {
        return sim_broken(db->sim, gate->host, fault);
    }
    if (!gate->known || gate->down) {
        return fault_set(fault, FAULT_UNAVAILABLE,
                         gate->known ? "Unreachable" : "UnknownHost",
                         "%s: connection refused", gate->host);
    }
    if (gate->refuses_login || secret_reveal(endpoint->password).n == 0) {
        return fault_set(fault, FAULT_DENIED, "AuthFailed",
                         "%s: Access denied for user '%s'", gate->host, endpoint->user);
    }
    db->open_sessions++;
    return true;
}

bool fake_session_call(struct fake_session *session, bool down, bool apply,
                       struct cancel *cancel, const char *what,
                       enum sim_verdict *out_verdict, struct fault *fault)
{
    struct sim *sim = session->db->sim;

    if (session->broken) {
        sim_violation(sim, "%s: a call on a session that is broken", what);
    }
    *out_verdict = sim_call(sim, apply ? SIM_CALL_APPLY : SIM_CALL_READ);
    session->broken = true;
    if (*out_verdict == SIM_BREAK) {
        return sim_broken(sim, what, fault);
    }
    if (down) {
        return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable",
                         "%s: server has gone away", session->host);
    }
    if (!cancel_check(cancel, what, fault)) {
        return false;
    }
    session->broken = false;
    fake_db_tick(session->db);
    return true;
}

bool fake_session_end(struct fake_session *session, enum sim_verdict verdict,
                      const char *what, struct fault *fault)
{
    if (verdict != SIM_LOST) {
        return true;
    }
    session->broken = true;
    return sim_broken(session->db->sim, what, fault);
}

void fake_session_close(struct fake_session *session)
{
    session->db->open_sessions--;
    heap_free(session);
}

/* --- rows --- */

static struct fake_upstream *upstream_of(struct fake_db *db,
                                         const struct fake_stream_object *table,
                                         const struct fake_rw *rw)
{
    const struct fake_stream_object *source = fake_rw_by_id(rw, table->uses);
    struct fake_mysql *mysql =
        source == NULL ? NULL : fake_db_mysql(db, source->hostname);

    for (size_t i = 0; mysql != NULL && i < mysql->tables.n; i++) {
        struct fake_upstream *up = mysql->tables.v[i];
        struct sv rest = sv_from(table->upstream);
        struct sv database = sv_cut(&rest, '.');

        if (sv_eq(database, sv_from(up->table.database)) &&
            sv_eq(rest, sv_from(up->table.name))) {
            return up;
        }
    }
    return NULL;
}

static void pass_on(struct fake_db *db, struct fake_rw *rw,
                    struct fake_stream_object *table, int64_t rows)
{
    table->rows += rows;
    for (size_t i = 0; i < rw->objects.n; i++) {
        struct fake_stream_object *sink = rw->objects.v[i];

        if (sink->kind != FAKE_SINK || sink->uses != table->id || !sink->built) {
            continue; /* what is not built yet will find the rows in the table */
        }
        if (sink->pending == 0) {
            sink->pending_since_ms = db->sim->clock.now_ms;
        }
        sink->pending += rows;
    }
}

static void tick_table(struct fake_db *db, struct fake_rw *rw,
                       struct fake_stream_object *table)
{
    const struct fake_upstream *up = upstream_of(db, table, rw);

    if (!table->live && db->sim->clock.now_ms >= table->loaded_ms && up != NULL) {
        table->live = true;
        pass_on(db, rw, table, up->rows);
    }
}

static void fail_event(struct fake_db *db, struct fake_rw *rw,
                       const struct fake_stream_object *sink)
{
    struct rw_event event = {.type = "SINK_FAIL",
                             .object = sink->name,
                             .error = "Stream load failed",
                             .object_id = sink->id,
                             .at_ms = sim_wall_ms(db->sim)};

    rw->events.n = 0; /* one is enough to tell why */
    VEC_PUSH(db->sim->arena, &rw->events, event);
}

static void tick_sink(struct fake_db *db, struct fake_rw *rw,
                      struct fake_stream_object *sink)
{
    int64_t now_ms = db->sim->clock.now_ms;
    const struct fake_stream_object *table = fake_rw_by_id(rw, sink->uses);
    struct fake_sr *sr = fake_db_sr(db, sink->target_host);
    struct fake_sr_table *target =
        sr == NULL || sr->down
            ? NULL
            : fake_sr_find(sr, sink->target_database, sink->target_table);

    if (!sink->built && now_ms >= sink->built_ms && target != NULL && table != NULL) {
        sink->built = true;
        target->rows = table->rows;
    }
    if (sink->pending == 0 || sink->rate_limit == 0 || !sink->built || rw->cut_off) {
        return;
    }
    if (target == NULL) {
        fail_event(db, rw, sink);
    } else if (now_ms - sink->pending_since_ms >= DRAIN_MS) {
        target->rows += sink->pending;
        sink->pending = 0;
    }
}

void fake_db_tick(struct fake_db *db)
{
    for (size_t i = 0; i < db->rw.n; i++) {
        struct fake_rw *rw = db->rw.v[i];

        for (size_t k = 0; k < rw->objects.n; k++) {
            struct fake_stream_object *o = rw->objects.v[k];

            if (o->kind == FAKE_TABLE) {
                tick_table(db, rw, o);
            } else if (o->kind == FAKE_SINK) {
                tick_sink(db, rw, o);
            }
        }
    }
}

void fake_mysql_write(struct fake_db *db, struct fake_mysql *mysql, const char *database,
                      const char *name, int64_t rows)
{
    struct fake_upstream *written = NULL;

    fake_db_tick(db);
    for (size_t i = 0; i < mysql->tables.n; i++) {
        struct fake_upstream *up = mysql->tables.v[i];

        if (strcmp(up->table.database, database) == 0 &&
            strcmp(up->table.name, name) == 0) {
            up->rows += rows;
            written = up;
        }
    }
    must(written != NULL);
    for (size_t i = 0; i < db->rw.n; i++) {
        for (size_t k = 0; k < db->rw.v[i]->objects.n; k++) {
            struct fake_stream_object *o = db->rw.v[i]->objects.v[k];

            if (o->kind == FAKE_TABLE && o->live &&
                upstream_of(db, o, db->rw.v[i]) == written) {
                pass_on(db, db->rw.v[i], o, rows);
            }
        }
    }
}

/* --- which servers there are --- */

#define FIND(list, wanted)                                                               \
    for (size_t i = 0; i < (list).n; i++) {                                              \
        if (strcmp((list).v[i]->host, wanted) == 0) {                                    \
            return (list).v[i];                                                          \
        }                                                                                \
    }                                                                                    \
    return NULL

struct fake_mysql *fake_db_mysql(struct fake_db *db, const char *host)
{
    FIND(db->mysql, host);
}

struct fake_rw *fake_db_rw(struct fake_db *db, const char *host)
{
    FIND(db->rw, host);
}

struct fake_sr *fake_db_sr(struct fake_db *db, const char *host)
{
    FIND(db->sr, host);
}

struct fake_rw *fake_db_add_rw(struct fake_db *db, const char *host)
{
    struct fake_rw *rw = ARENA_NEW(db->sim->arena, struct fake_rw);

    rw->host = host;
    VEC_PUSH(db->sim->arena, &db->rw, rw);
    return rw;
}

struct fake_sr *fake_db_add_sr(struct fake_db *db, const char *host, const char *database)
{
    struct fake_sr *sr = ARENA_NEW(db->sim->arena, struct fake_sr);

    sr->host = host;
    sr->live_backends = 3;
    VEC_PUSH(db->sim->arena, &sr->databases, database);
    VEC_PUSH(db->sim->arena, &db->sr, sr);
    return sr;
}
