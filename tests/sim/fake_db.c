/* What the three kinds of servers share. */
#include "fake_session.h"

#include "base/buf.h"
#include "base/heap.h"
#include "ddl/stmt.h"
#include "sim.h"

bool fake_db_accepts(const char *right, const char *password)
{
    return password != NULL && password[0] != '\0' &&
           (right == NULL || strcmp(right, password) == 0);
}

const char *fake_db_sql(const struct stmt *stmt, struct arena *arena)
{
    AUTO(buf_deinit) struct buf text;

    buf_init(&text, STMT_BYTES_MAX);
    stmt_render(stmt, &text);
    return buf_take(&text, arena);
}

bool fake_db_login(struct fake_db *db, enum sim_call_kind kind,
                   const struct fake_gate *gate, const struct db_endpoint *endpoint,
                   struct fault *fault)
{
    enum sim_verdict verdict = sim_call(db->sim, kind);

    if (verdict != SIM_PASS) {
        return sim_broken(db->sim, gate->host, fault);
    }
    if (!gate->known || gate->down) {
        return fault_set(fault, FAULT_UNAVAILABLE,
                         gate->known ? "Unreachable" : "UnknownHost",
                         "%s: connection refused", gate->host);
    }
    if (gate->refuses_login ||
        !fake_db_accepts(gate->password, secret_reveal(endpoint->password).p)) {
        return fault_set(fault, FAULT_DENIED, "AuthFailed",
                         "%s: Access denied for user '%s'", gate->host, endpoint->user);
    }
    db->open_sessions++;
    sim_answered(db->sim);
    return true;
}

void fake_db_carries_out(struct fake_db *db, const struct plan_step *step,
                         const char *tag, bool done)
{
    if (db->sim->on_statement != NULL) {
        db->sim->on_statement(db->sim, step, tag, done);
    }
}

bool fake_session_call(struct fake_session *session, bool down, enum sim_call_kind kind,
                       struct cancel *cancel, const char *what,
                       enum sim_verdict *out_verdict, struct fault *fault)
{
    struct sim *sim = session->db->sim;

    if (session->broken) {
        sim_violation(sim, "%s: a call on a session that is broken", what);
    }
    *out_verdict = sim_call(sim, kind);
    if (kind == SIM_CALL_RISINGWAVE_APPLY || kind == SIM_CALL_STARROCKS_APPLY) {
        sim_wrote(sim, what);
    }
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
    sim_answered(session->db->sim);
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

void fake_db_tick(struct fake_db *db)
{
    for (size_t i = 0; i < db->sr.n; i++) {
        fake_sr_tick(db, db->sr.v[i]);
    }
    for (size_t i = 0; i < db->rw.n; i++) {
        fake_rw_tick(db, db->rw.v[i]);
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
