/* mysql_ask: statements over a mysql_wire, and their answers. */
#include "db/mysql_wire.h"
#include "db/mysql_wire_private.h"

#include <mysql.h>
#include <string.h>

/* What giving up a read may cost on top: a login and KILL QUERY. */
#define KILL_BUDGET_MS 500
#define KILL_BUDGET_STOPPING_MS 50
/* What a killed query has left to say so, the kill included. */
#define KILL_ANSWER_MS 5000

/* A server number that Connector/C takes for one of its own: 5001-5026 (verified 22). */
#define SERVER_NUMBER_HIDDEN 2027

static int wait_events(struct mysql_wait *wait, int status);

static int run_query(struct mysql_wait *wait, struct sv sql)
{
    MYSQL *handle = wait->wire->handle;
    int failed = 1;
    int turns = 0;
    int status = mysql_real_query_start(&failed, handle, sql.p, sql.n);

    while (status != 0 && mysql_wait_more(wait, &turns)) {
        status = mysql_real_query_cont(&failed, handle, wait_events(wait, status));
    }
    return status != 0 || wait->stopped ? 1 : failed;
}

static bool run_ping(struct mysql_wait *wait)
{
    MYSQL *handle = wait->wire->handle;
    int failed = 1;
    int turns = 0;
    int status = mysql_ping_start(&failed, handle);

    while (status != 0 && mysql_wait_more(wait, &turns)) {
        status = mysql_ping_cont(&failed, handle, wait_events(wait, status));
    }
    return status == 0 && !wait->stopped && failed == 0;
}

static MYSQL_ROW run_fetch(struct mysql_wait *wait, MYSQL_RES *result)
{
    MYSQL_ROW row = NULL;
    int turns = 0;
    int status = mysql_fetch_row_start(&row, result);

    while (status != 0 && mysql_wait_more(wait, &turns)) {
        status = mysql_fetch_row_cont(&row, result, wait_events(wait, status));
    }
    return status != 0 || wait->stopped ? NULL : row;
}

/* Another short connection ends the query that this one no longer waits for. The budget
 * has a stop signal of its own: the caller's has fired already, or its time is over. */
static void kill_query(struct mysql_wire *wire, const struct cancel *cancel)
{
    struct mysql_wire second = {.peer = wire->peer};
    int64_t budget_ms = cancel_fired(cancel) ? KILL_BUDGET_STOPPING_MS : KILL_BUDGET_MS;
    AUTO(arena_freep) struct arena *arena = arena_new(STMT_BYTES_MAX);
    AUTO(buf_deinit) struct buf sql = {0};
    AUTO(cancel_deinit) struct cancel own = {.event_fd = -1};
    struct cancel limit;
    struct fault ignored = FAULT_INIT;
    struct stmt *stmt = stmt_new(arena, SQL_MYSQL);

    buf_init(&sql, STMT_BYTES_MAX);
    if (!cancel_init_root(&own, cancel->clock, &ignored)) {
        return;
    }
    cancel_init_child(&limit, &own, budget_ms);
    stmt_text(stmt, "KILL QUERY ");
    stmt_int(stmt, (int64_t)mysql_thread_id(wire->handle));
    stmt_render(stmt, &sql);
    if (mysql_wire_reach(&second, wire->address, &limit, &ignored)) {
        struct mysql_wait wait = {.wire = &second,
                                  .cancel = &limit,
                                  .what = "ending a query",
                                  .fault = &ignored};
        (void)run_query(&wait, buf_sv(&sql));
    }
    if (second.handle != NULL) {
        mysql_close(second.handle);
    }
}

/* Waits as mysql_wait_events() does, but past the read's own limit has the query killed:
 * its answer, an error, comes at once. */
