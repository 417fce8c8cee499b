#include "db/risingwave_wire.h"

#include "db/resolve.h"
#include "db/risingwave_wire_private.h"
#include "db/tls_trace.h"

#include <libpq-fe.h>
#include <poll.h>

struct risingwave_wire {
    struct peer *peer; /* its arena holds this structure too */
    PGconn *conn;
    bool broken;
    /* While a statement runs: where its notices go. */
    struct arena *arena;
    struct strlist *notices;
};

static void result_clearp(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

const struct peer *risingwave_wire_peer(const struct risingwave_wire *wire)
{
    return wire->peer;
}

static void keep_notice(void *argument, const PGresult *result)
{
    struct risingwave_wire *wire = argument;
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (wire->notices == NULL || wire->notices->n == RISINGWAVE_NOTICES_MAX) {
        return;
    }
    VEC_PUSH(wire->arena, wire->notices,
             peer_text(wire->peer, sv_from(text), wire->arena));
}

/* libpq's own failures carry no SQLSTATE, nor does a login that RisingWave refuses. */
static bool connection_failed(struct risingwave_wire *wire, const char *what,
                              struct fault *fault)
{
    wire->broken = true;
    return peer_fault(
        wire->peer, &(struct peer_answer){what, "", sv_from(PQerrorMessage(wire->conn))},
        NULL, fault);
}

static bool wait_for(struct risingwave_wire *wire, short events,
                     const struct cancel *cancel, const char *what, struct fault *fault)
{
    if (cancel_poll(cancel, PQsocket(wire->conn), events, what, fault)) {
        return true;
    }
    wire->broken = true;
    return peer_wrap(wire->peer, fault);
}

static bool login_failed(struct risingwave_wire *wire, const char *what,
                         struct fault *fault)
{
    wire->broken = true;
    return peer_login_fault(
        wire->peer, &(struct peer_answer){what, "", sv_from(PQerrorMessage(wire->conn))},
        NULL, fault);
}

static bool finish_connect(struct risingwave_wire *wire, const struct cancel *cancel,
                           const char *what, struct fault *fault)
{
    short events = POLLOUT;

    if (PQstatus(wire->conn) == CONNECTION_BAD) {
        return login_failed(wire, what, fault);
    }
    for (;;) {
        if (!wait_for(wire, events, cancel, what, fault)) {
            return false;
        }
        switch (PQconnectPoll(wire->conn)) {
        case PGRES_POLLING_OK:
            return true;
        case PGRES_POLLING_READING:
            events = POLLIN;
            break;
        case PGRES_POLLING_WRITING:
        case PGRES_POLLING_ACTIVE:
            events = POLLOUT;
            break;
        case PGRES_POLLING_FAILED:
            return login_failed(wire, what, fault);
        }
    }
}

/* libpq reads the files while it connects. */
static bool log_in(struct risingwave_wire *wire, const struct strlist *addresses,
                   const struct cancel *cancel, const char *what, struct fault *fault)
{
    const struct peer *peer = wire->peer;
    AUTO(tls_files_close) struct tls_files files = TLS_FILES_INIT;

    if (!tls_files_open(&peer->tls, peer->tls_mode, &files, fault)) {
        return peer_wrap(peer, fault);
    }
    tls_trace_begin();
    wire->conn = risingwave_wire_start(peer, addresses, &files);
    must(wire->conn != NULL);
    return finish_connect(wire, cancel, what, fault);
}

bool risingwave_wire_open(const struct db_endpoint *endpoint, struct cancel *cancel,
                          struct risingwave_wire **out_wire, struct fault *fault)
{
    struct peer *peer = peer_new(endpoint, DB_RISINGWAVE);
    AUTO(risingwave_wire_closep)
    struct risingwave_wire *wire = ARENA_NEW(peer->arena, struct risingwave_wire);
    const char *what = arena_printf(peer->arena, "login as %s", peer->user);
    struct strlist addresses = {0};
    struct cancel limit;

    wire->peer = peer;
    cancel_init_child(&limit, cancel, DB_CONNECT_TIMEOUT_MS);
    if (!resolve_host(peer->host, "looking up the host", &limit, peer->arena, &addresses,
                      fault)) {
        return peer_wrap(peer, fault);
    }
    if (!log_in(wire, &addresses, &limit, what, fault)) {
        return false;
    }
    (void)PQsetNoticeReceiver(wire->conn, keep_notice, wire);
    if (PQsetnonblocking(wire->conn, 1) != 0) {
        return connection_failed(wire, what, fault);
    }
    *out_wire = TAKE(wire);
    return true;
}

void risingwave_wire_close(struct risingwave_wire *wire)
{
    if (wire == NULL) {
        return;
    }
    PQfinish(wire->conn);
    peer_free(wire->peer);
}

void risingwave_wire_closep(struct risingwave_wire **wire)
{
    risingwave_wire_close(*wire);
    *wire = NULL;
}

/* One statement under way. */
struct run {
    struct risingwave_wire *wire;
    const struct cancel *cancel;
    const char *what;
    struct risingwave_answer *answer;
    struct fault *fault;
    bool failed; /* the fault is set; the rest of the answer is read and thrown away */
};

static bool send_all(const struct run *r)
{
    struct risingwave_wire *wire = r->wire;
    int pending = 0;

    while ((pending = PQflush(wire->conn)) > 0) {
        if (!wait_for(wire, POLLIN | POLLOUT, r->cancel, r->what, r->fault)) {
            return false;
        }
        if (PQconsumeInput(wire->conn) == 0) {
            return connection_failed(wire, r->what, r->fault);
        }
    }
    return pending == 0 ? true : connection_failed(wire, r->what, r->fault);
}

/* NULL with *out_done: the answer is complete; NULL without: the fault is set. */
static PGresult *next_result(const struct run *r, bool *out_done)
{
    struct risingwave_wire *wire = r->wire;

    while (PQisBusy(wire->conn) != 0) {
        if (!wait_for(wire, POLLIN, r->cancel, r->what, r->fault)) {
            return NULL;
        }
        if (PQconsumeInput(wire->conn) == 0) {
            (void)connection_failed(wire, r->what, r->fault);
            return NULL;
        }
    }
    PGresult *result = PQgetResult(wire->conn);
    *out_done = result == NULL;
    return result;
}

static bool add_rows(struct run *r, const PGresult *result)
{
    struct rows *rows = &r->answer->rows;
    int width = PQnfields(result);

    for (int c = 0; rows->columns.n < (size_t)width; c++) {
        if (!rows_add_column(rows, sv_from(PQfname(result, c)), r->fault)) {
            return false;
        }
    }
    for (int i = 0; i < PQntuples(result); i++) {
        for (int c = 0; c < width; c++) {
            struct sv cell = {PQgetvalue(result, i, c),
                              (size_t)PQgetlength(result, i, c)};
            bool added = PQgetisnull(result, i, c) != 0 ? rows_add_null(rows, r->fault)
                                                        : rows_add(rows, cell, r->fault);
            if (!added) {
                return false;
            }
        }
    }
    return true;
}

static void refuse_result(struct run *r, const PGresult *result)
{
    struct risingwave_wire *wire = r->wire;
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    /* A lost connection is libpq's own text, without fields. */
    (void)peer_fault(wire->peer,
                     &(struct peer_answer){
                         r->what, code == NULL ? "" : code,
                         sv_from(text == NULL ? PQresultErrorMessage(result) : text)},
                     &wire->broken, r->fault);
    r->failed = true;
}

static void take_result(struct run *r, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
        if (!r->failed && !add_rows(r, result)) {
            r->failed = true;
            r->wire->broken = true; /* the rest is not worth reading */
            (void)fault_wrap(r->fault, "%s, %s", r->wire->peer->label, r->what);
        }
        break;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        break;
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
        if (!r->failed) {
            refuse_result(r, result);
        }
        return;
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
        r->failed = true;
        r->wire->broken = true;
        (void)fault_set(r->fault, FAULT_UNAVAILABLE, "Unreachable",
                        "%s, %s: an answer of a kind that was not asked for",
                        r->wire->peer->label, r->what);
        return;
    }
    r->answer->tag = arena_strdup(r->answer->rows.arena, PQcmdStatus(result));
}

