/* What must hold. */
#include "ddl/desired.h"
#include "kube/api.h"
#include "shop.h"

#define AUDIT_ROWS_MAX 100000

void check_sane(struct sim *sim)
{
    if (sim->violations > 0) {
        check_fail(sim, "%s", sim->first_violation);
    }
}

static void query_runs(struct sim *sim, struct arena *arena, struct audit_runs *out_runs)
{
    const struct audit_filter all = {.limit = AUDIT_ROWS_MAX};
    struct fault fault = FAULT_INIT;

    memset(out_runs, 0, sizeof(*out_runs));
    if (!audit_query_runs(sim->audit, &all, arena, out_runs, &fault)) {
        check_fail(sim, "audit: %s", fault.text);
    }
}

int64_t audit_runs(struct sim *sim)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct audit_runs runs;

    query_runs(sim, arena, &runs);
    return (int64_t)runs.runs.n;
}

static const struct audit_run *run_of(const struct audit_runs *runs, int64_t id)
{
    for (VEC_EACH(struct audit_run, run, &runs->runs)) {
        if (run->id == id) {
            return run;
        }
    }
    return NULL;
}

void check_audit(struct sim *sim)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const struct audit_filter all = {.limit = AUDIT_ROWS_MAX};
    struct audit_details details = {0};
    struct audit_runs runs;
    struct fault fault = FAULT_INIT;
    int64_t sent = 0;

    query_runs(sim, arena, &runs);
    for (VEC_EACH(struct audit_run, run, &runs.runs)) {
        if (run->result == NULL || run->result[0] == '\0' || run->finished_ms == 0) {
            check_fail(sim, "audit run %lld (%s) is still open", (long long)run->id,
                       run->trigger);
        }
    }
    if (!audit_query_details(sim->audit, &all, arena, &details, &fault)) {
        check_fail(sim, "audit: %s", fault.text);
    }
    for (VEC_EACH(struct audit_step, step, &details.steps)) {
        const struct audit_run *run = run_of(&runs, step->run);

        assert_non_null(run);
        if ((step->result == NULL || step->result[0] == '\0') &&
            strcmp(run->result, "Interrupted") != 0) {
            check_fail(sim, "audit step %s has no result in a run that %s",
                       step->statement, run->result);
        }
        if (strstr(step->statement, "s3cr3t-pw") != NULL) {
            check_fail(sim, "the audit holds a password: %s", step->statement);
        }
        /* Counts of rows are in it too, and are no statements of ours. */
        sent += sv_starts(sv_from(step->statement), SV("SELECT ")) ? 0 : 1;
    }
    if (sent != sim->applies_ever) {
        check_fail(sim, "%lld statements were sent, the audit knows %lld",
                   (long long)sim->applies_ever, (long long)sent);
    }
}

/* --- the world --- */

static const struct fake_rw *rw_of(struct sim *sim, const struct json *object)
{
    const char *name = json_path_string(object, "spec.risingWave.connectionRef.name");

    return fake_db_rw(sim->db, strcmp(name, "rw") == 0 ? RW_HOST : RW_B_HOST);
}

static struct fake_upstream *upstream_of(struct sim *sim, const struct json *object)
{
    const char *name = json_path_string(object, "spec.source.connectionRef.name");
    struct fake_mysql *mysql = sim->db->mysql.v[strcmp(name, "mysql-b") == 0 ? 1 : 0];

    for (size_t i = 0; i < mysql->tables.n; i++) {
        struct fake_upstream *up = mysql->tables.v[i];

        if (strcmp(up->table.database,
                   json_path_string(object, "spec.source.database")) == 0 &&
            strcmp(up->table.name, json_path_string(object, "spec.source.table")) == 0) {
            return up;
        }
    }
    return NULL;
}

static struct fake_sr_table *target_of(struct sim *sim, const struct json *object)
{
    return fake_sr_find(shop_sr(sim), "ods",
                        json_path_string(object, "spec.target.table"));
}

static bool marked(const char *comment, const char *uid)
{
    struct mark mark;

    return mark_parse(comment, &mark) && sv_eq(mark.uid, sv_from(uid));
}

/* The newest version of what this resource has in RisingWave; NULL: none. */
static const struct fake_stream_object *newest_of(const struct fake_rw *rw,
                                                  const struct json *object,
                                                  enum fake_kind kind)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    const char *database = json_path_string(object, "spec.source.database");
    const char *table = json_path_string(object, "spec.source.table");
    const char *first = name_table(arena, kube_uid(object), database, table);
    const char *prefix = name_sink_prefix(arena, kube_uid(object), database, table);
    const struct fake_stream_object *found = NULL;
    int64_t newest = 0;

    for (size_t i = 0; i < rw->objects.n; i++) {
        const struct fake_stream_object *o = rw->objects.v[i];
        int64_t version = kind == FAKE_SINK
                              ? name_sink_version_of(sv_from(prefix), sv_from(o->name))
                              : name_table_version_of(sv_from(first), sv_from(o->name));

        if (o->kind == kind && version > newest) {
            found = o;
            newest = version;
        }
    }
    return found;
}