static int wait_events(struct mysql_wait *wait, int status)
{
    struct fault late = FAULT_INIT;
    my_socket fd = mysql_get_socket(wait->wire->handle);

    if (wait->limit != NULL && !wait->killed && !wait->stopped &&
        !cancel_poll(wait->limit, fd, mysql_wait_poll_events(status), wait->what,
                     &late) &&
        cancel_remaining_ms(wait->cancel) > 0) {
        wait->killed = true;
        kill_query(wait->wire, wait->cancel);
    }
    return mysql_wait_events(wait, status);
}

/* The statement failed: decides whether the server, the wire or the cancel ended it. */
static bool query_failed(struct mysql_wait *wait)
{
    struct mysql_wire *wire = wait->wire;
    char text[256];

    if (wait->stopped) {
        return peer_wrap(wire->peer, wait->fault);
    }
    if (mysql_errno(wire->handle) != SERVER_NUMBER_HIDDEN) {
        return mysql_wire_failed(wire, wait->what, wait->fault);
    }
    (void)memccpy(text, mysql_error(wire->handle), '\0', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    if (!run_ping(wait)) {
        return wait->stopped ? peer_wrap(wire->peer, wait->fault)
                             : mysql_wire_failed(wire, wait->what, wait->fault);
    }
    return peer_fault(wire->peer,
                      &(struct peer_answer){wait->what, "2027", sv_from(text)},
                      &wire->broken, wait->fault);
}

static bool read_headings(MYSQL_RES *result, struct rows *rows, struct fault *fault)
{
    unsigned int count = mysql_num_fields(result);
    const MYSQL_FIELD *fields = mysql_fetch_fields(result);

    for (unsigned int i = 0; i < count; i++) {
        struct sv heading = {fields[i].name, fields[i].name_length};
        if (!rows_add_column(rows, heading, fault)) {
            return false;
        }
    }
    return true;
}

static bool read_row(MYSQL_RES *result, MYSQL_ROW row, struct rows *rows,
                     struct fault *fault)
{
    unsigned int count = mysql_num_fields(result);
    const unsigned long *lengths = mysql_fetch_lengths(result);

    for (unsigned int i = 0; i < count; i++) {
        bool added = row[i] == NULL
                         ? rows_add_null(rows, fault)
                         : rows_add(rows, (struct sv){row[i], lengths[i]}, fault);
        if (!added) {
            return false;
        }
    }
    return true;
}

/* Row by row, so that the ceilings hold before the memory is taken. */
static bool read_result(struct mysql_wait *wait, MYSQL_RES *result, struct rows *rows)
{
    struct mysql_wire *wire = wait->wire;
    bool fits = read_headings(result, rows, wait->fault);
    MYSQL_ROW row = NULL;

    while (fits && (row = run_fetch(wait, result)) != NULL) {
        fits = read_row(result, row, rows, wait->fault);
    }
    if (!fits) {
        mysql_wire_break(wire); /* the rest of the answer is not worth reading */
        (void)fault_wrap(wait->fault, "%s, %s", wire->peer->label, wait->what);
        return false;
    }
    if (wait->stopped || mysql_errno(wire->handle) != 0) {
        return query_failed(wait);
    }
    return true;
}

static bool usable(struct mysql_wire *wire, const char *what, struct fault *fault)
{
    if (!wire->broken) {
        return true;
    }
    return fault_set(fault, FAULT_UNAVAILABLE, "Unreachable",
                     "%s, %s: the connection was lost before", wire->peer->label, what);
}

/* Sends the statement and reads all of its answer. */
static bool read_answer(struct mysql_wait *wait, const struct stmt *stmt,
                        struct rows *rows)
{
    AUTO(buf_deinit) struct buf sql = {0};
    MYSQL *handle = wait->wire->handle;
    bool done = false;

    buf_init(&sql, STMT_BYTES_MAX);
    stmt_render(stmt, &sql);
    if (run_query(wait, buf_sv(&sql)) != 0) {
        return query_failed(wait);
    }
    MYSQL_RES *result = mysql_use_result(handle);
    done =
        result == NULL ? mysql_field_count(handle) == 0 : read_result(wait, result, rows);
    if (!done && result == NULL) {
        (void)mysql_wire_failed(wait->wire, wait->what, wait->fault);
    }
    mysql_free_result(result);
    return done;
}

static bool read_with(struct mysql_wait *wait, const struct stmt *stmt,
                      struct arena *arena, struct rows *out_rows)
{
    struct rows rows;

    rows_init(&rows, arena);
    if (!usable(wait->wire, wait->what, wait->fault) || !stmt_check(stmt, wait->fault)) {
        return false;
    }
    bool done = read_answer(wait, stmt, &rows);
    if (wait->stopped) {
        kill_query(wait->wire, wait->cancel);
    }
    if (!done) {
        return false;
    }
    wait->wire->broken = wait->wire->broken || mysql_more_results(wait->wire->handle);
    *out_rows = rows;
    return true;
}

bool mysql_wire_read(struct mysql_wire *wire, const struct stmt *stmt, const char *what,
                     struct cancel *cancel, struct arena *arena, struct rows *out_rows,
                     struct fault *fault)
{
    struct cancel limit;
    struct mysql_wait wait = {
        .wire = wire, .cancel = &limit, .what = what, .fault = fault};

    cancel_init_child(&limit, cancel, DB_QUERY_TIMEOUT_MS);
    return read_with(&wait, stmt, arena, out_rows);
}

/* Interrupted, and the limits of MariaDB and MySQL. */
static bool is_late(const struct fault *fault)
{
    static const char *const codes[] = {"1317", "1969", "3024"};

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (strcmp(fault->code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool mysql_wire_read_within(struct mysql_wire *wire, const struct stmt *stmt,
                            const char *what, int64_t limit_ms, struct cancel *cancel,
                            struct arena *arena, struct rows *out_rows, bool *out_late,
                            struct fault *fault)
{
    struct fault failed = FAULT_INIT;
    struct cancel hard;
    struct cancel limit;
    struct mysql_wait wait = {
        .wire = wire, .cancel = &hard, .what = what, .fault = &failed, .limit = &limit};

    cancel_init_child(&hard, cancel, limit_ms + KILL_ANSWER_MS);
    cancel_init_child(&limit, &hard, limit_ms);
    bool done = read_with(&wait, stmt, arena, out_rows);
    /* A kill that came after the answer is still there to end the next statement. */
    if (wait.killed && !wire->broken) {
        (void)run_ping(&wait);
    }
    if (!done && (wire->broken || !is_late(&failed))) {
        *fault = failed;
        return false;
    }
    *out_late = !done;
    return true;
}

bool mysql_wire_apply(struct mysql_wire *wire, const struct stmt *stmt, const char *tag,
                      const char *what, struct cancel *cancel, int64_t *out_affected,
                      struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf sql = {0};
    AUTO(arena_freep) struct arena *arena = arena_new(STMT_BYTES_MAX);
    struct cancel limit;
    struct mysql_wait wait = {
        .wire = wire, .cancel = &limit, .what = what, .fault = fault};

    buf_init(&sql, STMT_BYTES_MAX + 1024);
    cancel_init_child(&limit, cancel, DB_DDL_TIMEOUT_MS);
    if (!usable(wire, what, fault) || !stmt_check(stmt, fault)) {
        return false;
    }
    if (tag != NULL) {
        buf_addf(&sql, "/* %s */ ", peer_tag(tag, arena));
    }
    stmt_render(stmt, &sql);
    if (!fence_check(wire->peer->fence, fault)) {
        return false;
    }
    if (run_query(&wait, buf_sv(&sql)) != 0) {
        return query_failed(&wait);
    }
    if (mysql_field_count(wire->handle) != 0) {
        /* A statement that changes something returns no rows; these would block the next.
         */
        mysql_wire_break(wire);
    }
    *out_affected = (int64_t)mysql_affected_rows(wire->handle);
    return true;
}