static bool read_answer(struct run *r)
{
    bool done = false;

    while (!done) {
        AUTO(result_clearp) PGresult *result = next_result(r, &done);
        if (result != NULL) {
            take_result(r, result);
        } else if (!done) {
            return false;
        }
        if (r->wire->broken) {
            break;
        }
    }
    return !r->failed;
}

bool risingwave_wire_run(struct risingwave_wire *wire, const struct stmt *stmt,
                         const char *what, int64_t timeout_ms, struct cancel *cancel,
                         struct arena *arena, struct risingwave_answer *out_answer,
                         struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf sql = {0};
    struct cancel limit;
    struct risingwave_answer answer = {0};
    struct run r = {wire, &limit, what, &answer, fault, false};

    buf_init(&sql, STMT_BYTES_MAX);
    rows_init(&answer.rows, arena);
    cancel_init_child(&limit, cancel, timeout_ms);
    if (wire->broken) {
        return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable",
                         "%s, %s: the connection was lost before", wire->peer->label,
                         what);
    }
    if (!stmt_check(stmt, fault)) {
        return false;
    }
    stmt_render(stmt, &sql);
    /* Whatever it is: who may not write any more has nothing to read either. */
    if (!fence_check(wire->peer->fence, fault)) {
        return false;
    }
    wire->arena = arena;
    wire->notices = &answer.notices;
    bool done =
        PQsendQuery(wire->conn, buf_z(&sql)) != 0
            ? PQsetSingleRowMode(wire->conn) != 0 && send_all(&r) && read_answer(&r)
            : connection_failed(wire, what, fault);
    wire->notices = NULL;
    wire->arena = NULL;
    if (done) {
        *out_answer = answer;
    }
    return done;
}
