#include "watch_scene.h"

#include "base/heap.h"
#include "loop/seen.h"

#define OBJECT                                                                           \
    "{\"apiVersion\":\"tablesync.dev/v1alpha1\",\"kind\":\"TableSync\",\"metadata\":{"   \
    "\"name\":\"orders\",\"namespace\":\"shop\",\"uid\":\"u1\",\"generation\":3,"        \
    "\"resourceVersion\":\"5\"},\"spec\":{},\"status\":{\"observedGeneration\":3}}"

static struct watch_scene *scene; /* whom the doubles answer for */

static void answer(struct unit_kube *kube, const struct kube_request *request,
                   struct kube_response *response)
{
    struct watch_scene *s = kube->context;

    if (strstr(request->path, "/events") != NULL) {
        s->events++;
    }
    response->status = 201;
    buf_addz(&response->body, "{}");
}

static bool refuses(struct fault *fault)
{
    enum fault_class class = scene->refusal;

    scene->refusal = FAULT_NONE;
    return class != FAULT_NONE && !fault_set(fault, class, NULL, "the server's words");
}

static bool count_losses(struct source_db *db, const struct loss_check *checks,
                         size_t count, const char *database, const char *table,
                         int64_t rows_max, struct cancel *cancel, struct arena *arena,
                         int64_t *out_counts, bool *out_complete, struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)arena;
    assert_string_equal(database, "shop");
    assert_string_equal(table, "orders");
    assert_int_equal(rows_max, 200000);
    assert_true(count <= WATCH_CHECKS_MAX);
    scene->counted_losses++;
    if (refuses(fault)) {
        return false;
    }
    scene->check_count = count;
    for (size_t i = 0; i < count; i++) {
        scene->checks[i] = checks[i];
        out_counts[i] = scene->counts[i];
    }
    *out_complete = scene->complete;
    return true;
}

static bool source_rows(struct source_db *db, const char *database, const char *table,
                        int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                        struct fault *fault)
{
    (void)db;
    (void)cancel;
    assert_string_equal(database, "shop");
    assert_string_equal(table, "orders");
    scene->counted_source++;
    scene->source_rows_max = rows_max;
    if (refuses(fault)) {
        return false;
    }
    *out_rows = scene->source_rows > rows_max ? rows_max : scene->source_rows;
    return true;
}

static bool list_like(struct source_db *db, const char *database, const char *part,
                      struct cancel *cancel, struct arena *arena,
                      struct mysql_tables *out_tables, struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)arena;
    (void)fault;
    assert_string_equal(database, "shop");
    assert_string_equal(part, "orders");
    scene->listed++;
    *out_tables = scene->siblings;
    return true;
}

static bool stream_rows(struct stream_db *db, const char *schema, const char *table,
                        int64_t rows_max, struct cancel *cancel, int64_t *out_rows,
                        struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)fault;
    assert_string_equal(schema, "tablesync");
    assert_string_equal(table, "t_orders");
    scene->counted_stream++;
    *out_rows = scene->stream_rows > rows_max ? rows_max : scene->stream_rows;
    return true;
}

static bool snapshot(struct stream_db *db, const char *schema, const char *internal_table,
                     struct cancel *cancel, struct rw_snapshot *out_snapshot,
                     struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)fault;
    assert_string_equal(schema, "tablesync");
    assert_string_equal(internal_table, "__internal_t_orders_1_streamcdcscan_5");
    *out_snapshot = scene->snapshot;
    return true;
}

static bool backlog(struct stream_db *db, const char *schema, const char *internal_table,
                    struct cancel *cancel, struct rw_backlog *out_backlog,
                    struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)fault;
    assert_string_equal(schema, "tablesync");
    assert_string_equal(internal_table, "__internal_k_orders_2_sink_9");
    *out_backlog = scene->backlog;
    return true;
}

static bool source_offset(struct stream_db *db, const char *schema,
                          const char *internal_table, struct cancel *cancel,
                          struct arena *arena, struct rw_offset *out_offset,
                          struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)arena;
    (void)fault;
    assert_string_equal(schema, "tablesync");
    assert_string_equal(internal_table, "__internal_src_shop_3_source_4");
    *out_offset = scene->offset;
    return true;
}

static bool binlog_lost(struct source_db *db, const struct binlog_position *at,
                        struct cancel *cancel, struct arena *arena,
                        struct binlog_answer *out_answer, struct fault *fault)
{
    (void)db;
    (void)cancel;
    (void)arena;
    assert_string_equal(at->file, scene->offset.at.file);
    if (refuses(fault)) {
        return false;
    }
    *out_answer = scene->binlog;
    return true;
}

