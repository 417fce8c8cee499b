/* StarRocks: sessions, databases with tables, and the jobs that change them. Statements:
 * fake_sr_apply.c and fake_sr_alter.c. */
#include "base/heap.h"
#include "fake_session.h"
#include "fake_sr_job.h"

struct target {
    struct target_db base;
    struct fake_session session;
    struct fake_sr *sr;
};

static struct target *of(struct target_db *db)
{
    return (struct target *)(void *)db;
}

struct fake_sr_table *fake_sr_find(const struct fake_sr *sr, const char *database,
                                   const char *table)
{
    for (size_t i = 0; i < sr->tables.n; i++) {
        struct fake_sr_table *t = sr->tables.v[i];

        if (strcmp(t->database, database) == 0 && strcmp(t->table.name, table) == 0) {
            return t;
        }
    }
    return NULL;
}

void fake_sr_remove(struct fake_sr *sr, const struct fake_sr_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < sr->tables.n; i++) {
        if (sr->tables.v[i] != table) {
            sr->tables.v[kept++] = sr->tables.v[i];
        }
    }
    sr->tables.n = kept;
}

bool fake_sr_altering(const struct fake_sr_table *table)
{
    return table->altered_ms > 0;
}

/* Ends the schema changes whose time has come, well or badly. */
void fake_sr_tick(struct fake_db *db, struct fake_sr *sr)
{
    for (size_t i = 0; i < sr->tables.n; i++) {
        struct fake_sr_table *t = sr->tables.v[i];

        if (!fake_sr_altering(t) || db->sim->clock.now_ms < t->altered_ms ||
            sr->live_backends == 0) {
            continue;
        }
        t->altered_ms = 0;
        if (sr->fails_alters != NULL) {
            t->table.alter_failed = sr->fails_alters;
        } else {
            memcpy(&t->table.columns, &t->wanted, sizeof(t->table.columns));
        }
    }
}

bool fake_sr_has_database(const struct fake_sr *sr, const char *database)
{
    for (size_t i = 0; i < sr->databases.n; i++) {
        if (strcmp(sr->databases.v[i], database) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_call(struct target_db *db, struct cancel *cancel, const char *what,
                      struct fault *fault)
{
    struct target *t = of(db);
    enum sim_verdict verdict = SIM_PASS;

    return fake_session_call(&t->session, t->sr->down, SIM_CALL_STARROCKS_READ, cancel,
                             what, &verdict, fault) &&
           fake_session_end(&t->session, verdict, what, fault);
}

/* Most accounts may not list them. */
static int64_t seen_backends(const struct fake_sr *sr)
{
    return sr->hides_backends ? -1 : sr->live_backends;
}

static bool probe(struct target_db *db, struct cancel *cancel, struct arena *arena,
                  struct sr_server *out_server, struct fault *fault)
{
    (void)arena;
    if (!read_call(db, cancel, "read StarRocks' version", fault)) {
        return false;
    }
    *out_server = (struct sr_server){.version = "4.1.0-26a4a59",
                                     .live_backends = seen_backends(of(db)->sr),
                                     .root = true};
    return true;
}

static bool catalog(struct target_db *db, const char *database, struct cancel *cancel,
                    struct arena *arena, struct sr_catalog *out_catalog,
                    struct fault *fault)
{
    const struct fake_sr *sr = of(db)->sr;
    struct sr_catalog c = {.live_backends = seen_backends(sr)};

    if (!read_call(db, cancel, "read StarRocks' catalog", fault)) {
        return false;
    }
    c.database_exists = fake_sr_has_database(sr, database);
    for (size_t i = 0; i < sr->tables.n; i++) {
        if (strcmp(sr->tables.v[i]->database, database) == 0) {
            struct sr_table table = sr->tables.v[i]->table;

            table.altering = fake_sr_altering(sr->tables.v[i]);
            VEC_PUSH(arena, &c.tables, table);
        }
    }
    *out_catalog = c;
    return true;
}

static bool apply(struct target_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault)
{
    struct target *t = of(db);
    struct fake_sr_job j = {
        .db = t->session.db, .sr = t->sr, .step = step, .fault = fault};
    enum sim_verdict verdict = SIM_PASS;

    if (tag == NULL || step->system != PLAN_STARROCKS) {
        sim_violation(j.db->sim, "a statement for another server, or without a tag");
    }
    sql_init(&j.sql, SQL_STARROCKS, fake_db_sql(step->stmt, arena), arena);
    if (!fake_session_call(&t->session, t->sr->down, SIM_CALL_STARROCKS_APPLY, cancel,
                           step->object, &verdict, fault)) {
        return false;
    }
    fake_db_carries_out(j.db, step, tag, false);
    if (!fake_sr_run(&j)) {
        return false;
    }
    fake_db_carries_out(j.db, step, tag, true);
    if (!fake_session_end(&t->session, verdict, step->object, fault)) {
        return false;
    }
    memset(out_result, 0, sizeof(*out_result));
    return true;
}

static bool count_all(struct target_db *db, const struct tally_query *query,
                      struct cancel *cancel, int64_t *out_rows, struct fault *fault)
{
    const struct fake_sr *sr = of(db)->sr;
    const struct fake_sr_table *table = NULL;

    if (!read_call(db, cancel, "count rows", fault)) {
        return false;
    }
    table = fake_sr_find(sr, query->database, query->table);
    if (table == NULL || sr->live_backends == 0) {
        (void)fault_set(fault, table == NULL ? FAULT_REFUSED : FAULT_UNAVAILABLE, NULL,
                        table == NULL ? "Unknown table '%s'" : "No backend for '%s'",
                        query->table);
        return fault_code(fault, "1064");
    }
    *out_rows = table->rows;
    return true;
}

static void close_target(struct target_db *db)
{
    struct target *t = of(db);

    t->session.db->open_sessions--;
    heap_free(t);
}

bool fake_sr_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct target_db **out_db, struct fault *fault)
{
    static const struct target_db_ops ops = {.probe = probe,
                                             .catalog = catalog,
                                             .apply = apply,
                                             .count_all = count_all,
                                             .close = close_target};
    struct fake_db *db = (struct fake_db *)(void *)f;
    struct fake_sr *sr = fake_db_sr(db, endpoint->conn->host);
    const struct fake_gate gate = {.host = endpoint->conn->host,
                                   .known = sr != NULL,
                                   .down = sr != NULL && sr->down,
                                   .password = sr == NULL ? NULL : sr->password,
                                   .refuses_login = sr != NULL && sr->refuses_login};
    struct target *t = NULL;

    if (!cancel_check(cancel, "connect", fault) ||
        !fake_db_login(db, SIM_CALL_STARROCKS_LOGIN, &gate, endpoint, fault)) {
        return false;
    }
    t = HEAP_NEW(struct target);
    t->base.ops = &ops;
    t->session = (struct fake_session){.db = db, .host = sr->host};
    t->sr = sr;
    *out_db = &t->base;
    return true;
}
