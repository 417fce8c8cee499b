/* RisingWave's sessions and catalogs. Statements: fake_rw_apply.c. */
#include "base/heap.h"
#include "fake_session.h"
#include "sim.h"

struct stream {
    struct stream_db base;
    struct fake_session session;
    struct fake_rw *rw;
};

static struct stream *of(struct stream_db *db)
{
    return (struct stream *)(void *)db;
}

static bool begin(struct stream_db *db, bool apply, struct cancel *cancel,
                  const char *what, enum sim_verdict *out_verdict, struct fault *fault)
{
    struct stream *s = of(db);

    if (!fake_session_call(&s->session, s->rw->down,
                           apply ? SIM_CALL_RISINGWAVE_APPLY : SIM_CALL_RISINGWAVE_READ,
                           cancel, what, out_verdict, fault)) {
        return false;
    }
    if (s->rw->recovering) {
        s->session.broken = true;
        return fault_set(fault, FAULT_UNAVAILABLE, "Recovering",
                         "%s: The cluster is recovering", what);
    }
    return true;
}

static bool read_call(struct stream_db *db, struct cancel *cancel, const char *what,
                      struct fault *fault)
{
    enum sim_verdict verdict = SIM_PASS;

    return begin(db, false, cancel, what, &verdict, fault) &&
           fake_session_end(&of(db)->session, verdict, what, fault);
}

static bool probe(struct stream_db *db, struct cancel *cancel, struct arena *arena,
                  struct rw_server *out_server, struct fault *fault)
{
    (void)arena;
    if (!read_call(db, cancel, "read RisingWave's version", fault)) {
        return false;
    }
    *out_server = (struct rw_server){.version = "3.0.3",
                                     .user = "tablesync",
                                     .database = "dev",
                                     .users = -1,
                                     .may_create = 1,
                                     .may_connect = 1,
                                     .actors = -1,
                                     .parallelism = -1};
    return true;
}

static bool catalog(struct stream_db *db, const char *schema, struct cancel *cancel,
                    struct arena *arena, struct rw_catalog *out_catalog,
                    struct fault *fault)
{
    const struct fake_rw *rw = of(db)->rw;

    if (!read_call(db, cancel, "read RisingWave's catalog", fault)) {
        return false;
    }
    fake_rw_list(rw, schema, arena, out_catalog);
    return true;
}

static const struct fake_stream_object *by_internal(const struct fake_rw *rw,
                                                    const char *schema, const char *name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];

        if (strcmp(o->schema, schema) == 0 && o->kind != FAKE_VIEW &&
            strcmp(fake_rw_internal(o, arena), name) == 0) {
            return o;
        }
    }
    return NULL;
}

static bool gone(const char *name, struct fault *fault)
{
    (void)fault_set(fault, FAULT_REFUSED, NULL, "Catalog error: table not found: %s",
                    name);
    return fault_code(fault, "42704");
}

static bool snapshot(struct stream_db *db, const char *schema, const char *internal_table,
                     struct cancel *cancel, struct rw_snapshot *out_snapshot,
                     struct fault *fault)
{
    const struct fake_stream_object *o = NULL;

    if (!read_call(db, cancel, "read the snapshot's progress", fault)) {
        return false;
    }
    o = by_internal(of(db)->rw, schema, internal_table);
    if (o == NULL || o->kind != FAKE_TABLE) {
        return gone(internal_table, fault);
    }
    *out_snapshot = (struct rw_snapshot){
        .present = true, .finished = o->live, .rows = o->live ? o->rows : 0};
    return true;
}

/* The moment of the oldest entry of a sink's log; of an idle one, a barrier's. */
static int64_t oldest(const struct fake_stream_object *sink, const struct sim *sim)
{
    if (!sink->backfilled && sink->backfill.count > 0) {
        return sink->made_ms;
    }
    return sink->delivered < sink->changes.n ? sink->changes.v[sink->delivered].at_ms
                                             : sim->clock.now_ms - 3000;
}