void check_ready_claim(struct sim *sim, const struct json *object)
{
    const struct fake_rw *rw = rw_of(sim, object);
    const struct fake_stream_object *sink = newest_of(rw, object, FAKE_SINK);
    const struct fake_stream_object *table =
        sink == NULL ? NULL : fake_rw_by_id(rw, sink->uses);

    if (table == NULL || !table->live) {
        sim_violation(sim, "%s claims to be Ready before its snapshot is done",
                      kube_name(object));
    } else if (!sink->built || sink->rate_limit == 0) {
        sim_violation(sim, "%s claims to be Ready while its sink delivers nothing",
                      kube_name(object));
    }
}

static void check_objects(struct sim *sim, const struct json *object)
{
    const struct fake_rw *rw = rw_of(sim, object);
    const char *uid = kube_uid(object), *name = kube_name(object);
    const struct fake_stream_object *t = newest_of(rw, object, FAKE_TABLE);
    const struct fake_stream_object *k = newest_of(rw, object, FAKE_SINK);
    const struct fake_sr_table *target = target_of(sim, object);

    if (t == NULL || !marked(t->comment, uid)) {
        check_fail(sim, "%s: no CDC table with its mark", name);
        return;
    }
    if (fake_rw_by_id(rw, t->uses) == NULL) {
        check_fail(sim, "%s: no source", name);
    }
    if (k == NULL || k->uses != t->id || !k->built) {
        check_fail(sim, "%s: no finished sink on its CDC table", name);
    }
    if (target == NULL || !marked(target->table.comment, uid)) {
        check_fail(sim, "%s: no target with its mark", name);
    }
}

/* Deletes that nobody delivered, while no sink was there, may have left rows behind. */
static void check_rows(struct sim *sim, const struct json *object, bool ghosts)
{
    const struct fake_stream_object *sink =
        newest_of(rw_of(sim, object), object, FAKE_SINK);
    struct fake_difference d = {0};

    (void)fake_rows_differ(&upstream_of(sim, object)->data, &target_of(sim, object)->data,
                           &d);
    if (sink->rate_limit != 0 &&
        (d.missing > 0 || d.stale > 0 || (d.ghosts > 0 && !ghosts))) {
        check_fail(sim, "%s: %lld rows are missing, %lld old, %lld ghosts",
                   kube_name(object), (long long)d.missing, (long long)d.stale,
                   (long long)d.ghosts);
    }
}

void check_one(struct sim *sim, const struct json *object, bool ghosts)
{
    check_objects(sim, object);
    check_rows(sim, object, ghosts);
}

static void check_all(struct sim *sim, bool ghosts)
{
    size_t syncs = 0, tables = 0, sinks = 0;

    fake_db_tick(sim->db);
    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        const struct fake_object *o = sim->kube->objects.v[i];

        if (strcmp(o->plural, "tablesyncs") == 0) {
            check_one(sim, o->json, ghosts);
            syncs++;
        }
    }
    for (size_t i = 0; i < sim->db->rw.n; i++) {
        tables += fake_rw_count(sim->db->rw.v[i], FAKE_TABLE, "tablesync");
        sinks += fake_rw_count(sim->db->rw.v[i], FAKE_SINK, "tablesync");
    }
    if (tables != syncs || sinks != syncs || shop_sr(sim)->tables.n != syncs) {
        check_fail(sim, "%zu TableSyncs, %zu CDC tables, %zu sinks, %zu targets", syncs,
                   tables, sinks, shop_sr(sim)->tables.n);
    }
}

void check_world(struct sim *sim)
{
    check_all(sim, false);
}

void check_world_but_ghosts(struct sim *sim)
{
    check_all(sim, true);
}

static int64_t watched(const struct sim *sim)
{
    int64_t count = 0;

    for (size_t i = 0; i < sim->kube->objects.n; i++) {
        count += strcmp(sim->kube->objects.v[i]->plural, "secrets") != 0 ? 1 : 0;
    }
    return count;
}

void check_quiet_looks(struct sim *sim, int64_t looks)
{
    struct sim_counts before;
    int64_t runs = 0, seen = 0;

    /* Once more, so that what only waited for its turn (users of connections) is done. */
    sim_run_for(sim, 2 * MINUTE_MS);
    before = sim->counts;
    runs = audit_runs(sim);
    /* Each is looked at once a minute, give or take a fifth. */
    sim_run_for(sim, looks * 72000 + 5000);
    check_sane(sim);
    seen = sim->counts.reconciles - before.reconciles;
    if (seen < looks * watched(sim)) {
        check_fail(sim, "only %lld looks", (long long)seen);
    }
    if (sim->counts.api_writes != before.api_writes ||
        sim->counts.applies != before.applies || audit_runs(sim) != runs) {
        check_fail(sim,
                   "a converged world: %lld API writes, %lld statements, %lld audit runs",
                   (long long)(sim->counts.api_writes - before.api_writes),
                   (long long)(sim->counts.applies - before.applies),
                   (long long)(audit_runs(sim) - runs));
    }
}

void check_quiet(struct sim *sim)
{
    check_quiet_looks(sim, 10);
}
