/*
 * The rows that flow: from MySQL into CDC tables, from those into the sinks, from the
 * sinks into StarRocks. A sink keeps the order of the changes; two sinks know nothing of
 * each other, so that the one that lags writes old values over new ones.
 */
#include "fake_db.h"
#include "sim.h"

struct fake_upstream *fake_rw_upstream(const struct fake_rw *rw,
                                       const struct fake_stream_object *table)
{
    const struct fake_stream_object *source = fake_rw_by_id(rw, table->uses);
    struct fake_mysql *mysql = source == NULL ? NULL : source->server;
    struct sv rest = sv_from(table->upstream);
    struct sv database = sv_cut(&rest, '.');

    for (size_t i = 0; mysql != NULL && i < mysql->tables.n; i++) {
        struct fake_upstream *up = mysql->tables.v[i];

        if (sv_eq(database, sv_from(up->table.database)) &&
            sv_eq(rest, sv_from(up->table.name))) {
            return up;
        }
    }
    return NULL;
}

static void count_pending(struct fake_stream_object *sink)
{
    sink->pending = (sink->backfilled ? 0 : sink->backfill.count) +
                    (int64_t)(sink->changes.n - sink->delivered);
}

/* A change of a CDC table. */
static void put(struct fake_db *db, struct fake_rw *rw, struct fake_stream_object *table,
                int64_t key, int64_t version)
{
    struct fake_change change = {key, version, db->sim->clock.now_ms};

    fake_rows_put(&table->data, db->sim->arena, key, version);
    table->rows = table->data.count;
    for (size_t i = 0; i < rw->objects.n; i++) {
        struct fake_stream_object *sink = rw->objects.v[i];

        if (sink->kind == FAKE_SINK && sink->uses == table->id) {
            VEC_PUSH(db->sim->arena, &sink->changes, change);
            count_pending(sink);
        }
    }
}

bool fake_rw_is_away(const struct fake_db *db, const struct fake_stream_object *source)
{
    return source->server == NULL || /* made by hand: it reads nothing */
           strcmp(source->hostname, source->server->host) != 0 ||
           db->sim->clock.now_ms < source->back_ms ||
           (!source->nowhere && source->read_log < source->server->first_log);
}

/* To the table at once, or once its source reads again. */
static void pass(struct fake_db *db, struct fake_rw *rw, struct fake_stream_object *table,
                 int64_t key, int64_t version)
{
    struct fake_stream_object *source = fake_rw_by_id(rw, table->uses);

    if (source->held.n == 0 && !fake_rw_is_away(db, source)) {
        put(db, rw, table, key, version);
        return;
    }
    VEC_PUSH(db->sim->arena, &source->held,
             (struct fake_held){.table = table->id, .key = key, .version = version});
}

static void tick_source(struct fake_db *db, struct fake_rw *rw,
                        struct fake_stream_object *source)
{
    if (fake_rw_is_away(db, source)) {
        return;
    }
    source->read_ms = db->sim->clock.now_ms;
    source->read_log = source->server->log;
    source->nowhere = false;
    for (VEC_EACH(const struct fake_held, h, &source->held)) {
        struct fake_stream_object *table = fake_rw_by_id(rw, h->table);

        if (table != NULL) {
            put(db, rw, table, h->key, h->version);
        }
    }
    source->held.n = 0;
}

void fake_rw_pass(struct fake_db *db, const struct fake_upstream *table, int64_t key,
                  int64_t version)
{
    for (size_t i = 0; i < db->rw.n; i++) {
        struct fake_rw *rw = db->rw.v[i];

        for (size_t k = 0; k < rw->objects.n; k++) {
            struct fake_stream_object *o = rw->objects.v[k];

            /* What is not loaded yet will find the row in the snapshot. */
            if (o->kind == FAKE_TABLE && o->live && fake_rw_upstream(rw, o) == table) {
                pass(db, rw, o, key, version);
            }
        }
    }
}

static void tick_table(struct fake_db *db, struct fake_rw *rw,
                       struct fake_stream_object *table)
{
    const struct fake_upstream *up = fake_rw_upstream(rw, table);