static bool backlog(struct stream_db *db, const char *schema, const char *internal_table,
                    struct cancel *cancel, struct rw_backlog *out_backlog,
                    struct fault *fault)
{
    const struct sim *sim = of(db)->session.db->sim;
    const struct fake_stream_object *o = NULL;
    int64_t wall_ms = 0;

    if (!read_call(db, cancel, "read the sink's backlog", fault)) {
        return false;
    }
    o = by_internal(of(db)->rw, schema, internal_table);
    if (o == NULL || o->kind != FAKE_SINK) {
        return gone(internal_table, fault);
    }
    wall_ms = sim_wall_ms(sim);
    *out_backlog =
        (struct rw_backlog){.present = true,
                            .undelivered = o->pending,
                            .oldest_ms = wall_ms - (sim->clock.now_ms - oldest(o, sim)),
                            .now_ms = wall_ms};
    return true;
}

static bool count_rows(struct stream_db *db, const char *schema, const char *table,
                       int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                       struct fault *fault)
{
    const struct fake_stream_object *o = NULL;

    if (!read_call(db, cancel, "count the CDC table's rows", fault)) {
        return false;
    }
    o = fake_rw_find(of(db)->rw, schema, table);
    if (o == NULL || o->kind != FAKE_TABLE) {
        return gone(table, fault);
    }
    *out_rows = o->rows < rows_max ? o->rows : rows_max;
    return true;
}

static bool source_offset(struct stream_db *db, const char *schema,
                          const char *internal_table, struct cancel *cancel,
                          struct arena *arena, struct rw_offset *out_offset,
                          struct fault *fault)
{
    const struct sim *sim = of(db)->session.db->sim;
    const struct fake_stream_object *o = NULL;

    if (!read_call(db, cancel, "read the source's position", fault)) {
        return false;
    }
    o = by_internal(of(db)->rw, schema, internal_table);
    if (o == NULL || o->kind != FAKE_SOURCE) {
        return gone(internal_table, fault);
    }
    *out_offset = (struct rw_offset){0};
    if (!o->nowhere) {
        out_offset->at.file = arena_printf(arena, FAKE_LOG_FILE, (long long)o->read_log);
        out_offset->event_ms = sim_wall_ms(sim) - (sim->clock.now_ms - o->read_ms);
    }
    return true;
}

static bool log_columns(struct stream_db *db, const char *schema,
                        const char *internal_table, struct cancel *cancel,
                        struct arena *arena, struct strlist *out_columns,
                        struct fault *fault)
{
    const struct fake_stream_object *o = NULL;
    struct strlist columns = {0};

    if (!read_call(db, cancel, "read a log store's columns", fault)) {
        return false;
    }
    o = by_internal(of(db)->rw, schema, internal_table);
    if (o == NULL || o->kind != FAKE_SINK) {
        return gone(internal_table, fault);
    }
    for (size_t i = 0; i < o->writes.n; i++) {
        VEC_PUSH(arena, &columns, (const char *)arena_strdup(arena, o->writes.v[i]));
    }
    *out_columns = columns;
    return true;
}

/* The sink whose log store the query reads; NULL: there is none of that name. */
static const struct fake_stream_object *asked_sink(const struct fake_rw *rw,
                                                   const char *sql, struct arena *arena)
{
    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];

        if (o->kind == FAKE_SINK &&
            strstr(sql, arena_printf(arena, "\"%s\"", fake_rw_internal(o, arena))) !=
                NULL) {
            return o;
        }
    }
    return NULL;
}

static int64_t asked_offset(const char *sql)
{
    const char *at = strstr(sql, "OFFSET ");

    return at == NULL ? 0 : strtoll(at + strlen("OFFSET "), NULL, 10);
}

/* A row that the newest sink writes after this look would not be known to it as gone; and
 * one that goes on itself may write more. */
