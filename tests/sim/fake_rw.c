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

    if (!fake_session_call(&s->session, s->rw->down, apply, cancel, what, out_verdict,
                           fault)) {
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
    *out_server = (struct rw_server){
        .version = "3.0.3", .user = "tablesync", .database = "dev", .users = -1};
    return true;
}

static const char *kind_name(enum fake_kind kind)
{
    return kind == FAKE_SOURCE  ? "source"
           : kind == FAKE_TABLE ? "table"
           : kind == FAKE_SINK  ? "sink"
                                : "materialized view";
}

static const char *infix(enum fake_kind kind)
{
    return kind == FAKE_SOURCE ? "source" : kind == FAKE_TABLE ? "streamcdcscan" : "sink";
}

static const char *internal_name(const struct fake_stream_object *o, struct arena *arena)
{
    return arena_printf(arena, "__internal_%s_%lld_%s_%lld", o->name,
                        (long long)o->id + 1, infix(o->kind), (long long)o->id + 2);
}

static void list_source(const struct fake_stream_object *o, struct arena *arena,
                        struct rw_catalog *c)
{
    struct rw_source source = {.id = o->id,
                               .schema = o->schema,
                               .name = o->name,
                               .connector = "mysql-cdc",
                               .hostname = o->hostname,
                               .port = o->port,
                               .username = o->username,
                               .database = o->database,
                               .server_id = o->server_id,
                               .ssl_mode = o->ssl_mode};

    VEC_PUSH(arena, &c->sources, source);
}

static void list_table(const struct fake_stream_object *o, struct arena *arena,
                       struct rw_catalog *c)
{
    struct rw_table table = {.id = o->id, .name = o->name, .comment = o->comment};

    for (VEC_EACH(struct rw_column, column, &o->columns)) {
        VEC_PUSH(arena, &table.columns, *column);
    }
    VEC_PUSH(arena, &c->tables, table);
}

static void list_sink(const struct fake_stream_object *o, struct arena *arena,
                      struct rw_catalog *c)
{
    struct rw_sink sink = {.id = o->id,
                           .name = o->name,
                           .host = o->target_host,
                           .mysql_port = o->mysql_port,
                           .http_port = o->http_port,
                           .user = o->user,
                           .database = o->target_database,
                           .table = o->target_table,
                           .primary_key = o->primary_key,
                           .commit_checkpoint_interval = o->interval,
                           .creating = !o->built,
                           .rate_limit = o->rate_limit};

    VEC_PUSH(arena, &c->sinks, sink);
}

static void list_object(const struct fake_stream_object *o, const char *schema,
                        struct arena *arena, struct rw_catalog *c)
{
    bool here = strcmp(o->schema, schema) == 0;
    struct rw_relation relation = {
        .id = o->id, .schema = o->schema, .name = o->name, .kind = kind_name(o->kind)};

    VEC_PUSH(arena, &c->relations, relation);
    if (o->uses != 0) {
        VEC_PUSH(arena, &c->edges,
                 (struct rw_edge){.object = o->id, .referenced = o->uses});
    }
    if (o->kind == FAKE_SOURCE) {
        list_source(o, arena, c);
    } else if (here && o->kind == FAKE_TABLE) {
        list_table(o, arena, c);
    } else if (here && o->kind == FAKE_SINK) {
        list_sink(o, arena, c);
    }
    if (o->kind != FAKE_VIEW) {
        VEC_PUSH(arena, &c->internals,
                 (struct rw_internal){.job = o->id, .name = internal_name(o, arena)});
    }
}

static bool catalog(struct stream_db *db, const char *schema, struct cancel *cancel,
                    struct arena *arena, struct rw_catalog *out_catalog,
                    struct fault *fault)
{
    const struct fake_rw *rw = of(db)->rw;
    struct rw_catalog c = {0};

    if (!read_call(db, cancel, "read RisingWave's catalog", fault)) {
        return false;
    }
    for (size_t i = 0; i < rw->schemas.n; i++) {
        c.schema_exists = c.schema_exists || strcmp(rw->schemas.v[i], schema) == 0;
    }
    for (size_t i = 0; i < rw->objects.n; i++) {
        list_object(rw->objects.v[i], schema, arena, &c);
    }
    for (VEC_EACH(struct rw_event, e, &rw->events)) {
        VEC_PUSH(arena, &c.events, *e);
    }
    *out_catalog = c;
    return true;
}

static const struct fake_stream_object *by_internal(const struct fake_rw *rw,
                                                    const char *schema, const char *name)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);

    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];

        if (strcmp(o->schema, schema) == 0 && o->kind != FAKE_VIEW &&
            strcmp(internal_name(o, arena), name) == 0) {
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
                          struct arena *arena, const char **out_file, struct fault *fault)
{
    (void)arena;
    if (!read_call(db, cancel, "read the source's position", fault)) {
        return false;
    }
    if (by_internal(of(db)->rw, schema, internal_table) == NULL) {
        return gone(internal_table, fault);
    }
    *out_file = "mysql-bin.000067";
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
    if (!begin(db, true, cancel, step->object, &verdict, fault) ||
        !fake_rw_apply(s->session.db, s->rw, step, arena, fault) ||
        !fake_session_end(&s->session, verdict, step->object, fault)) {
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
        !fake_db_login(db, &gate, endpoint, fault)) {
        return false;
    }
    s = HEAP_NEW(struct stream);
    s->base.ops = &ops;
    s->session = (struct fake_session){.db = db, .host = rw->host};
    s->rw = rw;
    *out_db = &s->base;
    return true;
}