static void source_close(struct source_db *db)
{
    (void)db; /* the scene owns it */
    scene->source_closes++;
}

static struct mysql_column column(const char *name, const char *type)
{
    return (struct mysql_column){.name = name, .data_type = type, .column_type = type};
}

static const struct ident *name(struct watch_scene *s, const char *text,
                                enum sql_dialect dialect, enum ident_kind kind)
{
    struct fault fault = FAULT_INIT;
    const struct ident *ident = NULL;

    assert_ok(ident_parse(s->a.arena, sv_from(text), dialect, kind, &ident, &fault),
              fault);
    return ident;
}

static void fill_catalogs(struct watch_scene *s)
{
    struct arena *arena = s->a.arena;
    struct rw_catalog *rw = &s->rw.u.rw;
    struct rw_table stream = {.id = 17, .name = "t_orders"};

    VEC_PUSH(arena, &stream.columns, (struct rw_column){.name = "id"});
    VEC_PUSH(arena, &stream.columns, (struct rw_column){.name = "note"});
    VEC_PUSH(arena, &rw->tables, stream);
    VEC_PUSH(arena, &rw->sinks,
             (struct rw_sink){.id = 30, .name = "k_orders_v1", .rate_limit = -1});
    VEC_PUSH(arena, &rw->internals,
             (struct rw_internal){17, "__internal_t_orders_1_streamcdcscan_5"});
    VEC_PUSH(arena, &rw->internals,
             (struct rw_internal){30, "__internal_k_orders_2_sink_9"});
    VEC_PUSH(arena, &s->sr.u.sr.tables,
             (struct sr_table){.name = "orders",
                               .comment = "tablesync:v1 uid=u1 hash=0123456789ab"});
}

static void fill_world(struct watch_scene *s)
{
    static const struct source_db_ops source_ops = {.count_losses = count_losses,
                                                    .count_rows = source_rows,
                                                    .list_like = list_like,
                                                    .binlog_lost = binlog_lost,
                                                    .close = source_close};
    static const struct stream_db_ops stream_ops = {.count_rows = stream_rows,
                                                    .snapshot = snapshot,
                                                    .backlog = backlog,
                                                    .source_offset = source_offset};
    struct arena *arena = s->a.arena;

    memset(&s->table, 0, sizeof(s->table));
    memset(&s->rw, 0, sizeof(s->rw));
    memset(&s->sr, 0, sizeof(s->sr));
    s->source.ops = &source_ops;
    s->stream.ops = &stream_ops;
    s->mysql.u.mysql = (struct mysql_server){.version = "8.0.39", .flavor = MYSQL_ORACLE};
    fill_catalogs(s);
    s->table.name = "orders";
    s->table.created_at = "2026-11-01 10:00:00";
    VEC_PUSH(arena, &s->table.columns, column("id", "int"));
    VEC_PUSH(arena, &s->table.columns, column("note", "varchar(20)"));
    VEC_PUSH(arena, &s->table.primary_key, "id");
}

static void begin(struct watch_scene *s)
{
    struct attempt *a = &s->a;

    memset(a, 0, sizeof(*a));
    a->loop = s->loop;
    a->arena = arena_new(ARENA_CEILING_BYTES);
    a->key = "TableSync/shop/orders";
    a->run_id = "0badcafe";
    a->now = "2026-09-21T14:13:20Z";
    a->object = kube_store_get(s->loop->syncs, "shop/orders");
    a->trigger = "Drift";
    cancel_init_child(&a->cancel, &s->root, 60000);
    tablesync_decode_identity(a->object->json, a->arena, &a->sync);
    a->sync.source_database = "shop";
    a->sync.source_table = "orders";
    a->sync.target_database = "ods";
    a->sync.target_table = "orders";
    a->sync.data_loss = DATA_LOSS_WARN;
    a->sync.snapshot_mode = SNAPSHOT_INITIAL;
    a->sync.state = STATE_RUNNING;
    a->sync.commit_checkpoint_interval = 10;
    fill_world(s);
    a->mysql = &s->mysql;
    a->rw = &s->rw;
    a->sr = &s->sr;
    a->planned = true;
    a->plan.table = "t_orders";
    a->plan.sink = "k_orders_v1";
    a->table = &s->table;
    a->bindings[BIND_SOURCE].session.source = &s->source;
    a->bindings[BIND_RISINGWAVE].session.stream = &s->stream;
    a->bindings[BIND_RISINGWAVE].conn.rw_schema = "tablesync";
    a->desired.rw_schema = name(s, "tablesync", SQL_RISINGWAVE, IDENT_SCHEMA);
    a->desired.source_name = name(s, "src_shop", SQL_RISINGWAVE, IDENT_TABLE);
    a->desired.table_name = name(s, "t_orders", SQL_RISINGWAVE, IDENT_TABLE);
    a->desired.sink_prefix = "k_orders_v";
    a->desired.target_table = name(s, "orders", SQL_STARROCKS, IDENT_TABLE);
}