static void check_paused(struct sim *sim, const struct fake_rw *rw,
                         const struct fake_stream_object *asked)
{
    const struct fake_stream_object *newest = asked;

    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];

        if (o->kind == FAKE_SINK && o->target_table != NULL &&
            strcmp(o->target_table, asked->target_table) == 0 && o->id > newest->id) {
            newest = o;
        }
    }
    if (asked->rate_limit != 0 || newest->rate_limit != 0 || !newest->built) {
        sim_violation(sim, "ghosts of %s are looked for while it or %s delivers",
                      asked->name, newest->name);
    }
}

static bool ghost_keys(struct stream_db *db, const struct ghosts_query *query,
                       struct cancel *cancel, struct arena *arena,
                       struct ghost_keys *out_keys, struct fault *fault)
{
    const struct fake_rw *rw = of(db)->rw;
    const struct fake_stream_object *o = NULL;
    const char *sql = fake_db_sql(query->stmt, arena);

    if (!read_call(db, cancel, "read what a sink did not delete", fault)) {
        return false;
    }
    o = asked_sink(rw, sql, arena);
    if (o == NULL) {
        return gone("log store", fault);
    }
    must(query->width == 1);
    check_paused(of(db)->session.db->sim, rw, o);
    fake_rw_ghosts(rw, o, asked_offset(sql), arena, out_keys);
    return true;
}

static bool apply(struct stream_db *db, const struct plan_step *step, const char *tag,
                  struct cancel *cancel, struct arena *arena,
                  struct db_result *out_result, struct fault *fault)
{
    struct stream *s = of(db);
    enum sim_verdict verdict = SIM_PASS;

    if (tag == NULL || step->system != PLAN_RISINGWAVE) {
        sim_violation(s->session.db->sim,
                      "a statement for another server, or without a tag");
    }
    if (!begin(db, true, cancel, step->object, &verdict, fault)) {
        return false;
    }
    fake_db_carries_out(s->session.db, step, tag, false);
    if (!fake_rw_apply(s->session.db, s->rw, step, arena, fault)) {
        return false;
    }
    fake_db_carries_out(s->session.db, step, tag, true);
    if (!fake_session_end(&s->session, verdict, step->object, fault)) {
        return false;
    }
    memset(out_result, 0, sizeof(*out_result));
    return true;
}

static void close_stream(struct stream_db *db)
{
    struct stream *s = of(db);

    s->session.db->open_sessions--;
    heap_free(s);
}

bool fake_rw_open(struct db_factory *f, const struct db_endpoint *endpoint,
                  struct cancel *cancel, struct stream_db **out_db, struct fault *fault)
{
    static const struct stream_db_ops ops = {.probe = probe,
                                             .catalog = catalog,
                                             .snapshot = snapshot,
                                             .backlog = backlog,
                                             .count_rows = count_rows,
                                             .source_offset = source_offset,
                                             .log_columns = log_columns,
                                             .ghost_keys = ghost_keys,
                                             .apply = apply,
                                             .close = close_stream};
    struct fake_db *db = (struct fake_db *)(void *)f;
    struct fake_rw *rw = fake_db_rw(db, endpoint->conn->host);
    const struct fake_gate gate = {.host = endpoint->conn->host,
                                   .known = rw != NULL,
                                   .down = rw != NULL && rw->down,
                                   .refuses_login = rw != NULL && rw->refuses_login};
    struct stream *s = NULL;

    if (!cancel_check(cancel, "connect", fault) ||
        !fake_db_login(db, SIM_CALL_RISINGWAVE_LOGIN, &gate, endpoint, fault)) {
        return false;
    }
    s = HEAP_NEW(struct stream);
    s->base.ops = &ops;
    s->session = (struct fake_session){.db = db, .host = rw->host};
    s->rw = rw;
    *out_db = &s->base;
    return true;
}