    if (table->live || db->sim->clock.now_ms < table->loaded_ms || up == NULL) {
        return;
    }
    table->live = true;
    for (size_t i = 0; i < up->data.versions.n && !table->no_snapshot; i++) {
        if (up->data.versions.v[i] != FAKE_NO_ROW) {
            put(db, rw, table, (int64_t)i + 1, up->data.versions.v[i]);
        }
    }
}

static void fail(struct fake_db *db, struct fake_rw *rw,
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

/* Each load names the columns it brings. */
static bool takes(const struct fake_sr_table *target,
                  const struct fake_stream_object *sink)
{
    for (size_t i = 0; i < sink->writes.n; i++) {
        bool found = false;

        for (size_t k = 0; k < target->table.columns.n; k++) {
            found =
                found || strcmp(target->table.columns.v[k].name, sink->writes.v[i]) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static void deliver(struct fake_db *db, struct fake_stream_object *sink,
                    struct fake_sr_table *target)
{
    int64_t now_ms = db->sim->clock.now_ms;

    if (!sink->backfilled && now_ms - sink->built_ms < sink->lag_ms) {
        return; /* its log keeps the order: first the backfill, then the changes */
    }
    if (!sink->backfilled) {
        fake_rows_merge(&target->data, &sink->backfill, db->sim->arena);
        sink->backfilled = true;
    }
    while (sink->delivered < sink->changes.n) {
        const struct fake_change *change = &sink->changes.v[sink->delivered];

        if (now_ms - change->at_ms < sink->lag_ms) {
            break;
        }
        fake_rows_put(&target->data, db->sim->arena, change->key, change->version);
        sink->delivered++;
    }
    target->rows = target->data.count;
}

static void tick_sink(struct fake_db *db, struct fake_rw *rw,
                      struct fake_stream_object *sink)
{
    struct fake_sr *sr = fake_db_sr(db, sink->target_host);
    struct fake_sr_table *target =
        sr == NULL || sr->down || sr->live_backends == 0 ||
                !fake_db_accepts(sr->password, sink->password)
            ? NULL
            : fake_sr_find(sr, sink->target_database, sink->target_table);

    /* The backfill ends in the sink's log; delivering is another matter. */
    sink->built = sink->built || db->sim->clock.now_ms >= sink->built_ms;
    count_pending(sink);
    if (!sink->built || sink->rate_limit == 0 || rw->cut_off ||
        (sink->pending == 0 && sink->backfilled)) {
        return;
    }
    if (target != NULL && takes(target, sink)) {
        deliver(db, sink, target);
        count_pending(sink);
    } else if (sink->pending > 0) {
        fail(db, rw, sink);
    }
}

void fake_rw_tick(struct fake_db *db, struct fake_rw *rw)
{
    for (size_t k = 0; k < rw->objects.n; k++) {
        struct fake_stream_object *o = rw->objects.v[k];

        if (o->kind == FAKE_SOURCE) {
            tick_source(db, rw, o);
        } else if (o->kind == FAKE_TABLE) {
            tick_table(db, rw, o);
        } else if (o->kind == FAKE_SINK) {
            tick_sink(db, rw, o);
        }
    }
}

/* Whether the log of a sink holds this key as a deletion that was not delivered. */
static bool holds_deletion(const struct fake_stream_object *sink, int64_t key)
{
    for (size_t i = sink->delivered; i < sink->changes.n; i++) {
        if (sink->changes.v[i].key == key && sink->changes.v[i].version == FAKE_NO_ROW) {
            return true;
        }
    }
    return false;
}

void fake_rw_ghosts(const struct fake_rw *rw, const struct fake_stream_object *sink,
                    int64_t offset, struct arena *arena, struct ghost_keys *out_keys)
{
    const struct fake_stream_object *table = fake_rw_by_id(rw, sink->uses);
    struct ghost_keys keys = {.width = 1};

    for (int64_t key = 1; key <= (int64_t)table->data.versions.n; key++) {
        if (fake_rows_get(&table->data, key) != FAKE_NO_ROW ||
            !holds_deletion(sink, key) || offset-- > 0) {
            continue;
        }
        VEC_PUSH(arena, &keys.cells,
                 (const char *)arena_printf(arena, "%lld", (long long)key));
    }
    *out_keys = keys;
}
