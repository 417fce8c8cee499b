/*
 * What attempts call goes through here, so that a lane knows which calls to its server
 * are under way, since when, and how they ended. Nothing else is changed.
 */
#include "base/heap.h"
#include "loop/circuit.h"

static struct door *door_of(void *db)
{
    return db; /* its first member, at the same address */
}

static bool call_end(struct call *call, struct door *door, bool done,
                     const struct fault *fault)
{
    struct lane *lane = call->lane;
    struct news news = {0};
    struct hung hung;

    call_drop(call);
    door->stale = door->stale || (door->idled && !done && db_unanswered(fault));
    door->idled = door->idled && !done && fault->class == FAULT_CANCELLED;
    circuit_look(lane->all, &hung);
    (void)pthread_mutex_lock(&lane->lock);
    if (door->epoch == lane->epoch) {
        circuit_called(lane, call, door->probes, done, fault, &news);
        circuit_serve(lane, &hung, &news);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
    return done;
}

#define PASS(type, name, statement, parameters, ...)                                     \
    static bool type##_##name parameters                                                 \
    {                                                                                    \
        struct door *door = door_of(db);                                                 \
        struct call call;                                                                \
                                                                                         \
        call_begin(&call, door->lane, door->key, statement);                             \
        return call_end(&call, door,                                                     \
                        door->inner.type->ops->name(door->inner.type, __VA_ARGS__),      \
                        fault);                                                          \
    }

/* --- MySQL --- */

PASS(source, probe, false,
     (struct source_db * db, struct cancel *cancel, struct arena *arena,
      struct mysql_server *out_server, struct fault *fault),
     cancel, arena, out_server, fault)
PASS(source, read_table, false,
     (struct source_db * db, const char *database, const char *table,
      struct cancel *cancel, struct arena *arena, struct mysql_table **out_table,
      bool *out_database_exists, struct fault *fault),
     database, table, cancel, arena, out_table, out_database_exists, fault)
PASS(source, count_losses, false,
     (struct source_db * db, const struct loss_check *checks, size_t count,
      const char *database, const char *table, int64_t rows_max, struct cancel *cancel,
      struct arena *arena, int64_t *out_counts, bool *out_complete, struct fault *fault),
     checks, count, database, table, rows_max, cancel, arena, out_counts, out_complete,
     fault)
PASS(source, count_rows, false,
     (struct source_db * db, const char *database, const char *table, int64_t rows_max,
      struct cancel *cancel, int64_t *out_rows, struct fault *fault),
     database, table, rows_max, cancel, out_rows, fault)
PASS(source, count_all, false,
     (struct source_db * db, const struct tally_query *query, struct cancel *cancel,
      int64_t *out_rows, struct fault *fault),
     query, cancel, out_rows, fault)
PASS(source, list_like, false,
     (struct source_db * db, const char *database, const char *part,
      struct cancel *cancel, struct arena *arena, struct mysql_tables *out_tables,
      struct fault *fault),
     database, part, cancel, arena, out_tables, fault)
PASS(source, list_databases, false,
     (struct source_db * db, struct cancel *cancel, struct arena *arena,
      struct strlist *out_names, struct fault *fault),
     cancel, arena, out_names, fault)
PASS(source, list_tables, false,
     (struct source_db * db, const char *database, struct cancel *cancel,
      struct arena *arena, struct mysql_tables *out_tables, struct fault *fault),
     database, cancel, arena, out_tables, fault)
PASS(source, list_unparseable, false,
     (struct source_db * db, const char *database, struct cancel *cancel,
      struct arena *arena, struct strlist *out_columns, struct fault *fault),
     database, cancel, arena, out_columns, fault)
PASS(source, replica_ids, false,
     (struct source_db * db, struct cancel *cancel, struct arena *arena,
      struct strlist *out_ids, struct fault *fault),
     cancel, arena, out_ids, fault)
PASS(source, binlog_lost, false,
     (struct source_db * db, const struct binlog_position *at, struct cancel *cancel,
      struct arena *arena, struct binlog_answer *out_answer, struct fault *fault),
     at, cancel, arena, out_answer, fault)

/* --- RisingWave --- */

PASS(stream, probe, false,
     (struct stream_db * db, struct cancel *cancel, struct arena *arena,
      struct rw_server *out_server, struct fault *fault),
     cancel, arena, out_server, fault)
PASS(stream, catalog, false,
     (struct stream_db * db, const char *schema, struct cancel *cancel,
      struct arena *arena, struct rw_catalog *out_catalog, struct fault *fault),
     schema, cancel, arena, out_catalog, fault)
PASS(stream, snapshot, false,
     (struct stream_db * db, const char *schema, const char *internal_table,
      struct cancel *cancel, struct rw_snapshot *out_snapshot, struct fault *fault),
     schema, internal_table, cancel, out_snapshot, fault)
PASS(stream, backlog, false,
     (struct stream_db * db, const char *schema, const char *internal_table,
      struct cancel *cancel, struct rw_backlog *out_backlog, struct fault *fault),
     schema, internal_table, cancel, out_backlog, fault)
PASS(stream, count_rows, false,
     (struct stream_db * db, const char *schema, const char *table, int64_t rows_max,
      struct cancel *cancel, int64_t *out_rows, struct fault *fault),
     schema, table, rows_max, cancel, out_rows, fault)
PASS(stream, source_offset, false,
     (struct stream_db * db, const char *schema, const char *internal_table,
      struct cancel *cancel, struct arena *arena, struct rw_offset *out_offset,
      struct fault *fault),
     schema, internal_table, cancel, arena, out_offset, fault)
PASS(stream, log_columns, false,
     (struct stream_db * db, const char *schema, const char *internal_table,
      struct cancel *cancel, struct arena *arena, struct strlist *out_columns,
      struct fault *fault),
     schema, internal_table, cancel, arena, out_columns, fault)
PASS(stream, ghost_keys, false,
     (struct stream_db * db, const struct ghosts_query *query, struct cancel *cancel,
      struct arena *arena, struct ghost_keys *out_keys, struct fault *fault),
     query, cancel, arena, out_keys, fault)
PASS(stream, apply, true,
     (struct stream_db * db, const struct plan_step *step, const char *tag,
      struct cancel *cancel, struct arena *arena, struct db_result *out_result,
      struct fault *fault),
     step, tag, cancel, arena, out_result, fault)

/* --- StarRocks --- */

PASS(target, probe, false,
     (struct target_db * db, struct cancel *cancel, struct arena *arena,
      struct sr_server *out_server, struct fault *fault),
     cancel, arena, out_server, fault)
PASS(target, catalog, false,
     (struct target_db * db, const char *database, struct cancel *cancel,
      struct arena *arena, struct sr_catalog *out_catalog, struct fault *fault),
     database, cancel, arena, out_catalog, fault)
PASS(target, apply, true,
     (struct target_db * db, const struct plan_step *step, const char *tag,
      struct cancel *cancel, struct arena *arena, struct db_result *out_result,
      struct fault *fault),
     step, tag, cancel, arena, out_result, fault)

PASS(target, count_all, false,
     (struct target_db * db, const struct tally_query *query, struct cancel *cancel,
      int64_t *out_rows, struct fault *fault),
     query, cancel, out_rows, fault)

static void source_close(struct source_db *db)
{
    struct door *door = door_of(db);

    door->inner.source->ops->close(door->inner.source);
    heap_free(door);
}

static void stream_close(struct stream_db *db)
{
    struct door *door = door_of(db);

    door->inner.stream->ops->close(door->inner.stream);
    heap_free(door);
}

static void target_close(struct target_db *db)
{
    struct door *door = door_of(db);

    door->inner.target->ops->close(door->inner.target);
    heap_free(door);
}

static const struct source_db_ops SOURCE = {.probe = source_probe,
                                            .read_table = source_read_table,
                                            .count_losses = source_count_losses,
                                            .count_rows = source_count_rows,
                                            .count_all = source_count_all,
                                            .list_like = source_list_like,
                                            .list_databases = source_list_databases,
                                            .list_tables = source_list_tables,
                                            .list_unparseable = source_list_unparseable,
                                            .replica_ids = source_replica_ids,
                                            .binlog_lost = source_binlog_lost,
                                            .close = source_close};
static const struct stream_db_ops STREAM = {.probe = stream_probe,
                                            .catalog = stream_catalog,
                                            .snapshot = stream_snapshot,
                                            .backlog = stream_backlog,
                                            .count_rows = stream_count_rows,
                                            .source_offset = stream_source_offset,
                                            .log_columns = stream_log_columns,
                                            .ghost_keys = stream_ghost_keys,
                                            .apply = stream_apply,
                                            .close = stream_close};
static const struct target_db_ops TARGET = {.probe = target_probe,
                                            .catalog = target_catalog,
                                            .apply = target_apply,
                                            .count_all = target_count_all,
                                            .close = target_close};

/* A member that this file does not pass on would be NULL, and crash its first caller. */
_Static_assert(sizeof(struct source_db_ops) == 12 * sizeof(void (*)(void)), "pass it on");
_Static_assert(sizeof(struct stream_db_ops) == 10 * sizeof(void (*)(void)), "pass it on");
_Static_assert(sizeof(struct target_db_ops) == 5 * sizeof(void (*)(void)), "pass it on");

struct door *door_new(struct session *session)
{
    struct door *door = HEAP_NEW(struct door);

    door->lane = session->lane;
    door->epoch = session->epoch;
    if (session->source != NULL) {
        door->inner.source = session->source;
        door->outer.source.ops = &SOURCE;
        session->source = &door->outer.source;
    } else if (session->stream != NULL) {
        door->inner.stream = session->stream;
        door->outer.stream.ops = &STREAM;
        session->stream = &door->outer.stream;
    } else {
        door->inner.target = session->target;
        door->outer.target.ops = &TARGET;
        session->target = &door->outer.target;
    }
    session->door = door;
    return door;
}