static void end(struct watch_scene *s)
{
    json_free(s->a.fresh);
    kube_object_put(s->a.object);
    cancel_deinit(&s->a.cancel);
    arena_free(s->a.arena);
}

static void copy_conditions(struct watch_scene *s, const struct kube_conditions *from)
{
    for (VEC_EACH(struct kube_condition, c, &from->list)) {
        (void)kube_conditions_set(&s->a.conditions, c, s->a.now, s->a.arena);
        (void)kube_conditions_set(&s->a.conditions_before, c, s->a.now, s->a.arena);
    }
}

static struct strlist copy_names(struct watch_scene *s, const struct strlist *from)
{
    struct strlist copy = {0};

    for (size_t i = 0; i < from->n; i++) {
        VEC_PUSH(s->a.arena, &copy, arena_strdup(s->a.arena, from->v[i]));
    }
    return copy;
}

void watch_scene_next(struct watch_scene *s)
{
    struct watch_scene last = *s;

    begin(s);
    copy_conditions(s, &last.a.conditions);
    s->a.status = last.a.status;
    s->a.status.source.table_created_at =
        arena_strdup(s->a.arena, last.a.status.source.table_created_at);
    s->a.status.source.unloaded_columns =
        copy_names(s, &last.a.status.source.unloaded_columns);
    s->a.status.snapshot.state = "Done";
    s->a.status.snapshot.started_at = "2026-09-01T00:00:00Z";
    s->a.status.snapshot.finished_at = "2026-09-01T00:01:00Z";
    s->a.status.stream.lag = NULL;
    s->a.status.source.schema_hash = "sha256:1";
    memset(&s->a.status.objects, 0, sizeof(s->a.status.objects));
    VEC_PUSH(s->a.arena, &s->a.status.objects,
             (struct status_object){
                 .kind = "Table", .name = "tablesync.t_orders", .id = 17, .owned = true});
    s->a.before = s->a.status;
    end(&last);
}

void watch_scene_source(struct watch_scene *s)
{
    VEC_PUSH(s->a.arena, &s->rw.u.rw.sources,
             (struct rw_source){.id = 9, .schema = "tablesync", .name = "src_shop"});
    VEC_PUSH(s->a.arena, &s->rw.u.rw.internals,
             (struct rw_internal){9, "__internal_src_shop_3_source_4"});
}

void watch_scene_restart(struct watch_scene *s)
{
    seen_forget(s->loop->seen, s->a.key);
    watch_scene_next(s);
}

void watch_scene_before(struct watch_scene *s, enum condition condition,
                        const char *reason, const char *message)
{
    attempt_condition(&s->a, condition, reason, "%s", message);
    watch_scene_next(s);
}

const struct kube_condition *watch_scene_condition(const struct watch_scene *s,
                                                   enum condition condition)
{
    return kube_conditions_find(&s->a.conditions, condition_type(condition));
}

int watch_scene_setup(void **state)
{
    const struct loop_options options = {.instance = "unit", .resync_ms = 60000};
    struct watch_scene *s = HEAP_NEW(struct watch_scene);
    struct fault fault = FAULT_INIT;

    unit_clock_init(&s->clock);
    unit_kube_init(&s->kube);
    unit_db_init(&s->db);
    s->kube.answer = answer;
    s->kube.context = s;
    assert_ok(cancel_init_root(&s->root, &s->clock.base, &fault), fault);
    const struct loop_ports ports = {.kube = &s->kube.base,
                                     .databases = &s->db.base,
                                     .clock = &s->clock.base,
                                     .seed = 1};
    s->loop = loop_new(&ports, &options, &s->root);
    kube_store_put(s->loop->syncs, unit_json(OBJECT));
    s->complete = true;
    s->source_rows = s->stream_rows = 120;
    s->snapshot = (struct rw_snapshot){.present = true, .finished = true, .rows = 120};
    s->backlog = (struct rw_backlog){.present = true, .undelivered = 0};
    scene = s;
    begin(s);
    watch_scene_next(s);
    *state = s;
    return 0;
}

int watch_scene_teardown(void **state)
{
    struct watch_scene *s = *state;

    end(s);
    loop_free(s->loop);
    cancel_deinit(&s->root);
    heap_free(s);
    scene = NULL;
    return 0;
}
