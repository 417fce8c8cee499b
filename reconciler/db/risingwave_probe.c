/* risingwave_probe: who is logged in, what the account may do, and how full the cluster
 * is. */
#include "db/risingwave_private.h"

/*
 * A read whose refusal costs the answer and nothing else: a least-privileged account, or
 * another version, may not have every catalog. False: the session is of no more use.
 */
static bool read_if_possible(const struct asking *a, const struct stmt *stmt,
                             struct rows *out_rows)
{
    struct fault refused = FAULT_INIT;
    struct asking quiet = *a;
    struct rows rows = {0};

    quiet.fault = &refused;
    if (!risingwave_read(&quiet, stmt, &rows)) {
        if (refused.class != FAULT_REFUSED && refused.class != FAULT_DENIED) {
            *a->fault = refused;
            return false;
        }
        rows = (struct rows){0};
    }
    *out_rows = rows;
    return true;
}

static bool read_account(const struct asking *a, struct rw_server *server)
{
    struct rows users;
    struct rows databases;
    struct stmt *u = risingwave_stmt(a);
    struct stmt *d = risingwave_stmt(a);

    stmt_text(u, "SELECT id, name, is_super, is_admin FROM rw_catalog.rw_users");
    stmt_text(d, "SELECT name, \"owner\", acl FROM rw_catalog.rw_databases");
    if (!read_if_possible(a, u, &users) || !read_if_possible(a, d, &databases)) {
        return false;
    }
    risingwave_rows_account(&users, &databases, server);
    return true;
}

static bool read_features(const struct asking *a, struct rw_server *server)
{
    struct rows features;
    struct stmt *s = risingwave_stmt(a);

    stmt_text(s, "SELECT name, available FROM rw_catalog.rw_features");
    if (!read_if_possible(a, s, &features)) {
        return false;
    }
    risingwave_rows_features(&features, a->arena, server);
    return true;
}

static bool read_actors(const struct asking *a, struct rw_server *server)
{
    struct rows actors;
    struct rows workers;
    struct stmt *c = risingwave_stmt(a);
    struct stmt *w = risingwave_stmt(a);

    stmt_text(c,
              "SELECT worker_id, count(*) AS actors FROM rw_catalog.rw_actors GROUP BY "
              "worker_id");
    stmt_text(w, "SELECT id, state, parallelism, is_streaming FROM "
                 "rw_catalog.rw_worker_nodes");
    if (!read_if_possible(a, c, &actors) || !read_if_possible(a, w, &workers)) {
        return false;
    }
    server->actors = -1;
    server->parallelism = -1;
    if (actors.columns.n > 0) { /* else the number is unknown, not none */
        risingwave_rows_actors(&actors, &workers, server);
    }
    return true;
}

bool risingwave_probe(struct stream_db *db, struct cancel *cancel, struct arena *arena,
                      struct rw_server *out_server, struct fault *fault)
{
    AUTO(arena_freep) struct arena *scratch = arena_new(ARENA_CEILING_BYTES);
    const struct asking a = {.db = risingwave_of(db),
                             .cancel = cancel,
                             .scratch = scratch,
                             .arena = arena,
                             .what = "reading the server's version",
                             .fault = fault};
    struct rw_server server = {.users = -1};
    struct rows version;
    struct rows session;
    struct rows recovery;

    if (!RISINGWAVE_READ(&a, &version, "SELECT version()") ||
        !RISINGWAVE_READ(&a, &session, "SELECT current_user, current_database()") ||
        !RISINGWAVE_READ(&a, &recovery, "SELECT * FROM rw_catalog.rw_recovery_info")) {
        return false;
    }
    server.version = risingwave_rows_version(rows_text(&version, 0, "version"), arena);
    server.user = arena_strdup(arena, rows_text(&session, 0, "current_user"));
    server.database = arena_strdup(arena, rows_text(&session, 0, "current_database"));
    server.recovering = risingwave_rows_recovering(&recovery, server.database);
    if (!read_account(&a, &server) || !read_features(&a, &server) ||
        !read_actors(&a, &server)) {
        return false;
    }
    *out_server = server;
    return true;
}
